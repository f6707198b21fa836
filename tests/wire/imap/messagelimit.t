# MESSAGELIMIT: commands do the last three of the messages that they name, or nothing.
# listener: imaps
# config: imap_message_limit = 3

# RFC 9738 §3: the capability comes with log-in; MULTIAPPEND of more is refused as a whole
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *APPENDLIMIT=* MESSAGELIMIT=3]*
C-RAW: b APPEND INBOX {6+}\r\na: 1\r\n {6+}\r\na: 2\r\n {6+}\r\na: 3\r\n {6+}\r\na: 4\r\n\r\n
S: b NO [MESSAGELIMIT 3] *
C: c STATUS INBOX (MESSAGES)
S: * STATUS INBOX (MESSAGES 0)
S: c OK *
C-RAW: d APPEND INBOX {6+}\r\na: 1\r\n {6+}\r\na: 2\r\n {6+}\r\na: 3\r\n\r\n
S: d OK [APPENDUID * 1:3] *
C-RAW: e APPEND INBOX (\Deleted) {6+}\r\na: 4\r\n {6+}\r\na: 5\r\n (\Deleted) {6+}\r\na: 6\r\n\r\n
S: e OK [APPENDUID * 4:6] *
C: f CAPABILITY
S: * CAPABILITY * MESSAGELIMIT=3
S: f OK *

# RFC 9738 §3.1: FETCH tells the last messages and the lowest UID of them, and with PARTIAL of more nothing
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: c FETCH 1:5 UID
S: * 3 FETCH (UID 3)
S: * 4 FETCH (UID 4)
S: * 5 FETCH (UID 5)
S: c OK [MESSAGELIMIT 3 3] *
C: d UID FETCH 1:2 (UID)
S: * 1 FETCH (UID 1)
S: * 2 FETCH (UID 2)
S: d OK *FETCH completed.
C: e FETCH 4:6 UID
S: * 4 FETCH (UID 4)
S: * 5 FETCH (UID 5)
S: * 6 FETCH (UID 6)
S: e OK *FETCH completed.
C: f UID FETCH 1:* (UID) (PARTIAL -1:-4)
S: f NO [MESSAGELIMIT 3] *
C: g UID FETCH 1:* (UID) (PARTIAL 2:4)
S: * 2 FETCH (UID 2)
S: * 3 FETCH (UID 3)
S: * 4 FETCH (UID 4)
S: g OK *
# another code goes along
C: h FETCH 1:* BINARY.PEEK[1]<0.1>
S: ...
S: h OK [MESSAGELIMIT 3 4] *

# RFC 9738 §3.1, §3.4: SEARCH counts what is looked at, not what is found; SAVE keeps that part
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: c SEARCH ALL
S: * SEARCH 4 5 6
S: c OK [MESSAGELIMIT 3 4] *
C: d UID SEARCH DELETED
S: * SEARCH 4 6
S: d OK [MESSAGELIMIT 3 4] *
C: e UID SEARCH UID 1:5 UNDELETED
S: * SEARCH 3 5
S: e OK [MESSAGELIMIT 3 3] *
C: f UID SEARCH 1:3 HEADER a 2
S: * SEARCH 2
S: f OK *SEARCH completed.
C: g SEARCH RETURN (COUNT) OR 1 5:6
S: * ESEARCH (TAG "g") COUNT 3
S: g OK *SEARCH completed.
C: h UID SEARCH RETURN (SAVE) NOT HEADER a 5
S: h OK [MESSAGELIMIT 3 4] *
C: i FETCH $ UID
S: * 4 FETCH (UID 4)
S: * 6 FETCH (UID 6)
S: i OK *FETCH completed.
# of several mailboxes no UID can be told
C: j ESEARCH IN (mailboxes (INBOX Drafts)) RETURN (ALL) ALL
S: * ESEARCH (TAG "j" MAILBOX INBOX UIDVALIDITY *) UID ALL 4:6
S: j OK [MESSAGELIMIT 3] *
C: k ESEARCH RETURN (COUNT) ALL
S: * ESEARCH (TAG "k" MAILBOX INBOX UIDVALIDITY *) UID COUNT 3
S: k OK [MESSAGELIMIT 3 4] *

# RFC 9738 §3.2: UIDAFTER and UIDBEFORE
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: c UID SEARCH UIDAFTER 4
S: * SEARCH 5 6
S: c OK *SEARCH completed.
C: d UID SEARCH UIDBEFORE 3
S: * SEARCH 1 2
S: d OK *SEARCH completed.
C: e UID SEARCH UIDBEFORE 4 UIDAFTER 1
S: * SEARCH 2 3
S: e OK *SEARCH completed.
C: f SEARCH UIDBEFORE 1
S: * SEARCH
S: f OK *SEARCH completed.
C: g SEARCH UIDAFTER 4294967295
S: * SEARCH
S: g OK *SEARCH completed.
C: h SEARCH UIDAFTER 6
S: * SEARCH
S: h OK *SEARCH completed.
C: i UID SEARCH NOT UIDAFTER 2
S: * SEARCH 1 2
S: i OK *SEARCH completed.
C: j SEARCH UIDAFTER 0
S: j BAD *
C: k SEARCH UIDBEFORE 4294967296
S: k BAD *
C: l SEARCH UIDAFTER 1:3
S: l BAD *
C: m SEARCH UIDAFTER *
S: m BAD *

# RFC 9738 §3.3: SORT and THREAD of more are refused
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: c SORT (ARRIVAL) UTF-8 ALL
S: c NO [MESSAGELIMIT 3] *
C: d UID THREAD REFERENCES UTF-8 UIDBEFORE 5
S: d NO [MESSAGELIMIT 3] *
C: e UID SORT (REVERSE ARRIVAL) UTF-8 UIDBEFORE 3
S: * SORT * *
S: e OK *

# RFC 9738 §3.1: COPY is refused, STORE and MOVE are done in part
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: c UID COPY 1:5 Archive
S: c NO [MESSAGELIMIT 3 3] *
C: d STATUS Archive (MESSAGES)
S: * STATUS Archive (MESSAGES 0)
S: d OK *
C: e UID STORE 1:5 +FLAGS (\Flagged)
S: * 3 FETCH (UID 3 FLAGS (\Flagged))
S: * 4 FETCH (UID 4 FLAGS (\Flagged \Deleted))
S: * 5 FETCH (UID 5 FLAGS (\Flagged))
S: e OK [MESSAGELIMIT 3 3] *
# what others changed is told in the tagged reply, so the limit comes before it
C: f UID STORE 1:* (UNCHANGEDSINCE 1) +FLAGS (\Seen)
S: * OK [HIGHESTMODSEQ *
S: * NO [MESSAGELIMIT 3 4] *
S: f OK [MODIFIED 4:6] *
C: g UID SEARCH FLAGGED
S: * SEARCH 4 5
S: g OK [MESSAGELIMIT 3 4] *
C: h UID MOVE 1:4 Archive
S: * OK [COPYUID * 2:4 1:3] *
S: * 2 EXPUNGE
S: * 2 EXPUNGE
S: * 2 EXPUNGE
S: h OK [MESSAGELIMIT 3 2] *
C: i UID MOVE 1:4 Archive
S: * OK [COPYUID * 1 4] *
S: * 1 EXPUNGE
S: i OK *MOVE completed.
C: z LOGOUT
S: ...
S: z OK *

# RFC 9738 §3.1: of UID EXPUNGE the deleted ones count, and EXPUNGE and CLOSE have no limit
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT Archive
S: ...
S: b OK *
C: c STORE 1:3 +FLAGS.SILENT (\Deleted)
S: c OK *
C: d UID EXPUNGE 1:3
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: d OK UID EXPUNGE*
C-RAW: e APPEND Archive (\Deleted) {6+}\r\na: 1\r\n (\Deleted) {6+}\r\na: 2\r\n {6+}\r\na: 3\r\n\r\n
S: ...
S: e OK [APPENDUID * 5:7] *
C-RAW: f APPEND Archive (\Deleted) {6+}\r\na: 1\r\n (\Deleted) {6+}\r\na: 2\r\n {6+}\r\na: 3\r\n\r\n
S: ...
S: f OK [APPENDUID * 8:10] *
C: g ENABLE QRESYNC
S: ...
S: g OK *
C: h UID EXPUNGE 1:*
S: * NO [MESSAGELIMIT 3 6] *
S: * VANISHED 6,8:9
S: h OK [HIGHESTMODSEQ *] *
C-RAW: i APPEND Archive (\Deleted) {6+}\r\na: 1\r\n (\Deleted) {6+}\r\na: 2\r\n\r\n
S: ...
S: i OK [APPENDUID * 11:12] *
C: j STORE 1:3 +FLAGS.SILENT (\Deleted)
S: ...
S: j OK STORE*
C: k EXPUNGE
S: * VANISHED 4:5,7,11:12
S: k OK [HIGHESTMODSEQ *] *
