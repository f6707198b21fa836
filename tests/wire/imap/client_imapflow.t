# What imapflow 2.10.2 says with COMPRESS turned off (tests/clients/imapflow.js). It asks for what it was told with the greeting
# once more after log-in, enables IMAP4rev2 and CONDSTORE together, and asks for EMAILID and MODSEQ in every FETCH.
# listener: imaps

# RFC 9051 §6.2.2, §6.3.1, §6.3.9.7, RFC 7162 §3.1, RFC 8474 §5: log in, list, read, flag, move, delete, append
S: * OK [CAPABILITY * SASL-IR ID ENABLE *] *
C: 1 ID ("name" "imapflow" "version" "2.10.2" "vendor" "Postal Systems" "support-url" "https://github.com/postalsys/imapflow/issues")
S: * ID (*)
S: 1 OK *
C: 2 AUTHENTICATE PLAIN
S: + 
C-B64: \0demo@malle.test\0demo
S: 2 OK [CAPABILITY *] *
C: 3 ID ("name" "imapflow" "version" "2.10.2" "vendor" "Postal Systems" "support-url" "https://github.com/postalsys/imapflow/issues")
S: * ID (*)
S: 3 OK *
C: 4 NAMESPACE
S: * NAMESPACE (("" ".")) NIL NIL
S: 4 OK *
C: 5 ENABLE CONDSTORE IMAP4REV2
S: * ENABLED CONDSTORE IMAP4rev2
S: 5 OK *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C-RAW: b APPEND INBOX {19+}\r\nSubject: one\r\n\r\nx\r\n\r\n
b S: b OK *
b C-RAW: c APPEND INBOX {19+}\r\nSubject: two\r\n\r\nx\r\n\r\n
b S: c OK *
C: 6 LIST "" "*" RETURN (STATUS (MESSAGES) SPECIAL-USE CHILDREN SUBSCRIBED)
S: ...
S: * STATUS INBOX (MESSAGES 2)
S: ...
S: * LIST (*\Sent*) "." Sent
S: ...
S: 6 OK *
C: 7 SELECT INBOX
S: ...
S: * 2 EXISTS
S: ...
S: * OK [HIGHESTMODSEQ *] *
S: ...
S: 7 OK [READ-WRITE] *
C: 8 FETCH 1:* (UID ENVELOPE EMAILID MODSEQ)
S: * 1 FETCH (UID 1 MODSEQ (*) EMAILID (*) ENVELOPE (NIL "one" *))
S: * 2 FETCH (UID 2 MODSEQ (*) EMAILID (*) ENVELOPE (NIL "two" *))
S: 8 OK *
C: 9 UID FETCH 1 (UID RFC822.SIZE EMAILID MODSEQ BODY.PEEK[HEADER] BODY.PEEK[TEXT]<0.65536>)
S: * 1 FETCH (UID 1 RFC822.SIZE 19 MODSEQ (*) EMAILID (*) BODY[HEADER] {16}
S: Subject: one
S: 
S:  BODY[TEXT]<0> {3}
S: x
S: )
S: 9 OK *
C: A UID SEARCH SUBJECT two
S: * ESEARCH (TAG "A") UID ALL 2
S: A OK *
C: B UID STORE 1 +FLAGS (\Seen)
S: * 1 FETCH (UID 1 FLAGS (\Seen) MODSEQ (*))
S: B OK *
C: C UID MOVE 1 Archive
S: * OK [COPYUID * 1 1] *
S: * 1 EXPUNGE
S: C OK *
C: D UID STORE 2 +FLAGS (\Deleted)
S: * 1 FETCH (UID 2 FLAGS (\Deleted) MODSEQ (*))
S: D OK *
C: E UID EXPUNGE 2
S: * 1 EXPUNGE
S: E OK *
C-RAW: F APPEND Sent (\\Seen) {8+}\r\na: b\r\n\r\n\r\n
S: F OK [APPENDUID * 1] *
C: 10 LOGOUT
S: * BYE *
S: 10 OK *
S-EOF:
