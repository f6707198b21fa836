# Mailboxes: names, listing, subscription, special use.
# listener: imaps

# RFC 9051 §6.3.9: a new account has INBOX and the five mailboxes with their SPECIAL-USE (RFC 6154 §2)
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b LIST "" ""
S: * LIST (\Noselect) "*" ""
S: b OK *
C: c LIST "" INBOX
S: * LIST (\HasNoChildren) "*" INBOX
S: c OK *
C: d LIST (SPECIAL-USE) "" "*"
S: * LIST (\HasNoChildren \Archive) "*" Archive
S: * LIST (\HasNoChildren \Drafts) "*" Drafts
S: * LIST (\HasNoChildren \Junk) "*" Junk
S: * LIST (\HasNoChildren \Sent) "*" Sent
S: * LIST (\HasNoChildren \Trash) "*" Trash
S: d OK *
C: e LSUB "" %
S: ...
S: * LSUB () "*" Trash
S: e OK *

# RFC 9051 §6.3.4, §6.3.5: CREATE and DELETE
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b CREATE blurdybloop
S: b OK *
C: c CREATE blurdybloop
S: c NO [ALREADYEXISTS] *
C: d STATUS blurdybloop (MESSAGES UIDNEXT UNSEEN)
S: * STATUS blurdybloop (MESSAGES 0 UIDNEXT 1 UNSEEN 0)
S: d OK *
C: e DELETE blurdybloop
S: e OK *
C: f DELETE blurdybloop
S: f NO [NONEXISTENT] *
C: g DELETE INBOX
S: g NO *
C: h CREATE INBOX
S: h NO *

# RFC 3501 §5.1.3: names in modified UTF-7
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b CREATE "Entw&APw-rfe &- mehr"
S: b OK *
C: c LIST "" Entw%
S: * LIST (\HasNoChildren) "*" "Entw&APw-rfe &- mehr"
S: c OK *
C: d CREATE "&bad"
S: d BAD *

# RFC 9051 §6.3.6: RENAME
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b CREATE old
S: b OK *
C: c RENAME old new
S: c OK *
C: d LIST "" (old new)
S: * LIST (\HasNoChildren) "*" new
S: d OK *
C: e RENAME old other
S: e NO [NONEXISTENT] *
C: f RENAME new Sent
S: f NO [ALREADYEXISTS] *

# RFC 9051 §6.3.7, §6.3.8: SUBSCRIBE and UNSUBSCRIBE
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b CREATE news
S: b OK *
C: c SUBSCRIBE news
S: c OK *
C: d LSUB "" news
S: * LSUB () "*" news
S: d OK *
C: e LIST "" news RETURN (SUBSCRIBED)
S: * LIST (\HasNoChildren \Subscribed) "*" news
S: e OK *
C: f UNSUBSCRIBE news
S: f OK *
C: g LSUB "" news
S: g OK *

# RFC 6154 §3: CREATE with a special use
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b CREATE Bin (USE (\Trash))
S: b OK *
C: c LIST (SPECIAL-USE) "" Bin
S: * LIST (\HasNoChildren \Trash) "*" Bin
S: c OK *
C: d CREATE Everything (USE (\All))
S: d NO [USEATTR] *

# RFC 5819 §2: LIST with the STATUS of each mailbox that can be selected; RFC 8438, RFC 7889 §4: SIZE and APPENDLIMIT
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *LIST-STATUS STATUS=SIZE * APPENDLIMIT=*
C: a1 LIST "" ""
S: * LIST (\Noselect) "<<sep>>" ""
S: a1 OK *
C: b CREATE up<<sep>>down
S: b OK *
C-RAW: c APPEND up<<sep>>down {6+}\r\na: b\r\n\r\n
S: c OK *
C: d LIST "" "up*" RETURN (STATUS (MESSAGES SIZE) CHILDREN)
S: * LIST (\NonExistent \HasChildren) "<<sep>>" up
S: * LIST (\HasNoChildren) "<<sep>>" up<<sep>>down
S: * STATUS up<<sep>>down (MESSAGES 1 SIZE 6)
S: d OK *
C: e STATUS up<<sep>>down (APPENDLIMIT HIGHESTMODSEQ)
S: * STATUS up<<sep>>down (HIGHESTMODSEQ * APPENDLIMIT *)
S: e OK *
C: f LIST "" "up*" RETURN (STATUS)
S: f BAD *
