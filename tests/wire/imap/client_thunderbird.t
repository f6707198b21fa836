# What Thunderbird 153.8 says (Debian 12; tests/clients/thunderbird.js). It has a connection for each mailbox that is open, and on each logs in
# without an initial response, though there is SASL-IR, with tags that begin anywhere, tells its name and language, and asks for the quota after
# SELECT. It lists what is subscribed, fetches everything for reading off line, and looks for news behind the last UID with "5:*", which always
# finds the last message. COMPRESS, which it asks for after log-in, is left out here.
# listener: imaps

# RFC 2971 §3.1, RFC 5255 §3.2, RFC 9051 §6.3.9, §6.3.13, §6.4.8, §6.4.9: log in, list, read, flag, move, delete, append, idle
fill S: * OK *
fill C: a LOGIN demo@malle.test demo
fill S: a OK *
fill C-RAW: b APPEND INBOX {58+}\r\nFrom: sender@client.example\r\nSubject: one\r\n\r\nBody of one\r\n {58+}\r\nFrom: sender@client.example\r\nSubject: two\r\n\r\nBody of two\r\n {62+}\r\nFrom: sender@client.example\r\nSubject: three\r\n\r\nBody of three\r\n {60+}\r\nFrom: sender@client.example\r\nSubject: four\r\n\r\nBody of four\r\n\r\n
fill S: b OK *
S: * OK [CAPABILITY *] *
C: 30 authenticate PLAIN
S: + 
C: AGRlbW9AbWFsbGUudGVzdABkZW1v
S: 30 OK [CAPABILITY *] *
C: 31 namespace
S: * NAMESPACE (("" ".")) NIL NIL
S: 31 OK *
C: 33 ID ("name" "Thunderbird" "version" "153.8.0")
S: * ID ("name" "malle")
S: 33 OK *
C: 34 LANGUAGE en-US
S: * LANGUAGE (en)
S: 34 OK *
C: 35 list (subscribed) "" "*" return (special-use)
S: * LIST (\HasNoChildren \Subscribed) "." INBOX
S: * LIST (\HasNoChildren \Subscribed \Archive) "." Archive
S: * LIST (\HasNoChildren \Subscribed \Drafts) "." Drafts
S: * LIST (\HasNoChildren \Subscribed \Junk) "." Junk
S: * LIST (\HasNoChildren \Subscribed \Sent) "." Sent
S: * LIST (\HasNoChildren \Subscribed \Trash) "." Trash
S: 35 OK *
C: 36 list "" "INBOX"
S: * LIST (\HasNoChildren) "." INBOX
S: 36 OK *
inbox S: * OK [CAPABILITY *] *
inbox C: 76 authenticate PLAIN
inbox S: + 
inbox C: AGRlbW9AbWFsbGUudGVzdABkZW1v
inbox S: 76 OK [CAPABILITY *] *
inbox C: 78 ID ("name" "Thunderbird" "version" "153.8.0")
inbox S: * ID ("name" "malle")
inbox S: 78 OK *
inbox C: 79 LANGUAGE en-US
inbox S: * LANGUAGE (en)
inbox S: 79 OK *
inbox C: 80 select "INBOX"
inbox S: ...
inbox S: * 4 EXISTS
inbox S: ...
inbox S: 80 OK [READ-WRITE] *
inbox C: 81 getquotaroot "INBOX"
inbox S: * QUOTAROOT INBOX
inbox S: 81 OK *
inbox C: 82 UID fetch 1:* (FLAGS)
inbox S: * 1 FETCH (UID 1 FLAGS ())
inbox S: * 2 FETCH (UID 2 FLAGS ())
inbox S: * 3 FETCH (UID 3 FLAGS ())
inbox S: * 4 FETCH (UID 4 FLAGS ())
inbox S: 82 OK *
inbox C: 83 UID fetch 1:4 (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To Received)])
inbox S: * 1 FETCH (UID 1 FLAGS () RFC822.SIZE 58 BODY[HEADER.FIELDS (*)] {45}
inbox S: From: sender@client.example
inbox S: Subject: one
inbox S: 
inbox S: )
inbox S: * 2 FETCH (UID 2 FLAGS () RFC822.SIZE 58 BODY[HEADER.FIELDS (*)] {45}
inbox S: From: sender@client.example
inbox S: Subject: two
inbox S: 
inbox S: )
inbox S: * 3 FETCH (UID 3 FLAGS () RFC822.SIZE 62 BODY[HEADER.FIELDS (*)] {47}
inbox S: From: sender@client.example
inbox S: Subject: three
inbox S: 
inbox S: )
inbox S: * 4 FETCH (UID 4 FLAGS () RFC822.SIZE 60 BODY[HEADER.FIELDS (*)] {46}
inbox S: From: sender@client.example
inbox S: Subject: four
inbox S: 
inbox S: )
inbox S: 83 OK *
inbox C: 84 UID fetch 1:4 (UID RFC822.SIZE BODY.PEEK[])
inbox S: * 1 FETCH (UID 1 RFC822.SIZE 58 BODY[] {58}
inbox S: From: sender@client.example
inbox S: Subject: one
inbox S: 
inbox S: Body of one
inbox S: )
inbox S: * 2 FETCH (UID 2 RFC822.SIZE 58 BODY[] {58}
inbox S: From: sender@client.example
inbox S: Subject: two
inbox S: 
inbox S: Body of two
inbox S: )
inbox S: * 3 FETCH (UID 3 RFC822.SIZE 62 BODY[] {62}
inbox S: From: sender@client.example
inbox S: Subject: three
inbox S: 
inbox S: Body of three
inbox S: )
inbox S: * 4 FETCH (UID 4 RFC822.SIZE 60 BODY[] {60}
inbox S: From: sender@client.example
inbox S: Subject: four
inbox S: 
inbox S: Body of four
inbox S: )
inbox S: 84 OK *
inbox C: 85 UID fetch 1 (UID BODY.PEEK[HEADER.FIELDS (Content-Type Content-Transfer-Encoding)] BODY.PEEK[TEXT]<0.2048>)
inbox S: * 1 FETCH (UID 1 BODY[HEADER.FIELDS (CONTENT-TYPE CONTENT-TRANSFER-ENCODING)] {2}
inbox S: 
inbox S:  BODY[TEXT]<0> {13}
inbox S: Body of one
inbox S: )
inbox S: 85 OK *
inbox C: 86 uid store 1 +Flags (\Seen)
inbox S: * 1 FETCH (UID 1 FLAGS (\Seen))
inbox S: 86 OK *
inbox C: 87 uid store 2 +Flags (\Flagged)
inbox S: * 2 FETCH (UID 2 FLAGS (\Flagged))
inbox S: 87 OK *
inbox C: 89 uid move 3 "Archive"
inbox S: * OK [COPYUID * 3 1] *
inbox S: * 3 EXPUNGE
inbox S: 89 OK *
inbox C: 91 uid move 4 "Trash"
archive S: * OK [CAPABILITY *] *
inbox S: * OK [COPYUID * 4 1] *
inbox S: * 3 EXPUNGE
inbox S: 91 OK *
archive C: 57 authenticate PLAIN
archive S: + 
archive C: AGRlbW9AbWFsbGUudGVzdABkZW1v
archive S: 57 OK [CAPABILITY *] *
archive C: 59 ID ("name" "Thunderbird" "version" "153.8.0")
archive S: * ID ("name" "malle")
archive S: 59 OK *
archive C: 60 LANGUAGE en-US
archive S: * LANGUAGE (en)
archive S: 60 OK *
archive C: 61 select "Archive"
trash S: * OK [CAPABILITY *] *
archive S: ...
archive S: * 1 EXISTS
archive S: ...
archive S: 61 OK [READ-WRITE] *
archive C: 62 getquotaroot "Archive"
trash C: 28 authenticate PLAIN
archive S: * QUOTAROOT Archive
archive S: 62 OK *
trash S: + 
trash C: AGRlbW9AbWFsbGUudGVzdABkZW1v
archive C: 63 UID fetch 1:* (FLAGS)
archive S: * 1 FETCH (UID 1 FLAGS ())
archive S: 63 OK *
trash S: 28 OK [CAPABILITY *] *
archive C: 64 UID fetch 1 (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To Received)])
archive S: * 1 FETCH (UID 1 FLAGS () RFC822.SIZE 62 BODY[HEADER.FIELDS (*)] {47}
archive S: From: sender@client.example
archive S: Subject: three
archive S: 
archive S: )
archive S: 64 OK *
trash C: 30 ID ("name" "Thunderbird" "version" "153.8.0")
trash S: * ID ("name" "malle")
trash S: 30 OK *
trash C: 31 LANGUAGE en-US
trash S: * LANGUAGE (en)
trash S: 31 OK *
archive C: 65 UID fetch 1 (UID RFC822.SIZE BODY.PEEK[])
trash C: 32 select "Trash"
archive S: * 1 FETCH (UID 1 RFC822.SIZE 62 BODY[] {62}
archive S: From: sender@client.example
archive S: Subject: three
archive S: 
archive S: Body of three
archive S: )
archive S: 65 OK *
trash S: ...
trash S: * 1 EXISTS
trash S: ...
trash S: 32 OK [READ-WRITE] *
trash C: 33 getquotaroot "Trash"
trash S: * QUOTAROOT Trash
trash S: 33 OK *
trash C: 34 UID fetch 1:* (FLAGS)
C: 37 append "Sent" (\Seen) {93+}
C: From: thunderbird@malle.test
C: To: friend@malle.test
C: Subject: sent by thunderbird
C: 
C: Hello.
C: 
trash S: * 1 FETCH (UID 1 FLAGS ())
trash S: 34 OK *
trash C: 35 UID fetch 1 (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To Received)])
trash S: * 1 FETCH (UID 1 FLAGS () RFC822.SIZE 60 BODY[HEADER.FIELDS (*)] {46}
trash S: From: sender@client.example
trash S: Subject: four
trash S: 
trash S: )
trash S: 35 OK *
S: 37 OK [APPENDUID * 1] *
inbox C: 92 expunge
inbox S: 92 OK *
inbox C: 93 getquotaroot "INBOX"
inbox S: * QUOTAROOT INBOX
inbox S: 93 OK *
inbox C: 94 UID fetch 5:* (FLAGS)
inbox S: * 2 FETCH (UID 2 FLAGS (\Flagged))
inbox S: 94 OK *
archive C: 66 IDLE
archive S: + *
trash C: 36 IDLE
trash S: + *
inbox C: 95 IDLE
inbox S: + *
sent S: * OK [CAPABILITY *] *
sent C: 45 authenticate PLAIN
sent S: + 
sent C: AGRlbW9AbWFsbGUudGVzdABkZW1v
sent S: 45 OK [CAPABILITY *] *
sent C: 47 ID ("name" "Thunderbird" "version" "153.8.0")
sent S: * ID ("name" "malle")
sent S: 47 OK *
sent C: 48 LANGUAGE en-US
sent S: * LANGUAGE (en)
sent S: 48 OK *
sent C: 49 select "Sent"
sent S: ...
sent S: * 1 EXISTS
sent S: ...
sent S: 49 OK [READ-WRITE] *
sent C: 50 getquotaroot "Sent"
sent S: * QUOTAROOT Sent
sent S: 50 OK *
sent C: 51 UID fetch 1:* (FLAGS)
sent S: * 1 FETCH (UID 1 FLAGS (\Seen))
sent S: 51 OK *
sent C: 52 UID fetch 1 (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To Received)])
sent S: * 1 FETCH (UID 1 FLAGS (\Seen) RFC822.SIZE 93 BODY[HEADER.FIELDS (*)] {85}
sent S: From: thunderbird@malle.test
sent S: To: friend@malle.test
sent S: Subject: sent by thunderbird
sent S: 
sent S: )
sent S: 52 OK *
sent C: 53 UID fetch 1 (UID RFC822.SIZE BODY.PEEK[])
sent S: * 1 FETCH (UID 1 RFC822.SIZE 93 BODY[] {93}
sent S: From: thunderbird@malle.test
sent S: To: friend@malle.test
sent S: Subject: sent by thunderbird
sent S: 
sent S: Hello.
sent S: )
sent S: 53 OK *
