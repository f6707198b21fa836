# QRESYNC: a client that comes back is told what it missed.
# listener: imaps

# RFC 7162 §3.2.5: QRESYNC must be enabled first
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *QRESYNC*
C: b SELECT INBOX (QRESYNC (1 1))
S: b BAD *
C: c ENABLE QRESYNC
S: * ENABLED QRESYNC
S: c OK *
C: d SELECT INBOX (QRESYNC (1 1))
S: ...
S: * OK [HIGHESTMODSEQ *] *
S: d OK [READ-WRITE] *

# RFC 7162 §3.2.7, §3.2.9, §3.2.10: VANISHED takes the place of EXPUNGE, and the OK tells HIGHESTMODSEQ
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: a1 CREATE q1
S: a1 OK *
C-RAW: a2 APPEND q1 {6+}\r\na: b\r\n\r\n
S: a2 OK [APPENDUID * 1] *
C-RAW: a3 APPEND q1 {6+}\r\na: b\r\n\r\n
S: a3 OK [APPENDUID * 2] *
C-RAW: a4 APPEND q1 {6+}\r\na: b\r\n\r\n
S: a4 OK [APPENDUID * 3] *
C-RAW: a5 APPEND q1 {6+}\r\na: b\r\n\r\n
S: a5 OK [APPENDUID * 4] *
C: b ENABLE QRESYNC
S: * ENABLED QRESYNC
S: b OK *
C: c SELECT q1
S: ...
S: c OK *
C: d STORE 1,3:4 +FLAGS.SILENT (\Deleted)
S: * 1 FETCH (UID 1 MODSEQ (*))
S: * 3 FETCH (UID 3 MODSEQ (*))
S: * 4 FETCH (UID 4 MODSEQ (*))
S: d OK *
C: e UID EXPUNGE 3
S: * VANISHED 3
S: e OK [HIGHESTMODSEQ *] *
C: f EXPUNGE
S: * VANISHED 1,4
S: f OK [HIGHESTMODSEQ *] *
C: g MOVE 1 Archive
S: * OK [COPYUID * 2 *] *
S: * VANISHED 2
S: g OK [HIGHESTMODSEQ *] *

# RFC 7162 §3.2.5.1, §3.2.10.1: what vanished and what changed since, within the UIDs that the client knows
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: a1 CREATE q2
S: a1 OK *
C-RAW: a2 APPEND q2 {6+}\r\na: b\r\n\r\n
S: a2 OK [APPENDUID * 1] *
C-RAW: a3 APPEND q2 {6+}\r\na: b\r\n\r\n
S: a3 OK [APPENDUID * 2] *
C-RAW: a4 APPEND q2 (\Deleted) {6+}\r\na: b\r\n\r\n
S: a4 OK [APPENDUID * 3] *
C-RAW: a5 APPEND q2 {6+}\r\na: b\r\n\r\n
S: a5 OK [APPENDUID * 4] *
C: b ENABLE QRESYNC
S: * ENABLED QRESYNC
S: b OK *
C: c SELECT q2
S: ...
S: * OK [UIDVALIDITY <<validity>>] *
S: ...
S: * OK [HIGHESTMODSEQ <<high>>] *
S: c OK *
C: d UNSELECT
S: d OK *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C: b SELECT q2
b S: ...
b S: b OK *
b C: c EXPUNGE
b S: * 3 EXPUNGE
b S: c OK *
b C: d STORE 2 +FLAGS.SILENT (\Seen)
b S: d OK *
C: e SELECT q2 (QRESYNC (<<validity>> <<high>>))
S: * FLAGS *
S: * OK [PERMANENTFLAGS *
S: * 3 EXISTS
S: * * RECENT
S: * OK [UNSEEN 1] *
S: * OK [UIDVALIDITY <<validity>>] *
S: * OK [UIDNEXT 5] *
S: * OK [MAILBOXID (*)] *
S: * OK [HIGHESTMODSEQ *] *
S: * VANISHED (EARLIER) 3
S: * 2 FETCH (UID 2 FLAGS (\Seen) MODSEQ (*))
S: e OK [READ-WRITE] *
C: f SELECT q2 (QRESYNC (<<validity>> <<high>> 1,3:4))
S: ...
S: * OK [HIGHESTMODSEQ *] *
S: * VANISHED (EARLIER) 3
S: f OK *
C: g SELECT q2 (QRESYNC (12345 <<high>> 1:4))
S: ...
S: * OK [HIGHESTMODSEQ *] *
S: g OK *
C: h UID FETCH 1:9 (FLAGS) (CHANGEDSINCE <<high>> VANISHED)
S: * VANISHED (EARLIER) 3
S: * 2 FETCH (UID 2 FLAGS (\Seen) MODSEQ (*))
S: h OK *
# the third message of the client is the third here, so nothing vanished below it unknown
C: i SELECT q2 (QRESYNC (<<validity>> <<high>> 1:4 (1:3 1:2,4)))
S: ...
S: * OK [HIGHESTMODSEQ *] *
S: * 2 FETCH (UID 2 FLAGS (\Seen) MODSEQ (*))
S: i OK *

# RFC 7162 §3.2.10.2: no VANISHED during FETCH, STORE and SEARCH; a UID command tells it
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: a1 CREATE q3
S: a1 OK *
C-RAW: a2 APPEND q3 {6+}\r\na: b\r\n\r\n
S: a2 OK [APPENDUID * 1] *
C-RAW: a3 APPEND q3 (\Deleted) {6+}\r\na: b\r\n\r\n
S: a3 OK [APPENDUID * 2] *
C: b ENABLE QRESYNC
S: * ENABLED QRESYNC
S: b OK *
C: c SELECT q3
S: ...
S: c OK *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C: b SELECT q3
b S: ...
b S: b OK *
b C: c EXPUNGE
b S: * 2 EXPUNGE
b S: c OK *
C: d FETCH 1 (UID)
S: * 1 FETCH (UID 1)
S: d OK *
C: e SEARCH ALL
S: * SEARCH 1 2
S: e OK *
C: f UID FETCH 1 (UID)
S: * 1 FETCH (UID 1)
S: * VANISHED 2
S: f OK *

# RFC 7162 §3.2.8: CLOSE tells nothing of what it expunges
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C-RAW: a2 APPEND Junk (\Deleted) {6+}\r\na: b\r\n\r\n
S: a2 OK [APPENDUID * 1] *
C: b ENABLE QRESYNC
S: * ENABLED QRESYNC
S: b OK *
C: c SELECT Junk
S: ...
S: c OK *
C: d CLOSE
S: d OK *
C: e STATUS Junk (MESSAGES)
S: * STATUS Junk (MESSAGES 0)
S: e OK *
