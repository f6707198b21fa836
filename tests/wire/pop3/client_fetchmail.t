# What fetchmail 6.4.37 says (Debian 12). It asks for LAST, which POP3 has no more, and reads with TOP and 99999999 lines, since RETR would mark as
# read in some servers.
# listener: pop3s
# listener fill: imaps

# RFC 1939 §3, §7: what is unknown is refused; retrieve and delete each message
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
C: STAT
S: +OK 4 238
C: LAST
S: -ERR *
C: UIDL
S: +OK
S: 1 *
S: 2 *
S: 3 *
S: 4 *
S: .
C: LIST 1
S: +OK 1 58
C: TOP 1 99999999
S: +OK
S: From: sender@client.example
S: Subject: one
S: 
S: Body of one
S: .
C: DELE 1
S: +OK *
C: LIST 2
S: +OK 2 58
C: TOP 2 99999999
S: +OK
S: From: sender@client.example
S: Subject: two
S: 
S: Body of two
S: .
C: DELE 2
S: +OK *
C: LIST 3
S: +OK 3 62
C: TOP 3 99999999
S: +OK
S: From: sender@client.example
S: Subject: three
S: 
S: Body of three
S: .
C: DELE 3
S: +OK *
C: LIST 4
S: +OK 4 60
C: TOP 4 99999999
S: +OK
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
