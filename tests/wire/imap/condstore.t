# CONDSTORE: modification sequences of messages.
# listener: imaps

# RFC 7162 §3.1.2.1, §3.1.8: SELECT tells HIGHESTMODSEQ, and CONDSTORE switches the extension on
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *CONDSTORE*
C-RAW: a1 APPEND INBOX {6+}\r\na: b\r\n\r\n
S: a1 OK [APPENDUID * *] *
C-RAW: a2 APPEND INBOX {6+}\r\na: b\r\n\r\n
S: a2 OK [APPENDUID * *] *
C-RAW: a3 APPEND INBOX {6+}\r\na: b\r\n\r\n
S: a3 OK [APPENDUID * *] *
C: b SELECT INBOX (CONDSTORE)
S: ...
S: * OK [HIGHESTMODSEQ <<high>>] *
S: b OK [READ-WRITE] *
C: c UID FETCH 1:* (FLAGS) (CHANGEDSINCE <<high>>)
S: c OK *
C: d STORE 1 +FLAGS (\Flagged)
S: * 1 FETCH (UID * FLAGS (\Flagged*) MODSEQ (<<one>>))
S: d OK *
C: e FETCH 1:* (FLAGS) (CHANGEDSINCE <<high>>)
S: * 1 FETCH (FLAGS (\Flagged*) MODSEQ (<<one>>))
S: e OK *
C: f STATUS INBOX (HIGHESTMODSEQ)
S: * STATUS INBOX (HIGHESTMODSEQ <<one>>)
S: f OK *

# RFC 7162 §3.1: a FETCH of MODSEQ switches it on as well, and tells HIGHESTMODSEQ
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: c FETCH 2 (MODSEQ)
S: * OK [HIGHESTMODSEQ *] *
S: * 2 FETCH (MODSEQ (*))
S: c OK *
C: d FETCH 2 (MODSEQ)
S: * 2 FETCH (MODSEQ (*))
S: d OK *
C: e STORE 2 +FLAGS.SILENT (\Answered)
S: * 2 FETCH (UID * MODSEQ (*))
S: e OK *

# RFC 7162 §3.1.3: UNCHANGEDSINCE leaves alone what another session changed
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX (CONDSTORE)
S: ...
S: * OK [HIGHESTMODSEQ <<high>>] *
S: b OK *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C: b SELECT INBOX
b S: ...
b S: b OK *
b C: c STORE 3 +FLAGS (\Draft)
b S: * 3 FETCH (FLAGS (\Draft))
b S: c OK *
C: c STORE 2:3 (UNCHANGEDSINCE <<high>>) +FLAGS (\Seen)
S: * 2 FETCH (UID * FLAGS (*\Seen) MODSEQ (*))
S: * 3 FETCH (UID * FLAGS (\Draft) MODSEQ (*))
S: c OK [MODIFIED 3] *
C: d STORE 2 (UNCHANGEDSINCE 0) +FLAGS.SILENT (\Deleted)
S: d OK [MODIFIED 2] *

# RFC 7162 §3.1.5, §3.1.6: SEARCH by modification sequence tells the highest one found
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX (CONDSTORE)
S: ...
S: b OK *
C: c STORE 3 FLAGS (\Flagged)
S: * 3 FETCH (UID * FLAGS (\Flagged) MODSEQ (<<three>>))
S: c OK *
C: d SEARCH MODSEQ "/flags/\\draft" all <<three>>
S: * SEARCH 3 (MODSEQ <<three>>)
S: d OK *
C: e SEARCH OR NOT MODSEQ 999999999999999999 LARGER 50000
S: * SEARCH 1 2 3 (MODSEQ <<three>>)
S: e OK *
C: f SEARCH MODSEQ 999999999999999999
S: * SEARCH
S: f OK *

# RFC 5161 §3.2: ENABLE tells what it knows; RFC 7162 §3.1.2.1: HIGHESTMODSEQ follows in the selected state
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: c ENABLE CONDSTORE X-UNKNOWN
S: * ENABLED CONDSTORE
S: * OK [HIGHESTMODSEQ *] *
S: c OK *

# RFC 7162 §7: what its grammar does not allow is BAD, and the session lives on
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX (CONDSTORE X)
S: b BAD *
C: c SELECT INBOX
S: ...
S: c OK *
C: d FETCH 1 (FLAGS) (CHANGEDSINCE 9223372036854775808)
S: d BAD *
C: e FETCH 1 (FLAGS) (CHANGEDSINCE -1)
S: e BAD *
C: f STORE 1 (UNCHANGEDSINCE 1 UNCHANGEDSINCE 2) FLAGS ()
S: f BAD *
C: g STORE 1 UNCHANGEDSINCE 1 FLAGS ()
S: g BAD *
C: h UID FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)
S: h BAD *
C: i NOOP
S: i OK *
