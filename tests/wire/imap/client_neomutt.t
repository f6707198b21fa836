# What neomutt 20220429 says (Debian 12; tests/clients/work.py). Its initial response names the account twice; after log-in it asks for the
# capabilities that it was told, and it sends ENABLE and LIST without waiting. It moves by COPY, and marks what it moved and what it deleted
# with one STORE.
# listener: imaps

# RFC 4616 §2, RFC 9051 §6.3.1, §5.5: log in, list, read, flag, move, delete, append
S: * OK [CAPABILITY * SASL-IR *] *
C: a0000 AUTHENTICATE PLAIN ZGVtb0BtYWxsZS50ZXN0AGRlbW9AbWFsbGUudGVzdABkZW1v
S: a0000 OK *
C: a0001 CAPABILITY
S: * CAPABILITY *
S: a0001 OK *
C-RAW: a0002 ENABLE UTF8=ACCEPT\r\na0003 LIST "" ""\r\n
S: * ENABLED*
S: a0002 OK *
S: * LIST (*) "." ""
S: a0003 OK *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C-RAW: b APPEND INBOX {19+}\r\nSubject: one\r\n\r\nx\r\n\r\n
b S: b OK *
b C-RAW: c APPEND INBOX {19+}\r\nSubject: two\r\n\r\nx\r\n\r\n
b S: c OK *
C: a0004 SELECT "INBOX"
S: ...
S: * 2 EXISTS
S: ...
S: a0004 OK [READ-WRITE] *
C: a0005 FETCH 1:2 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (DATE FROM SENDER SUBJECT TO CC MESSAGE-ID REFERENCES CONTENT-TYPE CONTENT-DESCRIPTION IN-REPLY-TO REPLY-TO LINES LIST-POST LIST-SUBSCRIBE LIST-UNSUBSCRIBE X-LABEL X-ORIGINAL-TO)])
S: * 1 FETCH (UID 1 FLAGS (*) INTERNALDATE "*" RFC822.SIZE 19 BODY[HEADER.FIELDS (*)] {16}
S: Subject: one
S: 
S: )
S: * 2 FETCH (UID 2 FLAGS (*) INTERNALDATE "*" RFC822.SIZE 19 BODY[HEADER.FIELDS (*)] {16}
S: Subject: two
S: 
S: )
S: a0005 OK *
C: a0006 UID FETCH 1 BODY.PEEK[]
S: * 1 FETCH (UID 1 BODY[] {19}
S: Subject: one
S: 
S: x
S: )
S: a0006 OK *
C: a0007 STATUS "Archive" (UIDNEXT UIDVALIDITY UNSEEN RECENT MESSAGES)
S: * STATUS Archive (MESSAGES 0 RECENT 0 UIDNEXT 1 UIDVALIDITY * UNSEEN 0)
S: a0007 OK *
C: a0008 UID COPY 1 "Archive"
S: a0008 OK [COPYUID * 1 1] *
C: a0009 UID STORE 1:2 +FLAGS.SILENT (\Deleted)
S: a0009 OK *
C: a0010 EXPUNGE
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: a0010 OK *
C: a0011 APPEND "Sent" (\Seen) "28-Nov-2026 06:38:49 +0000" {11}
S: + *
C-RAW: a: b\r\n\r\nx\r\n\r\n
S: a0011 OK [APPENDUID * 1] *
