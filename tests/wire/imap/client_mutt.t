# What mutt 2.2.12 says (Debian 12; tests/clients/work.py). It quotes every string, asks after log-in for the capabilities that it was told, and
# sends ENABLE and LIST without waiting, as it does its STOREs. It asks for the UIDVALIDITY of a mailbox before it writes there, copies where it
# could move, marks with one STORE what it copied and what it deletes, and waits for a "+" before each literal.
# listener: imaps

# RFC 9051 §6.2.3, §6.3.1, §5.5: log in, list, read, flag, move, delete, append
fill S: * OK *
fill C: a LOGIN demo@malle.test demo
fill S: a OK *
fill C-RAW: b APPEND INBOX {58+}\r\nFrom: sender@client.example\r\nSubject: one\r\n\r\nBody of one\r\n {58+}\r\nFrom: sender@client.example\r\nSubject: two\r\n\r\nBody of two\r\n {62+}\r\nFrom: sender@client.example\r\nSubject: three\r\n\r\nBody of three\r\n {60+}\r\nFrom: sender@client.example\r\nSubject: four\r\n\r\nBody of four\r\n\r\n
fill S: b OK *
S: * OK [CAPABILITY *] *
C: a0000 LOGIN "demo@malle.test" "demo"
S: a0000 OK [CAPABILITY *] *
C: a0001 CAPABILITY
S: * CAPABILITY *
S: a0001 OK *
C: a0002 ENABLE UTF8=ACCEPT
C: a0003 LIST "" ""
S: * ENABLED UTF8=ACCEPT
S: a0002 OK *
S: * LIST (\Noselect) "." ""
S: a0003 OK *
C: a0004 SELECT "INBOX"
S: ...
S: * 4 EXISTS
S: ...
S: a0004 OK [READ-WRITE] *
C: a0005 FETCH 1:4 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (DATE FROM SENDER SUBJECT TO CC MESSAGE-ID REFERENCES CONTENT-TYPE CONTENT-DESCRIPTION IN-REPLY-TO REPLY-TO LINES LIST-POST X-LABEL)])
S: * 1 FETCH (UID 1 FLAGS () INTERNALDATE "*" RFC822.SIZE 58 BODY[HEADER.FIELDS (*)] {45}
S: From: sender@client.example
S: Subject: one
S: 
S: )
S: * 2 FETCH (UID 2 FLAGS () INTERNALDATE "*" RFC822.SIZE 58 BODY[HEADER.FIELDS (*)] {45}
S: From: sender@client.example
S: Subject: two
S: 
S: )
S: * 3 FETCH (UID 3 FLAGS () INTERNALDATE "*" RFC822.SIZE 62 BODY[HEADER.FIELDS (*)] {47}
S: From: sender@client.example
S: Subject: three
S: 
S: )
S: * 4 FETCH (UID 4 FLAGS () INTERNALDATE "*" RFC822.SIZE 60 BODY[HEADER.FIELDS (*)] {46}
S: From: sender@client.example
S: Subject: four
S: 
S: )
S: a0005 OK *
C: a0006 UID FETCH 1 BODY.PEEK[]
S: * 1 FETCH (UID 1 BODY[] {58}
S: From: sender@client.example
S: Subject: one
S: 
S: Body of one
S: )
S: a0006 OK *
C: a0007 STATUS "Archive" (UIDVALIDITY)
S: * STATUS Archive (UIDVALIDITY *)
S: a0007 OK *
C: a0008 UID COPY 3 "Archive"
S: a0008 OK [COPYUID * 3 1] *
C: a0009 UID STORE 3:4 +FLAGS.SILENT (\Deleted)
C: a0010 UID STORE 2 +FLAGS.SILENT (\Flagged)
C: a0011 UID STORE 1 +FLAGS.SILENT (\Seen)
S: a0009 OK *
S: a0010 OK *
S: a0011 OK *
C: a0012 EXPUNGE
S: * 3 EXPUNGE
S: * 3 EXPUNGE
S: a0012 OK *
C: a0013 STATUS "Sent" (UIDVALIDITY)
S: * STATUS Sent (UIDVALIDITY *)
S: a0013 OK *
C: a0014 APPEND "Sent" (\Seen) "28-Nov-2026 09:06:30 +0000" {252}
S: + *
C: Date: Sat, 28 Nov 2026 09:06:30 +0000
C: From: mutt <mutt@malle.test>
C: To: friend@malle.test
C: Subject: sent by mutt
C: Message-ID: <awqZlK5HH8AQRTcG@vm>
C: MIME-Version: 1.0
C: Content-Type: text/plain; charset=us-ascii
C: Content-Disposition: inline
C: 
C: Hello.
C: 
S: a0014 OK [APPENDUID * 1] *
C: a0015 CLOSE
S: a0015 OK *
C: a0016 LOGOUT
S: * BYE *
S: a0016 OK *
S-EOF:
