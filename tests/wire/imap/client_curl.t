# What curl 7.88.1 says (Debian 12): a list; a message by its UID; the text of one by its number, and a search; a command of the user's; a message
# to Sent. Each run is a session, which asks for the capabilities that the greeting told. It reads with BODY[], which marks as read, and marks as
# read what it appends.
# listener: imaps

# RFC 4959 §3, RFC 9051 §6.3.9, §6.4.5: list, fetch, search, flag, append
fill S: * OK *
fill C: a LOGIN demo@malle.test demo
fill S: a OK *
fill C-RAW: b APPEND INBOX {58+}\r\nFrom: sender@client.example\r\nSubject: one\r\n\r\nBody of one\r\n {58+}\r\nFrom: sender@client.example\r\nSubject: two\r\n\r\nBody of two\r\n {62+}\r\nFrom: sender@client.example\r\nSubject: three\r\n\r\nBody of three\r\n {60+}\r\nFrom: sender@client.example\r\nSubject: four\r\n\r\nBody of four\r\n\r\n
fill S: b OK *
S: * OK [CAPABILITY *] *
C: A001 CAPABILITY
S: * CAPABILITY *
S: A001 OK *
C: A002 AUTHENTICATE PLAIN AGRlbW9AbWFsbGUudGVzdABkZW1v
S: A002 OK [CAPABILITY *] *
C: A003 LIST "" *
S: ...
S: * LIST (\HasNoChildren \Sent) "." Sent
S: ...
S: A003 OK *
C: A004 LOGOUT
S: * BYE *
S: A004 OK *
S-EOF:
second S: * OK [CAPABILITY *] *
second C: A001 CAPABILITY
second S: * CAPABILITY *
second S: A001 OK *
second C: A002 AUTHENTICATE PLAIN AGRlbW9AbWFsbGUudGVzdABkZW1v
second S: A002 OK [CAPABILITY *] *
second C: A003 SELECT INBOX
second S: ...
second S: * 4 EXISTS
second S: ...
second S: A003 OK [READ-WRITE] *
second C: A004 UID FETCH 1 BODY[]
second S: * 1 FETCH (UID 1 FLAGS (\Seen) BODY[] {58}
second S: From: sender@client.example
second S: Subject: one
second S: 
second S: Body of one
second S: )
second S: A004 OK *
second C: A005 LOGOUT
second S: * BYE *
second S: A005 OK *
second S-EOF:
third S: * OK [CAPABILITY *] *
third C: A001 CAPABILITY
third S: * CAPABILITY *
third S: A001 OK *
third C: A002 AUTHENTICATE PLAIN AGRlbW9AbWFsbGUudGVzdABkZW1v
third S: A002 OK [CAPABILITY *] *
third C: A003 SELECT INBOX
third S: ...
third S: * 4 EXISTS
third S: ...
third S: A003 OK [READ-WRITE] *
third C: A004 FETCH 2 BODY[TEXT]
third S: * 2 FETCH (FLAGS (\Seen) BODY[TEXT] {13}
third S: Body of two
third S: )
third S: A004 OK *
third C: A005 SEARCH SUBJECT two
third S: * SEARCH 2
third S: A005 OK *
third C: A006 LOGOUT
third S: * BYE *
third S: A006 OK *
third S-EOF:
fourth S: * OK [CAPABILITY *] *
fourth C: A001 CAPABILITY
fourth S: * CAPABILITY *
fourth S: A001 OK *
fourth C: A002 AUTHENTICATE PLAIN AGRlbW9AbWFsbGUudGVzdABkZW1v
fourth S: A002 OK [CAPABILITY *] *
fourth C: A003 SELECT INBOX
fourth S: ...
fourth S: * 4 EXISTS
fourth S: ...
fourth S: A003 OK [READ-WRITE] *
fourth C: A004 STORE 2 +Flags \Flagged
fourth S: * 2 FETCH (FLAGS (\Flagged \Seen))
fourth S: A004 OK *
fourth C: A005 LOGOUT
fourth S: * BYE *
fourth S: A005 OK *
fourth S-EOF:
fifth S: * OK [CAPABILITY *] *
fifth C: A001 CAPABILITY
fifth S: * CAPABILITY *
fifth S: A001 OK *
fifth C: A002 AUTHENTICATE PLAIN AGRlbW9AbWFsbGUudGVzdABkZW1v
fifth S: A002 OK [CAPABILITY *] *
fifth C: A003 APPEND Sent (\Seen) {33}
fifth S: + *
fifth C: Subject: sent by curl
fifth C: 
fifth C: Hello.
fifth C: 
fifth S: A003 OK [APPENDUID * 1] *
fifth C: A004 LOGOUT
fifth S: * BYE *
fifth S: A004 OK *
fifth S-EOF:
