# ACL: whom an account lets do what with its mailboxes.
# listener: imaps
# user: demo@malle.test demo
# user: list@malle.test list

# RFC 4314 §3.5, §3.8, §2.1.1: MYRIGHTS tells an owner all rights, c and d of RFC 2086 among them
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b MYRIGHTS INBOX
S: * MYRIGHTS INBOX lrswipkxteacd
S: b OK *
C: c MYRIGHTS nowhere
S: c NO [NONEXISTENT] *
C: d MYRIGHTS
S: d BAD *
C: e MYRIGHTS INBOX Sent
S: e BAD *

# RFC 4314 §3.4, §3.7: LISTRIGHTS tells what one has anyway, and what can be given
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b LISTRIGHTS Sent smith
S: * LISTRIGHTS Sent smith "" l r s w i p k x t e a c d
S: b OK *
C: c LISTRIGHTS Sent demo@malle.test
S: * LISTRIGHTS Sent demo@malle.test lrswipkxteacd
S: c OK *
C: d LISTRIGHTS Sent owner
S: * LISTRIGHTS Sent owner lrswipkxteacd
S: d OK *
C: e LISTRIGHTS nowhere smith
S: e NO [NONEXISTENT] *
C: f LISTRIGHTS Sent
S: f BAD *

# RFC 4314 §3.1, §3.3, §3.6: SETACL replaces, adds and removes; GETACL
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b CREATE work
S: b OK *
C: c GETACL work
S: * ACL work demo@malle.test lrswipkxteacd
S: c OK *
C: d SETACL work fred lrs
S: d OK *
C: e SETACL work Fred.Jones rw
S: e OK *
C: f SETACL work fred +wi
S: f OK *
C: g SETACL work fred -s
S: g OK *
C: h SETACL work "$staff" {2+}
C: lr
S: h OK *
C: i SETACL work "the boss" l
S: i OK *
C: j SETACL work nobody ""
S: j OK *
C: k GETACL work
S: * ACL work demo@malle.test lrswipkxteacd $staff lr Fred.Jones rw fred lrwi nobody "" "the boss" l
S: k OK *
C: l GETACL nowhere
S: l NO [NONEXISTENT] *
C: m SETACL nowhere fred l
S: m NO [NONEXISTENT] *
C: n DELETE work
S: n OK *

# RFC 4314 §3.1: a right that nobody knows is BAD, and nothing is changed; capitals are such
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b SETACL Drafts fred lry
S: b BAD *
C: c SETACL Drafts fred +LR
S: c BAD *
C: d SETACL Drafts fred
S: d BAD *
C: e GETACL Drafts
S: * ACL Drafts demo@malle.test lrswipkxteacd
S: e OK *

# RFC 4314 §2.1.1: c is k and x, d is t and e, and comes back with any of them
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b SETACL Trash fred lc
S: b OK *
C: c SETACL Trash smith d
S: c OK *
C: d SETACL Trash smith -e
S: d OK *
C: e GETACL Trash
S: * ACL Trash demo@malle.test lrswipkxteacd fred lkxc smith td
S: e OK *

# RFC 4314 §3, §3.2: negative rights have entries of their own; DELETEACL removes one
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b SETACL Junk $guests lrs
S: b OK *
C: c SETACL Junk -fred s
S: c OK *
C: d SETACL Junk fred l
S: d OK *
C: e DELETEACL Junk fred
S: e OK *
C: f GETACL Junk
S: * ACL Junk demo@malle.test lrswipkxteacd $guests lrs -fred s
S: f OK *
C: g DELETEACL Junk -fred
S: g OK *
C: h DELETEACL Junk -fred
S: h OK *
C: i GETACL Junk
S: * ACL Junk demo@malle.test lrswipkxteacd $guests lrs
S: i OK *
C: j DELETEACL nowhere fred
S: j NO [NONEXISTENT] *

# RFC 4314 §3: identifiers are prepared as names of users are; what is none is BAD
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b SETACL Archive "" l
S: b BAD *
C: c SETACL Archive "-" l
S: c BAD *
C: d SETACL Archive "#group" l
S: d BAD *
C-RAW: e SETACL Archive {11+}\r\nx\r\nanyone l l\r\n
S: e BAD *
C-RAW: f SETACL Archive {1+}\r\n\xff l\r\n
S: f BAD *
C-RAW: g SETACL Archive {257+}\r\n{257*x} l\r\n
S: g BAD *
C-RAW: h SETACL Archive {9+}\r\nre\xc2\xadn\xc3\xa9\xc2\xaa lr\r\n
S: h OK *
C: i GETACL Archive
S: * ACL Archive demo@malle.test lrswipkxteacd {6}
S: renéa lr
S: i OK *

# RFC 4314 §3.1: an owner cannot be shut out, and everybody is not let in unless acl_anyone says so
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b SETACL INBOX demo@malle.test lr
S: b NO [CANNOT] *
C: c SETACL INBOX owner -a
S: c NO [CANNOT] *
C: d SETACL INBOX -owner l
S: d NO [CANNOT] *
C: e SETACL INBOX -demo@malle.test +l
S: e NO [CANNOT] *
C: f SETACL INBOX anyone l
S: f NO [CANNOT] *
C: g SETACL INBOX authenticated +l
S: g NO [CANNOT] *
C: h GETACL INBOX
S: * ACL INBOX demo@malle.test lrswipkxteacd
S: h OK *
C: i SETACL INBOX demo@malle.test lrswipkxtea
S: i OK *
C: j SETACL INBOX owner +l
S: j OK *
C: k SETACL INBOX -anyone l
S: k OK *
C: l DELETEACL INBOX demo@malle.test
S: l OK *
C: m GETACL INBOX
S: * ACL INBOX demo@malle.test lrswipkxteacd -anyone l
S: m OK *

# RFC 8440 §3, §4: LIST with MYRIGHTS, for what is there alone
S: * OK *
C: a LOGIN list@malle.test list
S: a OK *
C: b CREATE a.b
S: b OK *
C: c SUBSCRIBE gone
S: c OK *
C: d LIST "" (a* INBOX) RETURN (MYRIGHTS)
S: * LIST (\HasNoChildren) "*" INBOX
S: * MYRIGHTS INBOX lrswipkxteacd
S: * LIST (\NonExistent \HasChildren) "*" a
S: * LIST (\HasNoChildren) "*" a.b
S: * MYRIGHTS a.b lrswipkxteacd
S: d OK *
C: e LIST (SUBSCRIBED) "" (gone Sent) RETURN (MYRIGHTS STATUS (MESSAGES))
S: * LIST (\HasNoChildren \Subscribed \Sent) "*" Sent
S: * MYRIGHTS Sent lrswipkxteacd
S: * STATUS Sent (MESSAGES 0)
S: * LIST (\NonExistent \HasNoChildren \Subscribed) "*" gone
S: e OK *
C: f LIST (MYRIGHTS) "" *
S: f BAD *
