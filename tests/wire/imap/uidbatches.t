# UIDBATCHES: ranges of UIDs with so many messages each.
# listener: imaps

# RFC 10022 §3.1: also in a session without message sequence numbers (§3.5)
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *UIDBATCHES*
C: b UIDBATCHES 500
S: b BAD *
C: c ENABLE UIDONLY
S: ...
S: c OK *
C: d SELECT INBOX
S: ...
S: d OK *
C: A143 UIDBATCHES 2000
S: * UIDBATCHES (TAG "A143")
S: A143 OK *
C-RAW: e APPEND INBOX {6+}\r\na: b\r\n {6+}\r\na: c\r\n {6+}\r\na: d\r\n\r\n
S: ...
S: e OK *
C: A144 UIDBATCHES 2000
S: * UIDBATCHES (TAG "A144") 3:1
S: A144 OK *
C: A302 UIDBATCHES 2000 10:20
S: * UIDBATCHES (TAG "A302")
S: A302 OK *
C: A303 UIDBATCHES 20
S: A303 NO [TOOFEW] *
