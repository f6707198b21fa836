# CATENATE: a message made of parts of others, which stay on the server.
# listener: imaps
# config: message_size_limit = 1M

# RFC 4469 Appendix A, example 3: an attachment is replaced by a note
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *CATENATE*
C: b APPEND Drafts (\Draft) {241}
S: + *
C-RAW: Subject: trip\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="--0409"\r\n\r\n
C-RAW: ----0409\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nOur agent has sent this.\r\n
C-RAW: ----0409\r\nContent-Type: application/zip\r\n\r\nUEsDBAoAAAAAAA==\r\n----0409--\r\n
C:
S: b OK [APPENDUID <<validity>> 1] *
C: c APPEND Drafts (\Seen \Draft $MDNSent) CATENATE (URL "/Drafts;UIDVALIDITY=<<validity>>/;UID=1/;section=HEADER" TEXT {10}
S: + *
C-RAW: ----0409\r\n URL "/Drafts/;UID=1/;section=1.MIME" URL {29+}\r\n
C-RAW: /Drafts/;UID=1/;section=1%20x URL "/Drafts/;UID=1/;section=1")\r\n
S: c NO [BADURL /Drafts/;UID=1/;section=1%20x] *
C: d APPEND Drafts (\Seen \Draft $MDNSent) CATENATE (URL "/Drafts;UIDVALIDITY=<<validity>>/;UID=1/;section=HEADER" TEXT {10}
S: + *
C-RAW: ----0409\r\n URL "/Drafts/;UID=1/;section=1.MIME" URL {26}\r\n
S: + *
C: /Drafts/;UID=1/;section=1 TEXT {71}
S: d NO [BADURL *
C: e EXAMINE Drafts
S: ...
S: e OK *
C: f APPEND Drafts (\Seen \Draft $MDNSent) CATENATE (URL ";UID=1/;section=HEADER" TEXT {10}
S: + *
C-RAW: ----0409\r\n URL ";UID=1/;section=1.MIME" URL {16}\r\n
S: + *
C: ;UID=1/;section=1 TEXT {79}
S: f NO [BADURL *
C: g APPEND Drafts (\Seen \Draft $MDNSent) CATENATE (URL ";UID=1/;section=HEADER" TEXT {10}
S: + *
C-RAW: ----0409\r\n URL ";UID=1/;section=1.MIME" URL {17}\r\n
S: + *
C: ;UID=1/;section=1 TEXT {79}
S: + *
C-RAW: \r\n----0409\r\nContent-Type: text/plain\r\n\r\nThe archive was stripped.\r\n----0409--
C-RAW: \r\n)\r\n
S: * 2 EXISTS
S: ...
S: g OK [APPENDUID <<validity>> 2] *
C: h FETCH 2 (FLAGS BODY.PEEK[])
S: * 2 FETCH (FLAGS (\Seen \Draft*) BODY[] {*}
S: Subject: trip
S: MIME-Version: 1.0
S: Content-Type: multipart/mixed; boundary="--0409"
S:
S: ----0409
S: Content-Type: text/plain; charset=us-ascii
S:
S: Our agent has sent this.
S: ----0409
S: Content-Type: text/plain
S:
S: The archive was stripped.
S: ----0409--
S: )
S: h OK *
C: i FETCH 1 FLAGS
S: * 1 FETCH (FLAGS (\Draft*))
S: i OK *

# RFC 4469 §3: other servers, searches and URLAUTH are refused
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C-RAW: b APPEND INBOX {6+}\r\na: b\r\n\r\n
S: b OK *
C: c APPEND INBOX CATENATE (URL "imap://joe@example.org/INBOX/;UID=1")
S: c NO [BADURL imap://joe@example.org/INBOX/;UID=1] *
C: d APPEND INBOX CATENATE (URL "/INBOX/;UID=1;URLAUTH=anonymous:internal:00")
S: d NO [BADURL *
C: e APPEND INBOX CATENATE (URL "/INBOX?ALL")
S: e NO [BADURL *
C: f APPEND INBOX CATENATE (URL "/../INBOX/;UID=1")
S: f NO [BADURL *
C: g APPEND INBOX CATENATE (URL "/INBOX/;UID=2")
S: g NO [BADURL *

# RFC 4469 §4.2: the whole may not pass the limit, and nothing of it stays
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C-RAW: b APPEND Sent {700000+}\r\n{700000*x}\r\n
S: b OK *
C: c APPEND Sent CATENATE (URL "/Sent/;UID=1" URL "/Sent/;UID=1")
S: c NO [TOOBIG] *
C: d APPEND Sent CATENATE (URL "/Sent/;UID=1" TEXT {400000}
S: d NO [TOOBIG] *
C: e STATUS Sent (MESSAGES)
S: * STATUS Sent (MESSAGES 1)
S: e OK *
C-RAW: f APPEND Sent CATENATE (URL /Sent/;UID=1/;PARTIAL=0.2) CATENATE (TEXT {2+}\r\nab)\r\n
S: f OK [APPENDUID * 2:3] *
