# The selected state: entering and leaving it.
# listener: imaps

# RFC 3501 §6.3.1: SELECT tells flags, counts and UIDs
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT Archive
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft *)
S: * OK [PERMANENTFLAGS (*\*)] *
S: * 0 EXISTS
S: * 0 RECENT
S: * OK [UIDVALIDITY *] *
S: * OK [UIDNEXT 1] *
S: * OK [MAILBOXID (*)] *
S: * OK [HIGHESTMODSEQ 1] *
S: b OK [READ-WRITE] *

# RFC 9051 §6.3.3: EXAMINE is read-only
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b EXAMINE INBOX
S: ...
S: * OK [PERMANENTFLAGS ()] *
S: ...
S: b OK [READ-ONLY] *

# RFC 9051 §6.3.2: a SELECT that fails deselects the mailbox
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: c SELECT nowhere
S: * OK [CLOSED] *
S: c NO [NONEXISTENT] *
C: d CHECK
S: d BAD *

# RFC 3691 §2: UNSELECT keeps \Deleted messages; RFC 9051 §6.4.1: CLOSE removes them
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b CREATE closing
S: b OK *
C: c APPEND closing (\Deleted) {6+}
C-RAW: a: b\r\n\r\n
S: c OK [APPENDUID * 1] *
C: d SELECT closing
S: ...
S: d OK *
C: e UNSELECT
S: e OK *
C: f STATUS closing (MESSAGES)
S: * STATUS closing (MESSAGES 1)
S: f OK *
C: g SELECT closing
S: ...
S: g OK *
C: h CLOSE
S: h OK *
C: i STATUS closing (MESSAGES UIDNEXT)
S: * STATUS closing (MESSAGES 0 UIDNEXT 2)
S: i OK *
