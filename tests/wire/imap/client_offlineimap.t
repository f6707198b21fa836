# What offlineimap 8.0.0 says (Debian 12; tests/clients/work.py): it fetches everything, and when the user has read one message, deleted another
# and put one into Sent, it tells that. Before and after log-in it asks for the capabilities that it was told. It SELECTs each mailbox to EXAMINE
# it at once, and goes from one to another and back, since its threads share the connection. Most that stay empty are left out here.
# listener: imaps

# RFC 9051 §6.3.2, §6.3.3, §7.1 (CLOSED): fetch all; then flag, delete and append
fill S: * OK *
fill C: a LOGIN demo@malle.test demo
fill S: a OK *
fill C-RAW: b APPEND INBOX {58+}\r\nFrom: sender@client.example\r\nSubject: one\r\n\r\nBody of one\r\n {58+}\r\nFrom: sender@client.example\r\nSubject: two\r\n\r\nBody of two\r\n {62+}\r\nFrom: sender@client.example\r\nSubject: three\r\n\r\nBody of three\r\n {60+}\r\nFrom: sender@client.example\r\nSubject: four\r\n\r\nBody of four\r\n\r\n
fill S: b OK *
S: * OK [CAPABILITY *] *
C: MIEK1 CAPABILITY
S: * CAPABILITY *
S: MIEK1 OK *
C: MIEK2 ID ("name" "OfflineIMAP" "version" "8.0.0")
S: * ID ("name" "malle")
S: MIEK2 OK *
C: MIEK3 AUTHENTICATE PLAIN
S: + 
C: AGRlbW9AbWFsbGUudGVzdABkZW1v
S: MIEK3 OK [CAPABILITY *] *
C: MIEK6 CAPABILITY
S: * CAPABILITY *
S: MIEK6 OK *
C: MIEK7 LIST "" ""
S: * LIST (\Noselect) "." ""
S: MIEK7 OK *
C: MIEK8 LIST "" "*"
S: ...
S: * LIST (\HasNoChildren \Sent) "." Sent
S: ...
S: MIEK8 OK *
C: MIEK11 SELECT INBOX
S: ...
S: * 4 EXISTS
S: ...
S: MIEK11 OK [READ-WRITE] *
C: MIEK12 EXAMINE INBOX
S: * OK [CLOSED] *
S: ...
S: * 4 EXISTS
S: ...
S: MIEK12 OK [READ-ONLY] *
C: MIEK13 FETCH 1:* (FLAGS UID INTERNALDATE)
S: * 1 FETCH (UID 1 FLAGS () INTERNALDATE "*")
S: * 2 FETCH (UID 2 FLAGS () INTERNALDATE "*")
S: * 3 FETCH (UID 3 FLAGS () INTERNALDATE "*")
S: * 4 FETCH (UID 4 FLAGS () INTERNALDATE "*")
S: MIEK13 OK *
C: MIEK14 UID FETCH 1 (BODY.PEEK[])
S: * 1 FETCH (UID 1 BODY[] {58}
S: From: sender@client.example
S: Subject: one
S: 
S: Body of one
S: )
S: MIEK14 OK *
C: MIEK15 SELECT Drafts
S: * OK [CLOSED] *
S: ...
S: * 0 EXISTS
S: ...
S: MIEK15 OK [READ-WRITE] *
C: MIEK16 EXAMINE Drafts
S: * OK [CLOSED] *
S: ...
S: * 0 EXISTS
S: ...
S: MIEK16 OK [READ-ONLY] *
C: MIEK17 EXAMINE INBOX
S: * OK [CLOSED] *
S: ...
S: * 4 EXISTS
S: ...
S: MIEK17 OK [READ-ONLY] *
C: MIEK18 UID FETCH 2 (BODY.PEEK[])
S: * 2 FETCH (UID 2 BODY[] {58}
S: From: sender@client.example
S: Subject: two
S: 
S: Body of two
S: )
S: MIEK18 OK *
C: MIEK25 EXAMINE INBOX
S: * OK [CLOSED] *
S: ...
S: * 4 EXISTS
S: ...
S: MIEK25 OK [READ-ONLY] *
C: MIEK26 UID FETCH 3 (BODY.PEEK[])
S: * 3 FETCH (UID 3 BODY[] {62}
S: From: sender@client.example
S: Subject: three
S: 
S: Body of three
S: )
S: MIEK26 OK *
C: MIEK27 UID FETCH 4 (BODY.PEEK[])
S: * 4 FETCH (UID 4 BODY[] {60}
S: From: sender@client.example
S: Subject: four
S: 
S: Body of four
S: )
S: MIEK27 OK *
C: MIEK28 LOGOUT
S: * BYE *
S: MIEK28 OK *
S-EOF:
second S: * OK [CAPABILITY *] *
second C: EPHC1 CAPABILITY
second S: * CAPABILITY *
second S: EPHC1 OK *
second C: EPHC2 ID ("name" "OfflineIMAP" "version" "8.0.0")
second S: * ID ("name" "malle")
second S: EPHC2 OK *
second C: EPHC3 AUTHENTICATE PLAIN
second S: + 
second C: AGRlbW9AbWFsbGUudGVzdABkZW1v
second S: EPHC3 OK [CAPABILITY *] *
second C: EPHC6 CAPABILITY
second S: * CAPABILITY *
second S: EPHC6 OK *
second C: EPHC7 LIST "" ""
second S: * LIST (\Noselect) "." ""
second S: EPHC7 OK *
second C: EPHC8 LIST "" "*"
second S: ...
second S: * LIST (\HasNoChildren \Sent) "." Sent
second S: ...
second S: EPHC8 OK *
second C: EPHC13 SELECT INBOX
second S: ...
second S: * 4 EXISTS
second S: ...
second S: EPHC13 OK [READ-WRITE] *
second C: EPHC14 EXAMINE INBOX
second S: * OK [CLOSED] *
second S: ...
second S: * 4 EXISTS
second S: ...
second S: EPHC14 OK [READ-ONLY] *
second C: EPHC15 FETCH 1:* (FLAGS UID INTERNALDATE)
second S: * 1 FETCH (UID 1 FLAGS () INTERNALDATE "*")
second S: * 2 FETCH (UID 2 FLAGS () INTERNALDATE "*")
second S: * 3 FETCH (UID 3 FLAGS () INTERNALDATE "*")
second S: * 4 FETCH (UID 4 FLAGS () INTERNALDATE "*")
second S: EPHC15 OK *
second C: EPHC18 SELECT INBOX
second S: * OK [CLOSED] *
second S: ...
second S: * 4 EXISTS
second S: ...
second S: EPHC18 OK [READ-WRITE] *
second C: EPHC19 UID STORE 4 +FLAGS (\Deleted)
second S: * 4 FETCH (UID 4 FLAGS (\Deleted))
second S: EPHC19 OK *
second C: EPHC20 EXPUNGE
second S: * 4 EXPUNGE
second S: EPHC20 OK *
second C: EPHC21 UID STORE 1 +FLAGS (\Seen)
second S: * 1 FETCH (UID 1 FLAGS (\Seen))
second S: EPHC21 OK *
second C: EPHC22 SELECT Sent
second S: * OK [CLOSED] *
second S: ...
second S: * 0 EXISTS
second S: ...
second S: EPHC22 OK [READ-WRITE] *
second C: EPHC23 EXAMINE Sent
second S: * OK [CLOSED] *
second S: ...
second S: * 0 EXISTS
second S: ...
second S: EPHC23 OK [READ-ONLY] *
second C: EPHC24 SELECT Sent
second S: * OK [CLOSED] *
second S: ...
second S: * 0 EXISTS
second S: ...
second S: EPHC24 OK [READ-WRITE] *
second C: EPHC25 APPEND Sent (\Seen) "28-Nov-2026 09:24:30 +0000" {20}
second S: + *
second C: Subject: x
second C: 
second C: body
second C: 
second S: * 1 EXISTS
second S: ...
second S: EPHC25 OK [APPENDUID * 1] *
second C: EPHC27 CHECK
second S: EPHC27 OK *
second C: EPHC30 LOGOUT
second S: * BYE *
second S: EPHC30 OK *
second S-EOF:
