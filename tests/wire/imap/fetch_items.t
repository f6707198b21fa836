# What FETCH tells of a message, and the pieces that it cuts out of it.
# listener: imaps

# RFC 3501 §6.4.5: the macros FAST, ALL and FULL
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: a1 APPEND INBOX "07-Feb-1994 21:52:25 -0800" {447+}
C: From: Fred Foobar <foobar@blurdybloop.example>
C: To: mooch@owatagu.example
C: Date: Mon, 7 Feb 1994 21:52:25 -0800
C: Subject: afternoon meeting
C: Message-Id: <B27397-0100000@blurdybloop.example>
C: MIME-Version: 1.0
C: Content-Type: MULTIPART/MIXED; BOUNDARY=b1
C:
C: --b1
C: Content-Type: TEXT/PLAIN
C:
C: Hello Joe, do you think we can meet at 3:30 tomorrow?
C: --b1
C: Content-Type: message/rfc822
C:
C: Subject: inner
C: Content-Type: text/plain
C:
C: inner body
C: --b1--
C:
S: ...
S: a1 OK [APPENDUID * *] *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c FETCH 1 FAST
S: * 1 FETCH (FLAGS (*) INTERNALDATE " 8-Feb-1994 05:52:25 +0000" RFC822.SIZE 447)
S: c OK *
C: d FETCH 1 ALL
S: * 1 FETCH (FLAGS (*) INTERNALDATE "*" RFC822.SIZE 447 ENVELOPE ("Mon, 7 Feb 1994 21:52:25 -0800" "afternoon meeting" (("Fred Foobar" NIL "foobar" "blurdybloop.example")) (("Fred Foobar" NIL "foobar" "blurdybloop.example")) (("Fred Foobar" NIL "foobar" "blurdybloop.example")) ((NIL NIL "mooch" "owatagu.example")) NIL NIL NIL "<B27397-0100000@blurdybloop.example>"))
S: d OK *
C: e FETCH 1 full
S: * 1 FETCH (FLAGS (*) INTERNALDATE "*" RFC822.SIZE 447 ENVELOPE (*) BODY (("TEXT" "PLAIN" (*) NIL NIL "7bit" 53 0)("message" "rfc822" *) "MIXED"))
S: e OK *
C: f FETCH 1 (BODYSTRUCTURE UID)
S: * 1 FETCH (UID 1 BODYSTRUCTURE (("TEXT" "PLAIN" * 0 NIL NIL NIL NIL)(*) "MIXED" ("BOUNDARY" "b1") NIL NIL NIL))
S: f OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.5: sections by number and by name
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c FETCH 1 BODY.PEEK[]
S: * 1 FETCH (BODY[] {447}
S: From: Fred Foobar <foobar@blurdybloop.example>
S: To: mooch@owatagu.example
S: Date: Mon, 7 Feb 1994 21:52:25 -0800
S: Subject: afternoon meeting
S: Message-Id: <B27397-0100000@blurdybloop.example>
S: MIME-Version: 1.0
S: Content-Type: MULTIPART/MIXED; BOUNDARY=b1
S:
S: --b1
S: Content-Type: TEXT/PLAIN
S:
S: Hello Joe, do you think we can meet at 3:30 tomorrow?
S: --b1
S: Content-Type: message/rfc822
S:
S: Subject: inner
S: Content-Type: text/plain
S:
S: inner body
S: --b1--
S: )
S: c OK *
C: d FETCH 1 (BODY.PEEK[HEADER] RFC822.HEADER)
S: * 1 FETCH (BODY[HEADER] {256}
S: From: Fred Foobar <foobar@blurdybloop.example>
S: To: mooch@owatagu.example
S: Date: Mon, 7 Feb 1994 21:52:25 -0800
S: Subject: afternoon meeting
S: Message-Id: <B27397-0100000@blurdybloop.example>
S: MIME-Version: 1.0
S: Content-Type: MULTIPART/MIXED; BOUNDARY=b1
S:
S:  RFC822.HEADER {256}
S: From: Fred Foobar <foobar@blurdybloop.example>
S: To: mooch@owatagu.example
S: Date: Mon, 7 Feb 1994 21:52:25 -0800
S: Subject: afternoon meeting
S: Message-Id: <B27397-0100000@blurdybloop.example>
S: MIME-Version: 1.0
S: Content-Type: MULTIPART/MIXED; BOUNDARY=b1
S:
S: )
S: d OK *
C: e FETCH 1 BODY.PEEK[TEXT]
S: * 1 FETCH (BODY[TEXT] {191}
S: --b1
S: Content-Type: TEXT/PLAIN
S:
S: Hello Joe, do you think we can meet at 3:30 tomorrow?
S: --b1
S: Content-Type: message/rfc822
S:
S: Subject: inner
S: Content-Type: text/plain
S:
S: inner body
S: --b1--
S: )
S: e OK *
C: f FETCH 1 BODY.PEEK[1]
S: * 1 FETCH (BODY[1] {53}
S: Hello Joe, do you think we can meet at 3:30 tomorrow?)
S: f OK *
C: g FETCH 1 (BODY.PEEK[1.MIME] BODY.PEEK[2.HEADER] BODY.PEEK[2.TEXT] BODY.PEEK[2.1])
S: * 1 FETCH (BODY[1.MIME] {28}
S: Content-Type: TEXT/PLAIN
S:
S:  BODY[2.HEADER] {44}
S: Subject: inner
S: Content-Type: text/plain
S:
S:  BODY[2.TEXT] {10}
S: inner body BODY[2.1] {10}
S: inner body)
S: g OK *
C: h FETCH 1 (BODY.PEEK[3] BODY.PEEK[1.HEADER] BODY.PEEK[2.1.1.1])
S: * 1 FETCH (BODY[3] NIL BODY[1.HEADER] NIL BODY[2.1.1.1] NIL)
S: h OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.5: HEADER.FIELDS ends in an empty line, also without any field
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c FETCH 1 BODY.PEEK[HEADER.FIELDS (subject X-None "to")]
S: * 1 FETCH (BODY[HEADER.FIELDS (SUBJECT X-NONE TO)] {57}
S: To: mooch@owatagu.example
S: Subject: afternoon meeting
S:
S: )
S: c OK *
C: d FETCH 1 BODY.PEEK[HEADER.FIELDS (Bcc)]
S: * 1 FETCH (BODY[HEADER.FIELDS (BCC)] {2}
S:
S: )
S: d OK *
C: e FETCH 1 BODY.PEEK[2.HEADER.FIELDS.NOT (Content-Type)]
S: * 1 FETCH (BODY[2.HEADER.FIELDS.NOT (CONTENT-TYPE)] {18}
S: Subject: inner
S:
S: )
S: e OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.5: partial fetches tell where they begin and are cut at the end
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c FETCH 1 (BODY.PEEK[]<0.9> BODY.PEEK[1]<50.100> BODY.PEEK[1]<53.1> BODY.PEEK[1]<4000000000.1>)
S: * 1 FETCH (BODY[]<0> {9}
S: From: Fre BODY[1]<50> {3}
S: ow? BODY[1]<53> {0}
S:  BODY[1]<4000000000> {0}
S: )
S: c OK *
C: d FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]<9.9>
S: * 1 FETCH (BODY[HEADER.FIELDS (SUBJECT)]<9> {9}
S: afternoon)
S: d OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.5: only what is not peeked at sets \Seen, and the change is told
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c FETCH 1 (BODY.PEEK[1] RFC822.HEADER)
S: ...
S: c OK *
C: d FETCH 1 FLAGS
S: * 1 FETCH (FLAGS ())
S: d OK *
C: e FETCH 1 BODY[1]<0.5>
S: * 1 FETCH (FLAGS (\Seen) BODY[1]<0> {5}
S: Hello)
S: e OK *
C: f FETCH 1 BODY[1]<0.5>
S: * 1 FETCH (BODY[1]<0> {5}
S: Hello)
S: f OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.3.2: nothing is marked as seen in a mailbox that was opened with EXAMINE
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: a1 APPEND INBOX {22+}
C: Subject: unseen
C:
C: x
C:
S: ...
S: a1 OK [APPENDUID * *] *
C: b EXAMINE INBOX
S: ...
S: b OK [READ-ONLY] *
C: c FETCH 2 RFC822.TEXT
S: * 2 FETCH (RFC822.TEXT {3}
S: x
S: )
S: c OK *
C: d FETCH 2 FLAGS
S: * 2 FETCH (FLAGS (*))
S: d OK *
C: e SEARCH UNSEEN
S: * SEARCH 2
S: e OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.8: UID FETCH tells the UID unasked and leaves out UIDs that are not there
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c UID FETCH 1:* FLAGS
S: * 1 FETCH (UID 1 FLAGS (*))
S: * 2 FETCH (UID 2 FLAGS (*))
S: c OK *
C: d UID FETCH 100:* FLAGS
S: * 2 FETCH (UID 2 FLAGS (*))
S: d OK *
C: e UID FETCH 100,200 FLAGS
S: e OK *
C: f FETCH 3 FLAGS
S: f BAD *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §7.1.3: what is no FETCH is BAD, and the session goes on
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c1 FETCH 1
S: c1 BAD *
C: c2 FETCH 1 ()
S: c2 BAD *
C: c3 FETCH 1 BODY[HEADER.FIELDS]
S: c3 BAD *
C: c4 FETCH 1 BODY[0]
S: c4 BAD *
C: c5 FETCH 1 BODY[]<0.0>
S: c5 BAD *
C: c6 FETCH 0 FLAGS
S: c6 BAD *
C: c7 FETCH 1 (FLAGS
S: c7 BAD *
C: c8 FETCH 1 FLAGS
S: * 1 FETCH (FLAGS (\Seen))
S: c8 OK *

# RFC 8970 §3.1, §3.2: PREVIEW is the beginning of the text in one line, NIL where there is none
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *PREVIEW*
C: b CREATE previews
S: b OK *
C-RAW: c APPEND previews {47+}\r\nSubject: x\r\n\r\n> quoted\r\nHello,\r\nhow  are you?\r\n\r\n
S: c OK *
C-RAW: d APPEND previews {30+}\r\nContent-Type: image/png\r\n\r\nx\r\n\r\n
S: d OK *
C: e SELECT previews
S: ...
S: e OK *
C: f FETCH 1:2 (PREVIEW (LAZY) UID)
S: * 1 FETCH (UID 1 PREVIEW "Hello, how are you?")
S: * 2 FETCH (UID 2 PREVIEW NIL)
S: f OK *
C: g FETCH 1 PREVIEW
S: * 1 FETCH (PREVIEW "Hello, how are you?")
S: g OK *
C: h FETCH 1 (PREVIEW (EAGER))
S: h BAD *
