# ESEARCH: SEARCH in several mailboxes.
# config: hierarchy_separator = /
# listener: imaps

# RFC 7377 §2.1: a response for each mailbox in which something was found, with its correlators
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *MULTISEARCH*
C: a1 CREATE folder2/banana/split
S: a1 OK *
C: a2 CREATE folder2/peach
S: a2 OK *
C: a3 CREATE folder1
S: a3 OK *
C: a4 SUBSCRIBE folder1
S: a4 OK *
C-RAW: b APPEND folder1 (\Seen) {16+}\r\nSubject: one\r\n\r\n {16+}\r\nSubject: two\r\n\r\n {16+}\r\nSubject: two\r\n\r\n\r\n
S: b OK *
C-RAW: c APPEND folder2/peach {16+}\r\nSubject: two\r\n\r\n\r\n
S: c OK *
C-RAW: d APPEND folder2/banana/split {16+}\r\nSubject: two\r\n\r\n\r\n
S: d OK *
C: e ESEARCH IN (personal) SUBJECT two
S: * ESEARCH (TAG "e" MAILBOX folder1 UIDVALIDITY <<v1>>) UID ALL 2:3
S: * ESEARCH (TAG "e" MAILBOX folder2/banana/split UIDVALIDITY <<v2>>) UID ALL 1
S: * ESEARCH (TAG "e" MAILBOX folder2/peach UIDVALIDITY <<v3>>) UID ALL 1
S: e OK *
C: f ESEARCH IN (mailboxes "folder1" subtree "folder2") RETURN (MIN COUNT) UNSEEN
S: * ESEARCH (TAG "f" MAILBOX folder1 UIDVALIDITY <<v1>>) UID MIN 2 COUNT 2
S: * ESEARCH (TAG "f" MAILBOX folder2/banana/split UIDVALIDITY <<v2>>) UID MIN 1 COUNT 1
S: * ESEARCH (TAG "f" MAILBOX folder2/peach UIDVALIDITY <<v3>>) UID MIN 1 COUNT 1
S: f OK *
C: g ESEARCH IN (subtree-one (folder2 nowhere)) ALL
S: * ESEARCH (TAG "g" MAILBOX folder2/peach UIDVALIDITY <<v3>>) UID ALL 1
S: g OK *
C: h ESEARCH IN (subscribed) RETURN (PARTIAL -1:-1) ALL
S: * ESEARCH (TAG "h" MAILBOX folder1 UIDVALIDITY <<v1>>) UID PARTIAL (-1:-1 3)
S: h OK *
C: i ESEARCH IN (inboxes mailboxes folder1) RETURN (COUNT) SEEN
S: * ESEARCH (TAG "i" MAILBOX folder1 UIDVALIDITY <<v1>>) UID COUNT 1
S: i OK *
C: j ESEARCH IN (mailboxes (nowhere "fold*" INBOX)) RETURN (COUNT) ALL
S: j OK *

# RFC 7377 §2: numbers past the end of a mailbox are no error, and each mailbox has its own
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b ESEARCH IN (personal) 2:100
S: * ESEARCH (TAG "b" MAILBOX folder1 UIDVALIDITY *) UID ALL 2:3
S: b OK *
C: c ESEARCH IN (personal) *
S: * ESEARCH (TAG "c" MAILBOX folder1 UIDVALIDITY *) UID ALL 3
S: * ESEARCH (TAG "c" MAILBOX folder2/banana/split UIDVALIDITY *) UID ALL 1
S: * ESEARCH (TAG "c" MAILBOX folder2/peach UIDVALIDITY *) UID ALL 1
S: c OK *

# RFC 7377 §2.2: the selected mailbox is the source that is meant, and the one for which there is SAVE
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b ESEARCH ALL
S: b BAD *
C: c ESEARCH IN (personal selected) ALL
S: c BAD *
C: d EXAMINE folder1
S: ...
S: d OK *
C: e ESEARCH SUBJECT one
S: * ESEARCH (TAG "e" MAILBOX folder1 UIDVALIDITY *) UID ALL 1
S: e OK *
C: f ESEARCH IN (selected) RETURN (SAVE) SUBJECT two
S: f OK *
C: g ESEARCH IN (selected mailboxes (folder1 folder2/peach)) $
S: * ESEARCH (TAG "g" MAILBOX folder1 UIDVALIDITY *) UID ALL 2:3
S: g OK *
C: h ESEARCH IN (selected personal) RETURN (SAVE) ALL
S: h BAD *
C: i ESEARCH RETURN (SAVE ALL) SUBJECT three
S: i OK *
C: j UID SEARCH RETURN (COUNT) $
S: * ESEARCH (TAG "j") UID COUNT 0
S: j OK *
C: k FETCH 1 UID
S: * 1 FETCH (UID 1)
S: k OK *

# RFC 7377 §4: what breaks the grammar
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b ESEARCH
S: b BAD *
C: c ESEARCH IN () ALL
S: c BAD *
C: d ESEARCH IN (selected-delayed) ALL
S: d BAD *
C: e ESEARCH IN (personal (depth 3)) ALL
S: e BAD *
C: f ESEARCH IN personal ALL
S: f BAD *
C: g ESEARCH IN (personal)
S: g BAD *
C: h ESEARCH IN (subtree) ALL
S: h BAD *
C: i ESEARCH IN (personal) RETURN (COUNT) CHARSET KLINGON ALL
S: i NO [BADCHARSET (*)] *
C-RAW: j ESEARCH IN (mailboxes ({300*x }x)) ALL\r\n
S: j NO [LIMIT] *
C-RAW: k ESEARCH IN ({20*personal }personal) ALL\r\n
S: k NO [LIMIT] *
C: l ESEARCH IN (personal) 0
S: l BAD *
