# SEARCH: every key, and how they combine.
# listener: imaps

# RFC 3501 §6.4.4: flags, sets and sizes
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: a1 APPEND INBOX (\Seen) "01-Feb-1994 00:30:00 +0000" {156+}
C: From: Smith <smith@example.com>
C: To: a@example.org
C: Date: Tue, 1 Feb 1994 01:00:00 +0200
C: Subject: =?iso-8859-1?Q?Caf=E9_au_lait?=
C:
C: Nothing to see here.
C:
S: ...
S: a1 OK [APPENDUID * *] *
C: a2 APPEND INBOX (\Flagged \Answered) "02-Feb-1994 12:00:00 +0000" {243+}
C: From: jones@example.com
C: Cc: Smith <smith@example.com>
C: Date: Wed, 2 Feb 1994 01:00:00 +0000
C: Subject: second
C: X-Mark:
C: MIME-Version: 1.0
C: Content-Type: text/plain; charset=utf-8
C: Content-Transfer-Encoding: base64
C:
C: U3RyYcOfZSB6dW0gR2zDvGNr
C:
S: ...
S: a2 OK [APPENDUID * *] *
C: a3 APPEND INBOX (\Draft work) "03-Feb-1994 23:30:00 +0000" {361+}
C: From: jones@example.com
C: Bcc: b@example.org
C: Date: Thu, 3 Feb 1994 23:59:00 -0800
C: Subject: third
C:
C: A long line of text that makes this message the largest of all.
C: A long line of text that makes this message the largest of all.
C: A long line of text that makes this message the largest of all.
C: A long line of text that makes this message the largest of all.
C:
S: ...
S: a3 OK [APPENDUID * *] *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: b2 SELECT INBOX
S: ...
S: b2 OK [READ-WRITE] *
C: q1 SEARCH ALL
S: * SEARCH 1 2 3
S: q1 OK *
C: q2 SEARCH SEEN
S: * SEARCH 1
S: q2 OK *
C: q3 SEARCH UNSEEN
S: * SEARCH 2 3
S: q3 OK *
C: q4 SEARCH FLAGGED ANSWERED
S: * SEARCH 2
S: q4 OK *
C: q5 SEARCH DRAFT
S: * SEARCH 3
S: q5 OK *
C: q6 SEARCH UNDRAFT UNFLAGGED
S: * SEARCH 1
S: q6 OK *
C: q7 SEARCH DELETED
S: * SEARCH
S: q7 OK *
C: q8 SEARCH NEW
S: * SEARCH
S: q8 OK *
C: q9 SEARCH OLD
S: * SEARCH 1 2 3
S: q9 OK *
C: q10 SEARCH RECENT
S: * SEARCH
S: q10 OK *
C: q11 SEARCH KEYWORD work
S: * SEARCH 3
S: q11 OK *
C: q12 SEARCH UNKEYWORD work
S: * SEARCH 1 2
S: q12 OK *
C: q13 SEARCH KEYWORD nowhere
S: * SEARCH
S: q13 OK *
C: q14 SEARCH 2:*
S: * SEARCH 2 3
S: q14 OK *
C: q15 SEARCH UID 1,3
S: * SEARCH 1 3
S: q15 OK *
C: q16 SEARCH UID 99
S: * SEARCH
S: q16 OK *
C: q17 SEARCH LARGER 243
S: * SEARCH 3
S: q17 OK *
C: q18 SEARCH SMALLER 243
S: * SEARCH 1
S: q18 OK *
C: q19 SEARCH NOT LARGER 243
S: * SEARCH 1 2
S: q19 OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.4: dates of arrival
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: q1 SEARCH BEFORE 2-Feb-1994
S: * SEARCH 1
S: q1 OK *
C: q2 SEARCH ON 2-Feb-1994
S: * SEARCH 2
S: q2 OK *
C: q3 SEARCH SINCE "2-Feb-1994"
S: * SEARCH 2 3
S: q3 OK *
C: q4 SEARCH SINCE 4-Feb-1994
S: * SEARCH
S: q4 OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.4: dates of sending are as written, whatever the time zone
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: q1 SEARCH SENTBEFORE 2-Feb-1994
S: * SEARCH 1
S: q1 OK *
C: q2 SEARCH SENTON 1-Feb-1994
S: * SEARCH 1
S: q2 OK *
C: q3 SEARCH SENTON 3-Feb-1994
S: * SEARCH 3
S: q3 OK *
C: q4 SEARCH SENTSINCE 2-Feb-1994
S: * SEARCH 2 3
S: q4 OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.4: header fields, decoded and whatever their case
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: q1 SEARCH FROM "SMITH"
S: * SEARCH 1
S: q1 OK *
C: q2 SEARCH CC smith
S: * SEARCH 2
S: q2 OK *
C: q3 SEARCH TO example.org
S: * SEARCH 1
S: q3 OK *
C: q4 SEARCH BCC b@
S: * SEARCH 3
S: q4 OK *
C: q5 SEARCH SUBJECT caf
S: * SEARCH 1
S: q5 OK *
C: q6 SEARCH CHARSET UTF-8 SUBJECT {8+}
C: CAFÉ AU
S: * SEARCH 1
S: q6 OK *
C: q7 SEARCH SUBJECT "iso-8859"
S: * SEARCH
S: q7 OK *
C: q8 SEARCH HEADER X-Mark ""
S: * SEARCH 2
S: q8 OK *
C: q9 SEARCH HEADER X-Mark y
S: * SEARCH
S: q9 OK *
C: q10 SEARCH HEADER subject IR
S: * SEARCH 3
S: q10 OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.4: text is compared after decoding
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: q1 SEARCH BODY nothing
S: * SEARCH 1
S: q1 OK *
C: q2 SEARCH BODY smith
S: * SEARCH
S: q2 OK *
C: q3 SEARCH TEXT smith
S: * SEARCH 1 2
S: q3 OK *
C: q4 SEARCH CHARSET UTF-8 BODY {7+}
C: straße
S: * SEARCH 2
S: q4 OK *
C: q5 SEARCH BODY U3RyYc
S: * SEARCH
S: q5 OK *
C: q6 SEARCH TEXT "glück"
S: * SEARCH 2
S: q6 OK *
C: q7 SEARCH BODY "LONG LINE"
S: * SEARCH 3
S: q7 OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.4: NOT, OR and parentheses
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: q1 SEARCH FLAGGED SINCE 1-Feb-1994 NOT FROM "Smith"
S: * SEARCH 2
S: q1 OK *
C: q2 SEARCH OR SEEN DRAFT
S: * SEARCH 1 3
S: q2 OK *
C: q3 SEARCH NOT (OR SEEN DRAFT)
S: * SEARCH 2
S: q3 OK *
C: q4 SEARCH OR (SEEN FROM smith) (DRAFT BODY long)
S: * SEARCH 1 3
S: q4 OK *
C: q5 SEARCH (ALL) NOT NOT 2
S: * SEARCH 2
S: q5 OK *
C: q6 SEARCH OR OR 1 2 3 UNSEEN
S: * SEARCH 2 3
S: q6 OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.4: what the index knows of texts and headers decides the same as the messages, alone and with other keys
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: q1 SEARCH NOT TEXT smith
S: * SEARCH 3
S: q1 OK *
C: q2 SEARCH OR SUBJECT third BODY nothing
S: * SEARCH 1 3
S: q2 OK *
C: q3 SEARCH OR HEADER X-Mark "" TEXT "long line"
S: * SEARCH 2 3
S: q3 OK *
C: q4 SEARCH SUBJECT second NOT BODY nothing
S: * SEARCH 2
S: q4 OK *
C: q5 SEARCH OR FROM nobody TEXT absent
S: * SEARCH
S: q5 OK *
C: q6 SEARCH NOT (OR FROM jones BODY "nothing to see")
S: * SEARCH
S: q6 OK *
C: q7 SEARCH NOT BODY smith TEXT smith
S: * SEARCH 1 2
S: q7 OK *
C: q8 SEARCH BODY "see here." SENTON 1-Feb-1994 LARGER 20
S: * SEARCH 1
S: q8 OK *
C: q9 SEARCH OR TEXT "X-Mark:" TEXT ee
S: * SEARCH 1 2
S: q9 OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.8: UID SEARCH answers with UIDs
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c STORE 1 +FLAGS.SILENT (\Deleted)
S: c OK *
C: d EXPUNGE
S: * 1 EXPUNGE
S: d OK *
C: q1 SEARCH ALL
S: * SEARCH 1 2
S: q1 OK *
C: q2 UID SEARCH ALL
S: * SEARCH 2 3
S: q2 OK *
C: q3 UID SEARCH 1
S: * SEARCH 2
S: q3 OK *
C: q4 UID SEARCH UID 3:*
S: * SEARCH 3
S: q4 OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.4: an unknown charset is refused with BADCHARSET
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c SEARCH CHARSET KLINGON SUBJECT x
S: c NO [BADCHARSET (*)] *
C: d SEARCH
S: d BAD *
C: e SEARCH NOSUCHKEY
S: e BAD *
C: f SEARCH (SEEN
S: f BAD *
C: g SEARCH OR SEEN
S: g BAD *
C: h SEARCH SINCE 30-Feb-1994
S: h BAD *
C-RAW: i SEARCH {60*NOT }SEEN\r\n
S: i NO *
C: j SEARCH ALL
S: * SEARCH 1 2
S: j OK *
