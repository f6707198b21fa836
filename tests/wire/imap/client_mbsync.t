# What mbsync 1.4.4 says (Debian 12; tests/clients/work.py): it fetches everything, and when the user has read one message, deleted another and
# put one into Sent, it tells that. It logs in with SCRAM, where it names the account twice, and compresses: both are left out here, as are
# mailboxes that stay empty. It sends without waiting what it can, CHECKs what it stored, and leaves the expunging to CLOSE.
# listener: imaps

# RFC 9051 §5.5, §6.4.1, §6.4.6, RFC 7888 §4: fetch all; then flag, delete and append
fill S: * OK *
fill C: a LOGIN demo@malle.test demo
fill S: a OK *
fill C-RAW: b APPEND INBOX {58+}\r\nFrom: sender@client.example\r\nSubject: one\r\n\r\nBody of one\r\n {58+}\r\nFrom: sender@client.example\r\nSubject: two\r\n\r\nBody of two\r\n {62+}\r\nFrom: sender@client.example\r\nSubject: three\r\n\r\nBody of three\r\n {60+}\r\nFrom: sender@client.example\r\nSubject: four\r\n\r\nBody of four\r\n\r\n
fill S: b OK *
S: * OK [CAPABILITY *] *
C: 1 LOGIN demo@malle.test demo
S: 1 OK [CAPABILITY *] *
C: 3 NAMESPACE
S: * NAMESPACE (("" ".")) NIL NIL
S: 3 OK *
C: 4 LIST "" "*"
S: ...
S: * LIST (\HasNoChildren \Sent) "." Sent
S: ...
S: 4 OK *
C: 5 SELECT "INBOX"
S: ...
S: * 4 EXISTS
S: ...
S: 5 OK [READ-WRITE] *
C: 6 UID FETCH 1:4 (UID FLAGS)
S: * 1 FETCH (UID 1 FLAGS ())
S: * 2 FETCH (UID 2 FLAGS ())
S: * 3 FETCH (UID 3 FLAGS ())
S: * 4 FETCH (UID 4 FLAGS ())
S: 6 OK *
C: 7 UID FETCH 1 (BODY.PEEK[])
C: 8 UID FETCH 2 (BODY.PEEK[])
C: 9 UID FETCH 3 (BODY.PEEK[])
C: 10 UID FETCH 4 (BODY.PEEK[])
S: * 1 FETCH (UID 1 BODY[] {58}
S: From: sender@client.example
S: Subject: one
S: 
S: Body of one
S: )
S: 7 OK *
S: * 2 FETCH (UID 2 BODY[] {58}
S: From: sender@client.example
S: Subject: two
S: 
S: Body of two
S: )
S: 8 OK *
S: * 3 FETCH (UID 3 BODY[] {62}
S: From: sender@client.example
S: Subject: three
S: 
S: Body of three
S: )
S: 9 OK *
S: * 4 FETCH (UID 4 BODY[] {60}
S: From: sender@client.example
S: Subject: four
S: 
S: Body of four
S: )
S: 10 OK *
C: 11 CLOSE
S: 11 OK *
C: 22 LOGOUT
S: * BYE *
S: 22 OK *
S-EOF:
second S: * OK [CAPABILITY *] *
second C: 1 LOGIN demo@malle.test demo
second S: 1 OK [CAPABILITY *] *
second C: 3 NAMESPACE
second S: * NAMESPACE (("" ".")) NIL NIL
second S: 3 OK *
second C: 4 LIST "" "*"
second S: ...
second S: * LIST (\HasNoChildren \Sent) "." Sent
second S: ...
second S: 4 OK *
second C: 5 SELECT "INBOX"
second S: ...
second S: * 4 EXISTS
second S: ...
second S: 5 OK [READ-WRITE] *
second C: 6 UID FETCH 1:4 (UID FLAGS)
second S: * 1 FETCH (UID 1 FLAGS ())
second S: * 2 FETCH (UID 2 FLAGS ())
second S: * 3 FETCH (UID 3 FLAGS ())
second S: * 4 FETCH (UID 4 FLAGS ())
second S: 6 OK *
second C: 7 UID STORE 1 +FLAGS.SILENT (\Seen)
second C: 8 UID STORE 4 +FLAGS.SILENT (\Deleted)
second C: 9 CHECK
second S: 7 OK *
second S: 8 OK *
second S: 9 OK *
second C: 10 CLOSE
second S: 10 OK *
second C: 17 SELECT "Sent"
second S: ...
second S: * 0 EXISTS
second S: ...
second S: 17 OK [READ-WRITE] *
second C: 18 APPEND "Sent" (\Seen) {42+}
second C: Subject: x
second C: X-TUID: HbhEX1Dagn7v
second C: 
second C: body
second C: 
second S: * 1 EXISTS
second S: ...
second S: 18 OK [APPENDUID * 1] *
second C: 19 CLOSE
second S: 19 OK *
second C: 22 LOGOUT
second S: * BYE *
second S: 22 OK *
second S-EOF:
