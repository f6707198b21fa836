# What getmail 6.18.11 says (Debian 12; tests/clients/work.py). It asks for the capabilities before and after log-in, quotes nothing but the
# password, sets the flags of what it copied instead of adding to them, and says EXPUNGE and then CLOSE.
# listener: imaps

# RFC 9051 §6.4.5, §6.4.6, §6.4.7: fetch each message, copy it, and delete it
fill S: * OK *
fill C: a LOGIN demo@malle.test demo
fill S: a OK *
fill C-RAW: b APPEND INBOX {58+}\r\nFrom: sender@client.example\r\nSubject: one\r\n\r\nBody of one\r\n {58+}\r\nFrom: sender@client.example\r\nSubject: two\r\n\r\nBody of two\r\n {62+}\r\nFrom: sender@client.example\r\nSubject: three\r\n\r\nBody of three\r\n {60+}\r\nFrom: sender@client.example\r\nSubject: four\r\n\r\nBody of four\r\n\r\n
fill S: b OK *
S: * OK [CAPABILITY *] *
C: OHCM0 CAPABILITY
S: * CAPABILITY *
S: OHCM0 OK *
C: OHCM1 LOGIN demo@malle.test "demo"
S: OHCM1 OK [CAPABILITY *] *
C: OHCM2 CAPABILITY
S: * CAPABILITY *
S: OHCM2 OK *
C: OHCM3 SELECT INBOX
S: ...
S: * 4 EXISTS
S: ...
S: OHCM3 OK [READ-WRITE] *
C: OHCM4 FETCH 1:4 (UID RFC822.SIZE)
S: * 1 FETCH (UID 1 RFC822.SIZE 58)
S: * 2 FETCH (UID 2 RFC822.SIZE 58)
S: * 3 FETCH (UID 3 RFC822.SIZE 62)
S: * 4 FETCH (UID 4 RFC822.SIZE 60)
S: OHCM4 OK *
C: OHCM5 UID FETCH 1 (BODY.PEEK[])
S: * 1 FETCH (UID 1 BODY[] {58}
S: From: sender@client.example
S: Subject: one
S: 
S: Body of one
S: )
S: OHCM5 OK *
C: OHCM6 UID COPY 1 Archive
S: OHCM6 OK [COPYUID * 1 1] *
C: OHCM7 UID STORE 1 FLAGS (\Deleted \Seen)
S: * 1 FETCH (UID 1 FLAGS (\Deleted \Seen))
S: OHCM7 OK *
C: OHCM8 UID FETCH 2 (BODY.PEEK[])
S: * 2 FETCH (UID 2 BODY[] {58}
S: From: sender@client.example
S: Subject: two
S: 
S: Body of two
S: )
S: OHCM8 OK *
C: OHCM9 UID COPY 2 Archive
S: OHCM9 OK [COPYUID * 2 2] *
C: OHCM10 UID STORE 2 FLAGS (\Deleted \Seen)
S: * 2 FETCH (UID 2 FLAGS (\Deleted \Seen))
S: OHCM10 OK *
C: OHCM11 UID FETCH 3 (BODY.PEEK[])
S: * 3 FETCH (UID 3 BODY[] {62}
S: From: sender@client.example
S: Subject: three
S: 
S: Body of three
S: )
S: OHCM11 OK *
C: OHCM12 UID COPY 3 Archive
S: OHCM12 OK [COPYUID * 3 3] *
C: OHCM13 UID STORE 3 FLAGS (\Deleted \Seen)
S: * 3 FETCH (UID 3 FLAGS (\Deleted \Seen))
S: OHCM13 OK *
C: OHCM14 UID FETCH 4 (BODY.PEEK[])
S: * 4 FETCH (UID 4 BODY[] {60}
S: From: sender@client.example
S: Subject: four
S: 
S: Body of four
S: )
S: OHCM14 OK *
C: OHCM15 UID COPY 4 Archive
S: OHCM15 OK [COPYUID * 4 4] *
C: OHCM16 UID STORE 4 FLAGS (\Deleted \Seen)
S: * 4 FETCH (UID 4 FLAGS (\Deleted \Seen))
S: OHCM16 OK *
C: OHCM17 EXPUNGE
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: OHCM17 OK *
C: OHCM18 CLOSE
S: OHCM18 OK *
C: OHCM19 LOGOUT
S: * BYE *
S: OHCM19 OK *
S-EOF:
