# What Mail::IMAPClient 3.43 says (Debian 12; tests/clients/imapclient.pl). It reads with BODY[TEXT], which marks as read, and marks it once more;
# asks for the capabilities when it first needs one, in the midst of the session; copies where it could move; and counts DONE as a tag.
# listener: imaps

# RFC 9051 §6.2.3, §6.3.9, §6.3.13, §6.4.4: log in, list, search, read, flag, move, delete, append, rename, idle
fill S: * OK *
fill C: a LOGIN demo@malle.test demo
fill S: a OK *
fill C-RAW: b APPEND INBOX {58+}\r\nFrom: sender@client.example\r\nSubject: one\r\n\r\nBody of one\r\n {58+}\r\nFrom: sender@client.example\r\nSubject: two\r\n\r\nBody of two\r\n {62+}\r\nFrom: sender@client.example\r\nSubject: three\r\n\r\nBody of three\r\n {60+}\r\nFrom: sender@client.example\r\nSubject: four\r\n\r\nBody of four\r\n\r\n
fill S: b OK *
S: * OK [CAPABILITY *] *
C: 1 LOGIN demo@malle.test demo
S: 1 OK [CAPABILITY *] *
C: 2 LIST "" *
S: * LIST (\HasNoChildren) "." INBOX
S: * LIST (\HasNoChildren \Archive) "." Archive
S: * LIST (\HasNoChildren \Drafts) "." Drafts
S: * LIST (\HasNoChildren \Junk) "." Junk
S: * LIST (\HasNoChildren \Sent) "." Sent
S: * LIST (\HasNoChildren \Trash) "." Trash
S: 2 OK *
C: 3 STATUS INBOX (MESSAGES)
S: * STATUS INBOX (MESSAGES 4)
S: 3 OK *
C: 4 SELECT INBOX
S: ...
S: * 4 EXISTS
S: ...
S: 4 OK [READ-WRITE] *
C: 5 UID SEARCH SUBJECT one
S: * SEARCH 1
S: 5 OK *
C: 6 UID SEARCH SUBJECT two
S: * SEARCH 2
S: 6 OK *
C: 7 UID SEARCH SUBJECT three
S: * SEARCH 3
S: 7 OK *
C: 8 UID SEARCH SUBJECT four
S: * SEARCH 4
S: 8 OK *
C: 9 UID FETCH 1 BODY.PEEK[HEADER.FIELDS (From)]
S: * 1 FETCH (UID 1 BODY[HEADER.FIELDS (FROM)] {31}
S: From: sender@client.example
S: 
S: )
S: 9 OK *
C: 10 UID FETCH 1 BODY[TEXT]
S: * 1 FETCH (UID 1 FLAGS (\Seen) BODY[TEXT] {13}
S: Body of one
S: )
S: 10 OK *
C: 11 CAPABILITY
S: * CAPABILITY *
S: 11 OK *
C: 12 UID FETCH 1 BODY[]
S: * 1 FETCH (UID 1 BODY[] {58}
S: From: sender@client.example
S: Subject: one
S: 
S: Body of one
S: )
S: 12 OK *
C: 13 UID FETCH 1 (RFC822.SIZE)
S: * 1 FETCH (UID 1 RFC822.SIZE 58)
S: 13 OK *
C: 14 UID FETCH 1 (RFC822.SIZE)
S: * 1 FETCH (UID 1 RFC822.SIZE 58)
S: 14 OK *
C: 15 UID FETCH 1 BODYSTRUCTURE
S: * 1 FETCH (UID 1 BODYSTRUCTURE ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 13 1 NIL NIL NIL NIL))
S: 15 OK *
C: 16 UID STORE 1 +FLAGS.SILENT (\Seen)
S: 16 OK *
C: 17 UID FETCH 1 FLAGS
S: * 1 FETCH (UID 1 FLAGS (\Seen))
S: 17 OK *
C: 18 UID STORE 2 +FLAGS.SILENT (\Flagged)
S: 18 OK *
C: 19 UID SEARCH FLAGGED
S: * SEARCH 2
S: 19 OK *
C: 20 STATUS Archive (MESSAGES)
S: * STATUS Archive (MESSAGES 0)
S: 20 OK *
C: 21 UID COPY 3 Archive
S: 21 OK [COPYUID * 3 1] *
C: 22 UID STORE 3 +FLAGS.SILENT (\Deleted)
S: 22 OK *
C: 23 UID STORE 4 +FLAGS.SILENT (\Deleted)
S: 23 OK *
C: 24 EXPUNGE
S: * 3 EXPUNGE
S: * 3 EXPUNGE
S: 24 OK *
C: 25 UID SEARCH ALL
S: * SEARCH 1 2
S: 25 OK *
C: 26 APPEND Sent (\Seen) {56}
S: + *
C: From: perl@malle.test
C: Subject: sent by perl
C: 
C: Hello.
C: 
S: 26 OK [APPENDUID * 1] *
C: 27 SELECT Sent
S: * OK [CLOSED] *
S: ...
S: * 1 EXISTS
S: ...
S: 27 OK [READ-WRITE] *
C: 28 UID SEARCH UID 1
S: * SEARCH 1
S: 28 OK *
C: 29 CREATE made
S: 29 OK [MAILBOXID (*)] *
C: 30 RENAME made renamed
S: 30 OK *
C: 31 DELETE renamed
S: 31 OK *
C: 32 IDLE
S: + *
C: DONE
S: 32 OK *
C: 34 LOGOUT
S: * BYE *
S: 34 OK *
S-EOF:
