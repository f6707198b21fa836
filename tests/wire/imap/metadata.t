# METADATA: annotations of mailboxes and of the server, and LIST-METADATA.
# listener: imaps
# config: mail_server_comment = Ours "at home"
# config: mail_server_admin = mailto:postmaster@malle.test

# RFC 5464 §1, RFC 9590 §3: both are announced
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK [CAPABILITY * METADATA LIST-METADATA *] *

# RFC 5464 §4.3, §4.2: an entry is set, told, changed and removed; names in any case; NIL where there is none
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b GETMETADATA INBOX /private/comment
S: * METADATA INBOX (/private/comment NIL)
S: b OK GETMETADATA completed.
C: c SETMETADATA INBOX (/private/comment "My own comment")
S: c OK *
C: d GETMETADATA "INBOX" /private/comment
S: * METADATA INBOX (/private/comment "My own comment")
S: d OK *
C: e SETMETADATA inbox (/PRIVATE/Comment "" /shared/comment Nil)
S: e OK *
C: f GETMETADATA INBOX (/private/comment /shared/comment)
S: * METADATA INBOX (/PRIVATE/Comment "" /shared/comment NIL)
S: f OK *
C: g SETMETADATA INBOX (/private/comment NIL)
S: g OK *
C: h GETMETADATA INBOX /private/comment
S: * METADATA INBOX (/private/comment NIL)
S: h OK *

# RFC 5464 §4.3: literals, also those with NUL and line ends
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b SETMETADATA Sent (/private/comment {33}
S: + *
C-RAW: My new comment across\r\ntwo lines.) \r\n
S: b OK *
C-RAW: c SETMETADATA Sent (/shared/vendor/x ~{3+}\r\na\0b /private/vendor/y {2+}\r\n\r\n)\r\n
S: c OK *
C: d GETMETADATA Sent (/private/comment /shared/vendor/x /private/vendor/y)
S: * METADATA Sent (/private/comment {33}
S: My new comment across
S: two lines. /shared/vendor/x ~{3}
S: a*b /private/vendor/y {2}
S: 
S: )
S: d OK *

# RFC 5464 §4.2.1: MAXSIZE leaves out what is longer, and LONGENTRIES says how long
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b SETMETADATA Drafts (/private/a "12" /private/b "1234" /shared/c "123456")
S: b OK *
C: c GETMETADATA (MAXSIZE 4) Drafts (/private/a /private/b /shared/c /shared/d)
S: * METADATA Drafts (/private/a "12" /private/b "1234" /shared/d NIL)
S: c OK [METADATA LONGENTRIES 6] *
C: d GETMETADATA (MAXSIZE 1) Drafts (/private/b)
S: d OK [METADATA LONGENTRIES 4] *
C: e GETMETADATA (MAXSIZE 6) Drafts (/shared/c)
S: * METADATA Drafts (/shared/c "123456")
S: e OK GETMETADATA completed.

# RFC 5464 §4.2.2: DEPTH
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b SETMETADATA Junk (/private/f/v "0" /private/f/v/p "1" /private/f/v/p/q "2" /private/f/vx "3" /shared/s "4")
S: b OK *
C: c GETMETADATA (DEPTH 1) Junk (/private/f/v)
S: * METADATA Junk (/private/f/v "0" /private/f/v/p "1")
S: c OK *
C: d GETMETADATA (DEPTH infinity) Junk /private/f/v
S: * METADATA Junk (/private/f/v "0" /private/f/v/p "1" /private/f/v/p/q "2")
S: d OK *
C: e GETMETADATA (DEPTH 0) Junk /private/f
S: * METADATA Junk (/private/f NIL)
S: e OK *
C: f GETMETADATA (DEPTH 1) Junk /private/f
S: * METADATA Junk (/private/f/v "0" /private/f/vx "3")
S: f OK *
C: g GETMETADATA (DEPTH infinity MAXSIZE 10) Junk (/shared /private/none)
S: * METADATA Junk (/shared/s "4")
S: g OK *
C: h GETMETADATA (DEPTH 1) Junk /private/none
S: h OK GETMETADATA completed.

# RFC 5464 §6.2.1, §4.3: the server's entries, of which the shared ones are the administrator's
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b GETMETADATA "" (/shared/comment /shared/admin /private/comment)
S: * METADATA "" (/shared/comment "Ours \"at home\"" /shared/admin "mailto:postmaster@malle.test" /private/comment NIL)
S: b OK *
C: c SETMETADATA "" (/private/comment mine)
S: c BAD *
C: d SETMETADATA "" (/private/comment "mine")
S: d OK *
C: e SETMETADATA "" (/private/comment "x" /shared/comment "x")
S: e NO [NOPERM] *
C: f GETMETADATA (DEPTH infinity) "" (/private /shared)
S: * METADATA "" (/private/comment "mine" /shared/comment "Ours \"at home\"" /shared/admin "mailto:postmaster@malle.test")
S: f OK *
C: g GETMETADATA INBOX /private/comment
S: * METADATA INBOX (/private/comment NIL)
S: g OK *

# RFC 5464 §4.3, §5: what is refused, and that nothing of it is done
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b SETMETADATA nowhere (/private/comment "x")
S: b NO [NONEXISTENT] *
C: c GETMETADATA nowhere /private/comment
S: c NO [NONEXISTENT] *
C-RAW: d SETMETADATA Trash (/private/a "1" /private/b {32769+}\r\n{32769*x})\r\n
S: d NO [METADATA MAXSIZE 32768] *
C: e GETMETADATA (DEPTH infinity) Trash /private
S: * METADATA Trash (/private/specialuse "\\Trash")
S: e OK *
C-RAW: f SETMETADATA Trash (/private/b {32768+}\r\n{32768*x})\r\n
S: f OK *
C: g GETMETADATA (MAXSIZE 0) Trash /private/b
S: g OK [METADATA LONGENTRIES 32768] *

# RFC 5464 §3.1, §5: names and grammar that are not right
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b SETMETADATA INBOX (/comment "x")
S: b BAD Expected the name of an entry*
C: c SETMETADATA INBOX (/private/ "x")
S: c BAD *
C: d SETMETADATA INBOX (/private/a//b "x")
S: d BAD *
C: e SETMETADATA INBOX ("/private/*" "x")
S: e BAD *
C: f SETMETADATA INBOX ("/private/%" "x")
S: f BAD *
C: g SETMETADATA INBOX (/private "x")
S: g BAD *
C: h SETMETADATA INBOX /private/a "x"
S: h BAD *
C: i SETMETADATA INBOX ()
S: i BAD *
C: j SETMETADATA INBOX (/private/a)
S: j BAD *
C: k SETMETADATA INBOX (/private/a x)
S: k BAD *
C: l GETMETADATA INBOX ()
S: l BAD *
C: m GETMETADATA INBOX
S: m BAD *
C: n GETMETADATA (DEPTH 2) INBOX /private/a
S: n BAD *
C: o GETMETADATA (MAXSIZE) INBOX /private/a
S: o BAD *
C: p GETMETADATA (MAXSIZE -1) INBOX /private/a
S: p BAD *
C: q GETMETADATA () INBOX /private/a
S: q BAD *
C: r GETMETADATA (SIZE 1) INBOX /private/a
S: r BAD *
C: s GETMETADATA INBOX /private/../a
S: * METADATA INBOX (/private/../a NIL)
S: s OK *

# RFC 5464 §4.1: with DELETE and CREATE, and with RENAME
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b CREATE meta
S: b OK *
C: c SETMETADATA meta (/private/comment "x")
S: c OK *
C: d RENAME meta moved
S: d OK *
C: e GETMETADATA moved /private/comment
S: * METADATA moved (/private/comment "x")
S: e OK *
C: f DELETE moved
S: f OK *
C: g CREATE moved
S: g OK *
C: h GETMETADATA moved /private/comment
S: * METADATA moved (/private/comment NIL)
S: h OK *

# RFC 6154 §4: the special use is an entry, too
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b GETMETADATA Archive /private/specialuse
S: * METADATA Archive (/private/specialuse "\\Archive")
S: b OK *
C: c CREATE used
S: c OK *
C: d SETMETADATA used (/private/specialuse "\\Sent" /private/x "1")
S: d OK *
C: e LIST (SPECIAL-USE) "" used
S: * LIST (\HasNoChildren \Sent) "*" used
S: e OK *
C: f GETMETADATA used (/private/specialuse /private/x)
S: * METADATA used (/private/specialuse "\\Sent" /private/x "1")
S: f OK *
C: g SETMETADATA used (/private/specialuse "\\All" /private/x "2")
S: g NO [USEATTR] *
C: h SETMETADATA used (/private/specialuse NIL)
S: h OK *
C: i GETMETADATA used (/private/specialuse /private/x)
S: * METADATA used (/private/specialuse NIL /private/x "1")
S: i OK *

# RFC 9590 §3: LIST tells the entries behind each mailbox
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b CREATE l.one
S: b OK *
C: c CREATE l.two
S: c OK *
C: d SETMETADATA l.one (/shared/vendor/cmu/cyrus-imapd/color "#b71c1c")
S: d OK *
C: e LIST "" l.% RETURN (METADATA ("/shared/vendor/cmu/cyrus-imapd/color"))
S: * LIST (\HasNoChildren) "*" l.one
S: * METADATA l.one (/shared/vendor/cmu/cyrus-imapd/color "#b71c1c")
S: * LIST (\HasNoChildren) "*" l.two
S: * METADATA l.two (/shared/vendor/cmu/cyrus-imapd/color NIL)
S: e OK *
C: f LIST "" l RETURN (METADATA (/private/comment))
S: * LIST (*\HasChildren) "*" l
S: f OK *
C: g LIST "" l.one RETURN (STATUS (MESSAGES) METADATA (/private/a /private/b) CHILDREN)
S: * LIST (\HasNoChildren) "*" l.one
S: * STATUS l.one (MESSAGES 0)
S: * METADATA l.one (/private/a NIL /private/b NIL)
S: g OK *
C: h LIST "" l.one RETURN (METADATA /private/a)
S: h BAD *
C: i LIST "" l.one RETURN (METADATA ())
S: i BAD *
C: j LIST (METADATA (/private/a)) "" l.one
S: j BAD *

# RFC 5464 §4.4, §4.4.2: after ENABLE METADATA the names of what others change are told, at any time
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b ENABLE METADATA METADATA-SERVER
S: * ENABLED METADATA
S: b OK *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C: b SETMETADATA Archive (/private/comment "x" /shared/comment "y")
b S: b OK *
S: * METADATA Archive /private/comment /shared/comment
b C: c SETMETADATA "" (/private/enabled "x")
b S: c OK *
S: * METADATA "" /private/enabled
b C: d SETMETADATA Archive (/private/specialuse NIL)
b S: d OK *
S: * METADATA Archive /private/specialuse
C: c SETMETADATA Archive (/private/comment "own")
S: c OK *
S-NONE: 0.3
# everything else is as ever: changes of the selected mailbox come with the next command, those of others do not
C: d SELECT INBOX
S: ...
S: d OK *
b C-RAW: e APPEND INBOX {6+}\r\na: b\r\n\r\n
b S: e OK *
b C-RAW: f APPEND Archive {6+}\r\na: b\r\n\r\n
b S: f OK *
b C: g CREATE other
b S: g OK *
S-NONE: 0.3
C: e NOOP
S: * * EXISTS
S: * * RECENT
S: e OK *
# and NOTIFY NONE does not switch it off
C: f NOTIFY NONE
S: f OK *
b C: h SETMETADATA Archive (/private/comment NIL)
b S: h OK *
S: * METADATA Archive /private/comment
C: g NOTIFY SET (mailboxes INBOX (MessageNew MessageExpunge))
S: g OK *
b C: i SETMETADATA Archive (/private/comment "x")
b S: i OK *
S: * METADATA Archive /private/comment
