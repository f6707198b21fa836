# IMAP4rev2: what is another way once the client has enabled it.
# listener: imaps

# RFC 9051 §6.3.2: SELECT tells LIST, and nothing recent; §6.4.4: SEARCH answers with ESEARCH
S: * OK [CAPABILITY * IMAP4rev2 *] *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *IMAP4rev2*
C-RAW: a1 APPEND INBOX {6+}\r\na: b\r\n\r\n
S: a1 OK *
C: b ENABLE IMAP4rev2
S: * ENABLED IMAP4rev2
S: b OK *
C: c SELECT INBOX
S: * FLAGS *
S: * OK [PERMANENTFLAGS *
S: * 1 EXISTS
S: * OK [UIDVALIDITY *] *
S: * OK [UIDNEXT 2] *
S: * OK [MAILBOXID (*)] *
S: * OK [HIGHESTMODSEQ *] *
S: * LIST () "*" INBOX
S: c OK [READ-WRITE] *
C: d FETCH 1 (FLAGS)
S: * 1 FETCH (FLAGS ())
S: d OK *
C: e SEARCH ALL
S: * ESEARCH (TAG "e") ALL 1
S: e OK *
C-RAW: f APPEND INBOX {6+}\r\na: b\r\n\r\n
S: * 2 EXISTS
S: f OK [APPENDUID * 2] *

# RFC 9051 §5.1: mailbox names are UTF-8, and "&" is a letter like others
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b CREATE "&ZeVnLIqe-"
S: b OK *
C: c ENABLE IMAP4rev2
S: * ENABLED IMAP4rev2
S: c OK *
C: d LIST "" "日*"
S: * LIST (\HasNoChildren) "*" "日本語"
S: d OK *
C: e CREATE "R&D"
S: e OK *
C: f STATUS "R&D" (MESSAGES DELETED SIZE)
S: * STATUS R&D (MESSAGES 0 DELETED 0 SIZE 0)
S: f OK *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C: b LIST "" "R*"
b S: * LIST (\HasNoChildren) "*" R&-D
b S: b OK *
b C: c LIST "" "&ZeVnLIqe-"
b S: * LIST (\HasNoChildren) "*" &ZeVnLIqe-
b S: c OK *
