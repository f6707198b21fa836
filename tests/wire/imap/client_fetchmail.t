# What fetchmail 6.4.37 says (Debian 12). It begins with EXPUNGE, fetches header and text apart, the header by its name of RFC 3501, and
# expunges each message by itself, so that the next is the first again.
# listener: imaps

# RFC 3501 §6.4.5, RFC 9051 §6.4.3: fetch each message and delete it
fill S: * OK *
fill C: a LOGIN demo@malle.test demo
fill S: a OK *
fill C-RAW: b APPEND INBOX {58+}\r\nFrom: sender@client.example\r\nSubject: one\r\n\r\nBody of one\r\n {58+}\r\nFrom: sender@client.example\r\nSubject: two\r\n\r\nBody of two\r\n {62+}\r\nFrom: sender@client.example\r\nSubject: three\r\n\r\nBody of three\r\n {60+}\r\nFrom: sender@client.example\r\nSubject: four\r\n\r\nBody of four\r\n\r\n
fill S: b OK *
S: * OK [CAPABILITY *] *
C: A0001 LOGIN "demo@malle.test" "demo"
S: A0001 OK [CAPABILITY *] *
C: A0002 SELECT "INBOX"
S: ...
S: * 4 EXISTS
S: ...
S: A0002 OK [READ-WRITE] *
C: A0003 EXPUNGE
S: A0003 OK *
C: A0004 SEARCH UNSEEN
S: * SEARCH 1 2 3 4
S: A0004 OK *
C: A0005 FETCH 1:4 RFC822.SIZE
S: * 1 FETCH (RFC822.SIZE 58)
S: * 2 FETCH (RFC822.SIZE 58)
S: * 3 FETCH (RFC822.SIZE 62)
S: * 4 FETCH (RFC822.SIZE 60)
S: A0005 OK *
C: A0006 FETCH 1 RFC822.HEADER
S: * 1 FETCH (RFC822.HEADER {45}
S: From: sender@client.example
S: Subject: one
S: 
S: )
S: A0006 OK *
C: A0007 FETCH 1 BODY.PEEK[TEXT]
S: * 1 FETCH (BODY[TEXT] {13}
S: Body of one
S: )
S: A0007 OK *
C: A0008 STORE 1 +FLAGS (\Seen \Deleted)
S: * 1 FETCH (FLAGS (\Deleted \Seen))
S: A0008 OK *
C: A0009 EXPUNGE
S: * 1 EXPUNGE
S: A0009 OK *
C: A0010 FETCH 1 RFC822.HEADER
S: * 1 FETCH (RFC822.HEADER {45}
S: From: sender@client.example
S: Subject: two
S: 
S: )
S: A0010 OK *
C: A0011 FETCH 1 BODY.PEEK[TEXT]
S: * 1 FETCH (BODY[TEXT] {13}
S: Body of two
S: )
S: A0011 OK *
C: A0012 STORE 1 +FLAGS (\Seen \Deleted)
S: * 1 FETCH (FLAGS (\Deleted \Seen))
S: A0012 OK *
C: A0013 EXPUNGE
S: * 1 EXPUNGE
S: A0013 OK *
C: A0014 FETCH 1 RFC822.HEADER
S: * 1 FETCH (RFC822.HEADER {47}
S: From: sender@client.example
S: Subject: three
S: 
S: )
S: A0014 OK *
C: A0015 FETCH 1 BODY.PEEK[TEXT]
S: * 1 FETCH (BODY[TEXT] {15}
S: Body of three
S: )
S: A0015 OK *
C: A0016 STORE 1 +FLAGS (\Seen \Deleted)
S: * 1 FETCH (FLAGS (\Deleted \Seen))
S: A0016 OK *
C: A0017 EXPUNGE
S: * 1 EXPUNGE
S: A0017 OK *
C: A0018 FETCH 1 RFC822.HEADER
S: * 1 FETCH (RFC822.HEADER {46}
S: From: sender@client.example
S: Subject: four
S: 
S: )
S: A0018 OK *
C: A0019 FETCH 1 BODY.PEEK[TEXT]
S: * 1 FETCH (BODY[TEXT] {14}
S: Body of four
S: )
S: A0019 OK *
C: A0020 STORE 1 +FLAGS (\Seen \Deleted)
S: * 1 FETCH (FLAGS (\Deleted \Seen))
S: A0020 OK *
C: A0021 EXPUNGE
S: * 1 EXPUNGE
S: A0021 OK *
C: A0022 LOGOUT
S: * BYE *
S: A0022 OK *
S-EOF:
