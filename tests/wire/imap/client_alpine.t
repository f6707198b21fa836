# What alpine 2.26 says (Debian 12; tests/clients/work.py). Its tags are hexadecimal. It asks for the flags of the first message alone, then for
# ENVELOPE and two dozen fields beside it, reads with BODY[1], which marks as read, has flags in capitals, copies where it could move, and says NOOP
# before EXPUNGE and LOGOUT. Before it appends, it asks with LIST whether Sent is there and what separates the parts of names in it; what it
# appends is not \Seen.
# listener: imaps

# RFC 4959 §3, RFC 9051 §6.3.9, §6.4.5: log in, read, flag, copy, delete; another connection for a message to Sent
fill S: * OK *
fill C: a LOGIN demo@malle.test demo
fill S: a OK *
fill C-RAW: b APPEND INBOX {58+}\r\nFrom: sender@client.example\r\nSubject: one\r\n\r\nBody of one\r\n {58+}\r\nFrom: sender@client.example\r\nSubject: two\r\n\r\nBody of two\r\n {62+}\r\nFrom: sender@client.example\r\nSubject: three\r\n\r\nBody of three\r\n {60+}\r\nFrom: sender@client.example\r\nSubject: four\r\n\r\nBody of four\r\n\r\n
fill S: b OK *
S: * OK [CAPABILITY *] *
C: 00000000 AUTHENTICATE PLAIN AGRlbW9AbWFsbGUudGVzdABkZW1v
S: 00000000 OK [CAPABILITY *] *
C: 00000001 ID ("name" "alpine" "version" "2.26")
S: * ID ("name" "malle")
S: 00000001 OK *
C: 00000002 SELECT INBOX
S: ...
S: * 4 EXISTS
S: ...
S: 00000002 OK [READ-WRITE] *
C: 00000003 SEARCH UNANSWERED UNDELETED UNSEEN
S: * SEARCH 1 2 3 4
S: 00000003 OK *
C: 00000004 FETCH 1 FLAGS
S: * 1 FETCH (FLAGS ())
S: 00000004 OK *
C: 00000005 FETCH 1:4 (UID ENVELOPE BODY.PEEK[HEADER.FIELDS (Newsgroups Content-MD5 Content-Disposition Content-Language Content-Location resent-to resent-date resent-from resent-cc resent-subject List-Help List-Unsubscribe List-Subscribe List-Post List-Owner List-Archive Followup-To References)] INTERNALDATE RFC822.SIZE FLAGS)
S: * 1 FETCH (UID 1 FLAGS () INTERNALDATE "*" RFC822.SIZE 58 ENVELOPE (NIL "one" ((NIL NIL "sender" "client.example")) ((NIL NIL "sender" "client.example")) ((NIL NIL "sender" "client.example")) NIL NIL NIL NIL NIL) BODY[HEADER.FIELDS (*)] {2}
S: 
S: )
S: * 2 FETCH (UID 2 FLAGS () INTERNALDATE "*" RFC822.SIZE 58 ENVELOPE (NIL "two" ((NIL NIL "sender" "client.example")) ((NIL NIL "sender" "client.example")) ((NIL NIL "sender" "client.example")) NIL NIL NIL NIL NIL) BODY[HEADER.FIELDS (*)] {2}
S: 
S: )
S: * 3 FETCH (UID 3 FLAGS () INTERNALDATE "*" RFC822.SIZE 62 ENVELOPE (NIL "three" ((NIL NIL "sender" "client.example")) ((NIL NIL "sender" "client.example")) ((NIL NIL "sender" "client.example")) NIL NIL NIL NIL NIL) BODY[HEADER.FIELDS (*)] {2}
S: 
S: )
S: * 4 FETCH (UID 4 FLAGS () INTERNALDATE "*" RFC822.SIZE 60 ENVELOPE (NIL "four" ((NIL NIL "sender" "client.example")) ((NIL NIL "sender" "client.example")) ((NIL NIL "sender" "client.example")) NIL NIL NIL NIL NIL) BODY[HEADER.FIELDS (*)] {2}
S: 
S: )
S: 00000005 OK *
C: 00000006 FETCH 1 (BODYSTRUCTURE FLAGS)
S: * 1 FETCH (FLAGS () BODYSTRUCTURE ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 13 1 NIL NIL NIL NIL))
S: 00000006 OK *
C: 00000007 FETCH 1 BODY[1]
S: * 1 FETCH (FLAGS (\Seen) BODY[1] {13}
S: Body of one
S: )
S: 00000007 OK *
C: 00000008 STORE 2 +Flags (\FLAGGED)
S: * 2 FETCH (FLAGS (\Flagged))
S: 00000008 OK *
C: 00000009 LIST "" Archive
S: * LIST (\HasNoChildren \Archive) "." Archive
S: 00000009 OK *
C: 0000000a COPY 3 Archive
S: 0000000a OK [COPYUID * 3 1] *
C: 0000000b STORE 3 +Flags (\DELETED)
S: * 3 FETCH (FLAGS (\Deleted))
S: 0000000b OK *
C: 0000000c STORE 4 +Flags (\DELETED)
S: * 4 FETCH (FLAGS (\Deleted))
S: 0000000c OK *
C: 0000000d NOOP
S: 0000000d OK *
C: 0000000e NOOP
S: 0000000e OK *
C: 0000000f EXPUNGE
S: * 3 EXPUNGE
S: * 3 EXPUNGE
S: 0000000f OK *
C: 00000010 NOOP
S: 00000010 OK *
C: 00000011 LOGOUT
S: * BYE *
S: 00000011 OK *
S-EOF:
second S: * OK [CAPABILITY *] *
second C: 00000000 AUTHENTICATE PLAIN AGRlbW9AbWFsbGUudGVzdABkZW1v
second S: 00000000 OK [CAPABILITY *] *
second C: 00000001 ID ("name" "alpine" "version" "2.26")
second S: * ID ("name" "malle")
second S: 00000001 OK *
second C: 00000002 LIST "" Sent
second S: * LIST (\HasNoChildren \Sent) "." Sent
second S: 00000002 OK *
second C: 00000003 NOOP
second S: 00000003 OK *
second C: 00000004 LIST Sent ""
second S: * LIST (\Noselect) "." ""
second S: 00000004 OK *
second C: 00000005 NOOP
second S: 00000005 OK *
second C: 00000006 APPEND Sent {269}
second S: + *
second C: Date: Sat, 28 Nov 2026 09:22:48 +0000 (UTC)
second C: From: alpine@malle.test
second C: To: friend@malle.test
second C: Subject: sent by alpine
second C: Message-ID: <8934f54c-d0fc-cad5-db05-d5b98ac375c9@malle.test>
second C: MIME-Version: 1.0
second C: Content-Type: text/plain; format=flowed; charset=US-ASCII
second C: 
second C: Hello.
second C: 
second S: 00000006 OK [APPENDUID * 1] *
second C: 00000007 LOGOUT
second S: * BYE *
second S: 00000007 OK *
second S-EOF:
