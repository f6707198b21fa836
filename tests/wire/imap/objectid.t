# OBJECTID: names of mailboxes and messages that last.
# listener: imaps

# RFC 8474 §4: a mailbox keeps its id under another name
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *OBJECTID*
C: b CREATE first
S: b OK [MAILBOXID (<<id>>)] *
C: c RENAME first second
S: c OK *
C: d STATUS second (MAILBOXID)
S: * STATUS second (MAILBOXID (<<id>>))
S: d OK *
C: e SELECT second
S: ...
S: * OK [MAILBOXID (<<id>>)] *
S: ...
S: e OK *
C: f CREATE first
S: f OK [MAILBOXID (<<other>>)] *
C: g LIST "" (first second) RETURN (STATUS (MAILBOXID))
S: * LIST (\HasNoChildren) "*" first
S: * STATUS first (MAILBOXID (<<other>>))
S: * LIST (\HasNoChildren) "*" second
S: * STATUS second (MAILBOXID (<<id>>))
S: g OK *

# RFC 8474 §5: copies share an EMAILID, others do not; THREADID is NIL
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C-RAW: b APPEND INBOX {6+}\r\na: b\r\n\r\n
S: b OK *
C-RAW: c APPEND INBOX {6+}\r\na: c\r\n\r\n
S: c OK *
C: d SELECT INBOX
S: ...
S: d OK *
C: e FETCH 1:2 (EMAILID THREADID)
S: * 1 FETCH (EMAILID (<<one>>) THREADID NIL)
S: * 2 FETCH (EMAILID (<<two>>) THREADID NIL)
S: e OK *
C: f COPY 1 INBOX
S: * 3 EXISTS
S: ...
S: f OK *
C: g MOVE 3 Archive
S: ...
S: g OK *
C: h SEARCH EMAILID <<one>>
S: * SEARCH 1
S: h OK *
C: i SEARCH OR THREADID x EMAILID <<two>>
S: * SEARCH 2
S: i OK *
C: j SELECT Archive
S: ...
S: j OK *
C: k UID FETCH 1 (EMAILID)
S: * 1 FETCH (UID 1 EMAILID (<<one>>))
S: k OK *
C: l SEARCH NOT EMAILID <<one>>
S: * SEARCH
S: l OK *
C: m SEARCH EMAILID "a b"
S: m BAD *
