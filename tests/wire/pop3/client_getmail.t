# What getmail 6.18.11 says (Debian 12; tests/clients/work.py). It asks for UIDL and LIST twice before it reads anything.
# listener: pop3s
# listener fill: imaps

# RFC 1939 §5, §7: retrieve and delete each message
fill S: * OK *
fill C: a LOGIN demo@malle.test demo
fill S: a OK *
fill C-RAW: b APPEND INBOX {58+}\r\nFrom: sender@client.example\r\nSubject: one\r\n\r\nBody of one\r\n {58+}\r\nFrom: sender@client.example\r\nSubject: two\r\n\r\nBody of two\r\n {62+}\r\nFrom: sender@client.example\r\nSubject: three\r\n\r\nBody of three\r\n {60+}\r\nFrom: sender@client.example\r\nSubject: four\r\n\r\nBody of four\r\n\r\n
fill S: b OK *
S: +OK *
C: USER demo@malle.test
S: +OK *
C: PASS demo
S: +OK *
C: UIDL
S: +OK
S: 1 *
S: 2 *
S: 3 *
S: 4 *
S: .
C: LIST
S: +OK *
S: 1 58
S: 2 58
S: 3 62
S: 4 60
S: .
C: UIDL
S: +OK
S: 1 *
S: 2 *
S: 3 *
S: 4 *
S: .
C: LIST
S: +OK *
S: 1 58
S: 2 58
S: 3 62
S: 4 60
S: .
C: RETR 1
S: +OK *
S: From: sender@client.example
S: Subject: one
S: 
S: Body of one
S: .
C: DELE 1
S: +OK *
C: RETR 2
S: +OK *
S: From: sender@client.example
S: Subject: two
S: 
S: Body of two
S: .
C: DELE 2
S: +OK *
C: RETR 3
S: +OK *
S: From: sender@client.example
S: Subject: three
S: 
S: Body of three
S: .
C: DELE 3
S: +OK *
C: RETR 4
S: +OK *
S: From: sender@client.example
S: Subject: four
S: 
S: Body of four
S: .
C: DELE 4
S: +OK *
C: QUIT
S: +OK *
S-EOF:
