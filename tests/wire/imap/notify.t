# NOTIFY: changes in all mailboxes are told, and without a command. "a" is told, "b" does what is told.
# config: hierarchy_separator = /
# listener: imaps

# RFC 5465 §3.1, §5: other mailboxes by STATUS, the selected one with what the client wants to know of new messages
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *NOTIFY*
C: b CREATE Lists/Lemonade
S: b OK *
C: c CREATE Lists/Im2000
S: c OK *
C: d NOTIFY SET STATUS (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)]) MessageExpunge)) (subtree Lists (MessageNew MessageExpunge))
S: * STATUS Lists/Im2000 (MESSAGES 0 UIDNEXT 1 UIDVALIDITY *)
S: * STATUS Lists/Lemonade (MESSAGES 0 UIDNEXT 1 UIDVALIDITY *)
S: d OK *
C: e SELECT INBOX
S: ...
S: e OK *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C-RAW: b APPEND Lists/Lemonade {6+}\r\na: b\r\n\r\n
b S: b OK *
S: * STATUS Lists/Lemonade (MESSAGES 1 UIDNEXT 2)
b C-RAW: c APPEND INBOX {16+}\r\nSubject: one\r\n\r\n\r\n
b S: c OK *
S: * 1 EXISTS
S: * * RECENT
S: * 1 FETCH (UID 1 BODY[HEADER.FIELDS (SUBJECT)] {16}
S: Subject: one
S:
S: )
b C: d SELECT Lists/Lemonade
b S: ...
b S: d OK *
b C: e STORE 1 +FLAGS (\Seen \Deleted)
b S: ...
b S: e OK *
S-NONE: 0.3
b C: f EXPUNGE
b S: ...
b S: f OK *
S: * STATUS Lists/Lemonade (MESSAGES 0 UIDNEXT 2)
# what was not asked for: flags, and other mailboxes
b C: g SELECT INBOX
b S: ...
b S: g OK *
b C: h STORE 1 +FLAGS (\Deleted)
b S: ...
b S: h OK *
b C-RAW: i APPEND Drafts {6+}\r\na: b\r\n\r\n
b S: i OK *
S-NONE: 0.3
b C: j EXPUNGE
b S: ...
b S: j OK *
S: * 1 EXPUNGE
C: z NOOP
S: z OK *

# RFC 5465 §5.1: FlagChange tells UNSEEN, and with CONDSTORE every change
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b NOTIFY SET STATUS (selected (MessageNew MessageExpunge FlagChange)) (mailboxes (Lists/Lemonade nowhere) (MessageNew FlagChange MessageExpunge))
S: * STATUS Lists/Lemonade (MESSAGES 0 UIDNEXT 2 UIDVALIDITY * HIGHESTMODSEQ *)
S: b OK *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C-RAW: b APPEND Lists/Lemonade {6+}\r\na: b\r\n\r\n
b S: b OK *
S: * STATUS Lists/Lemonade (MESSAGES 1 UIDNEXT 3 UIDVALIDITY * UNSEEN 1)
b C: c SELECT Lists/Lemonade
b S: ...
b S: c OK *
b C: d STORE 1 +FLAGS (\Flagged)
b S: ...
b S: d OK *
S-NONE: 0.3
b C: e STORE 1 +FLAGS (\Seen)
b S: ...
b S: e OK *
S: * STATUS Lists/Lemonade (UIDVALIDITY * UNSEEN 0)
C: c ENABLE CONDSTORE
S: * ENABLED CONDSTORE
S: c OK *
b C: f STORE 1 -FLAGS (\Flagged)
b S: ...
b S: f OK *
S: * STATUS Lists/Lemonade (UIDVALIDITY * HIGHESTMODSEQ *)
C: d SELECT Lists/Lemonade
S: ...
S: d OK *
b C: g STORE 1 +FLAGS (\Answered)
b S: ...
b S: g OK *
S: * 1 FETCH (UID 2 FLAGS (\Answered \Seen*) MODSEQ (*))
# a mailbox that was selected goes on from what was told of it
C: e UNSELECT
S: e OK *
S-NONE: 0.3
b C: h STORE 1 +FLAGS (\Draft)
b S: ...
b S: h OK *
S: * STATUS Lists/Lemonade (UIDVALIDITY * HIGHESTMODSEQ *)

# RFC 5465 §5: what this client does itself is not told to it
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: c NOTIFY SET (selected (MessageNew (UID FLAGS) MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))
S: c OK *
C-RAW: d APPEND INBOX {6+}\r\na: b\r\n\r\n
S: * 1 EXISTS
S: * * RECENT
S: d OK *
C: e UID COPY 1:* Lists/Im2000
S: e OK [COPYUID *] *
C-RAW: f APPEND Drafts {6+}\r\na: b\r\n\r\n
S: f OK *
C: g CREATE own/one
S: g OK *
C: h SUBSCRIBE own/one
S: h OK *
C: i RENAME own mine
S: i OK *
C: j DELETE mine/one
S: j OK *
S-NONE: 0.3
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C-RAW: b APPEND Lists/Im2000 {6+}\r\na: b\r\n\r\n
b S: b OK *
S: * STATUS Lists/Im2000 (MESSAGES 2 UIDNEXT 3 UIDVALIDITY * UNSEEN 2)
b C-RAW: c APPEND INBOX {6+}\r\na: b\r\n\r\n
b S: c OK *
S: * 2 EXISTS
S: * * RECENT
S: * 2 FETCH (UID * FLAGS (*))

# RFC 5465 §5.4: names that come, go and change, each with its parent
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b NOTIFY SET (personal (MailboxName))
S: b OK *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C: b CREATE x/y
b S: b OK *
S: * LIST (\NonExistent \HasChildren) "/" x
S: * LIST (\HasNoChildren) "/" x/y
b C: c RENAME x/y z
b S: c OK *
S: * LIST (\HasNoChildren) "/" z ("OLDNAME" (x/y))
b C: d CREATE z/1
b S: d OK *
S: * LIST (\HasChildren) "/" z
S: * LIST (\HasNoChildren) "/" z/1
b C: e RENAME z &ANw-
b S: e OK *
S: * LIST (\HasChildren) "/" &ANw- ("OLDNAME" (z))
b C: f DELETE &ANw-
b S: f OK *
S: * LIST (\NonExistent \HasChildren) "/" &ANw-
b C: g SUBSCRIBE &ANw-/1
b S: g OK *
b C-RAW: h APPEND &ANw-/1 {6+}\r\na: b\r\n\r\n
b S: h OK *
S-NONE: 0.3
b C: i DELETE &ANw-/1
b S: i OK *
S: ...
S: * LIST (\NonExistent \HasNoChildren \Subscribed) "/" &ANw-/1

# RFC 5465 §5.5, §6.4: subscriptions, which say by themselves which mailboxes are meant
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b NOTIFY SET (subscribed (SubscriptionChange MessageNew MessageExpunge))
S: b OK *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C-RAW: b APPEND Lists/Lemonade {6+}\r\na: b\r\n\r\n
b S: b OK *
S-NONE: 0.3
b C: c SUBSCRIBE Lists/Lemonade
b S: c OK *
S: * LIST (\HasNoChildren \Subscribed) "/" Lists/Lemonade
S: * STATUS Lists/Lemonade (MESSAGES 2 UIDNEXT 4)
b C-RAW: d APPEND Lists/Lemonade {6+}\r\na: b\r\n\r\n
b S: d OK *
S: * STATUS Lists/Lemonade (MESSAGES 3 UIDNEXT 5)
b C: e UNSUBSCRIBE Lists/Lemonade
b S: e OK *
S: * LIST (\HasNoChildren) "/" Lists/Lemonade
b C-RAW: f APPEND Lists/Lemonade {6+}\r\na: b\r\n\r\n
b S: f OK *
S-NONE: 0.3

# RFC 5465 §6.1.2: with SELECTED-DELAYED numbers hold until a command that may change them
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: * 2 EXISTS
S: ...
S: b OK *
C: c NOTIFY SET (selected-delayed (MessageNew MessageExpunge FlagChange))
S: c OK *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C: b SELECT INBOX
b S: ...
b S: b OK *
b C: c STORE 1 +FLAGS (\Deleted)
b S: ...
b S: c OK *
S: * 1 FETCH (UID * FLAGS (\Deleted*))
b C: d EXPUNGE
b S: ...
b S: d OK *
S-NONE: 0.3
b C-RAW: e APPEND INBOX {6+}\r\na: b\r\n\r\n
b S: ...
b S: e OK *
S: * 3 EXISTS
S: * * RECENT
C: d FETCH 2 UID
S: * 2 FETCH (UID *)
S: d OK *
C: e IDLE
S: + *
S: * 1 EXPUNGE
b C: f STORE 1:* +FLAGS (\Deleted)
b S: ...
b S: f OK *
b C: g EXPUNGE
b S: ...
b S: g OK *
S: ...
S: * 1 EXPUNGE
S: * 1 EXPUNGE
C: DONE
S: e OK *

# RFC 5465 §3.1, §5: what is not asked for is not told, and the mailbox stays as it was for this client
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT Lists/Lemonade
S: ...
S: * 4 EXISTS
S: ...
S: b OK *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C: b SELECT Lists/Lemonade
b S: ...
b S: b OK *
b C: c STORE 1 +FLAGS (\Deleted)
b S: ...
b S: c OK *
C: c NOTIFY SET (selected NONE)
S: * 1 FETCH (*\Deleted*)
S: c OK *
b C: d EXPUNGE
b S: ...
b S: d OK *
b C: e STORE 1 +FLAGS (\Flagged)
b S: ...
b S: e OK *
C: d NOOP
S: d OK *
C: e UID SEARCH ALL
S: * SEARCH 2 3 4 5
S: e OK *
C: f NOTIFY NONE
S: * 1 EXPUNGE
S: * 1 FETCH (*\Flagged*)
S: f OK *
b C: f STORE 2 +FLAGS (\Flagged \Deleted)
b S: ...
b S: f OK *
C: g NOOP
S: g OK *
# a mailbox that is not selected any more is one of the others, and what was not told of it is
C: g1 NOTIFY SET (selected NONE) (mailboxes Lists/Lemonade (MessageNew MessageExpunge))
S: * 2 FETCH (*)
S: g1 OK *
b C-RAW: f1 APPEND Lists/Lemonade {6+}\r\na: b\r\n\r\n
b S: ...
b S: f1 OK *
S-NONE: 0.3
C: g2 EXAMINE INBOX
S: ...
S: g2 OK *
S: * STATUS Lists/Lemonade (MESSAGES 4 UIDNEXT 7)
# and what CLOSE expunges is not told
C: g3 SELECT Lists/Lemonade
S: ...
S: g3 OK *
C: g4 STORE 4 +FLAGS (\Deleted)
S: ...
S: g4 OK *
b C: f2 STORE 2 -FLAGS (\Deleted)
b S: ...
b S: f2 OK *
C: g5 CLOSE
S: g5 OK *
S-NONE: 0.3
b C: f3 NOOP
b S: ...
b S: * 4 EXPUNGE
b S: f3 OK *
b C: f4 STORE 2 +FLAGS.SILENT (\Deleted)
b S: f4 OK *
C: g6 SELECT Lists/Lemonade
S: ...
S: g6 OK *
# what this client asks for is told all the same
C: h EXPUNGE
S: * 2 EXPUNGE
S: h OK *
C: i NOTIFY SET (selected (MessageNew MessageExpunge))
S: i OK *
b C: g STORE 1 +FLAGS (\Answered)
b S: ...
b S: g OK *
S-NONE: 0.3
b C-RAW: h APPEND Lists/Lemonade {6+}\r\na: b\r\n\r\n
b S: ...
b S: h OK *
S: * 3 EXISTS
S: * * RECENT

# RFC 5465 §3.1: what is refused, and leaves all as it was
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b NOTIFY
S: b BAD *
C: c NOTIFY SET (personal (MessageNew MessageExpunge AnnotationChange))
S: c NO [BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange)] *
C: d NOTIFY SET (selected (MessageNew (BODY.PEEK[TEXT]) MessageExpunge MailboxName))
S: d BAD *
C: e NOTIFY SET (personal (FlagChange))
S: e BAD *
C-RAW: f NOTIFY SET{17* (personal NONE)}\r\n
S: f NO [LIMIT] *
C-RAW: g NOTIFY SET (mailboxes ({300*x }x) NONE)\r\n
S: g NO [LIMIT] *
C-RAW: h NOTIFY SET (mailboxes {60000+}\r\n{60000*x} NONE)\r\n
S: h NO [LIMIT] *
C: i NOTIFY NONE NONE
S: i BAD *
C: j NOTIFY SET (mailboxes &Jjo! NONE)
S: j BAD *
C: k NOOP
S: k OK *

# RFC 5465 §5.6, §5.7: names of entries that were changed or removed, of mailboxes and of the server
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b NOTIFY SET (mailboxes (INBOX Lists/Lemonade) (MailboxMetadataChange ServerMetadataChange))
S: b OK *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C: b SETMETADATA INBOX (/private/comment "x" /shared/comment "y")
b S: b OK *
S: * METADATA INBOX /private/comment /shared/comment
b C: c SETMETADATA INBOX (/private/comment "x" /shared/comment "z")
b S: c OK *
S: * METADATA INBOX /shared/comment
b C: d SETMETADATA INBOX (/shared/comment NIL /private/new "")
b S: d OK *
S: * METADATA INBOX /private/new /shared/comment
b C: e SETMETADATA Drafts (/private/comment "x")
b S: e OK *
S-NONE: 0.3
b C: f SETMETADATA "" (/private/comment "x")
b S: f OK *
S: * METADATA "" /private/comment
# messages of these mailboxes are not asked for, and own changes are known
b C-RAW: g APPEND Lists/Lemonade {6+}\r\na: b\r\n\r\n
b S: ...
b S: g OK *
C: c SETMETADATA Lists/Lemonade (/private/own "x")
S: c OK *
C: d SETMETADATA "" (/private/own "x")
S: d OK *
S-NONE: 0.3
b C: h SETMETADATA Lists/Lemonade (/private/own "y" /private/comment "x")
b S: h OK *
S: * METADATA Lists/Lemonade /private/own /private/comment
# the selected mailbox is one of them
C: e SELECT Lists/Lemonade
S: ...
S: e OK *
b C: i SETMETADATA Lists/Lemonade (/private/own NIL)
b S: i OK *
S: * METADATA Lists/Lemonade /private/own

# RFC 5465 §5.6: a mailbox that is new or has a new name; also during IDLE
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b NOTIFY SET (personal (MailboxMetadataChange MailboxName))
S: b OK *
C: c IDLE
S: + *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C: b CREATE m1
b S: b OK *
S: ...
S: * LIST (\HasNoChildren) "/" m1
b C: c SETMETADATA m1 (/private/comment "x")
b S: c OK *
S: * METADATA m1 /private/comment
b C: d RENAME m1 m2
b S: d OK *
S: ...
S: * LIST (\HasNoChildren) "/" m2 ("OLDNAME" (m1))
S-NONE: 0.3
b C: e SETMETADATA m2 (/private/comment NIL)
b S: e OK *
S: * METADATA m2 /private/comment
C: DONE
S: c OK *
C: d NOTIFY NONE
S: d OK *
b C: f SETMETADATA m2 (/private/comment "x")
b S: f OK *
S-NONE: 0.3

# RFC 5465 §6.1: not for the selected mailbox alone
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b NOTIFY SET (selected (MessageNew MessageExpunge MailboxMetadataChange))
S: b BAD *
C: c NOTIFY SET (selected-delayed (ServerMetadataChange))
S: c BAD *
