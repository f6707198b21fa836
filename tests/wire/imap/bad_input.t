# What breaks the grammar is answered, and the next command is read where the client thinks it begins.
# listener: imaps

# RFC 9051 §7.1.3: unknown commands, missing arguments, empty lines
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b XYZZY
S: b BAD *
C: c
S: c BAD *
C:
S: * BAD *
C: d SELECT
S: d BAD *
C: e SELECT "INBOX
S: e BAD *
C: f CLOSE
S: f BAD *
C-RAW: g NO\0OP\r\n
S: g BAD *
C: h NOOP
S: h OK *

# RFC 9051 §4: a line longer than the limit is refused and skipped
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C-RAW: b SELECT {70000*x}\r\nc NOOP\r\n
S: b BAD *
S: c OK *

# RFC 7888 §4: refused literals, announced as 4 GB or sent at once, leave the session in sync
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT {4294967295}
S: b NO [LIMIT] *
C-RAW: c SELECT {70000+}\r\n{70000*x}\r\n
S: c NO [LIMIT] *
C: d SELECT {5}
S: + *
C: INBOX
S: ...
S: d OK [READ-WRITE] *

# RFC 9051 §7.1.5: a client that sends nothing but nonsense is sent away
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C-RAW: {25*b X\r\n}
S: b BAD *
S: ...
S: * BYE *
S-EOF:

# RFC 9051 §2.2: a client that closes its side in the middle of a command is let go
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C-RAW: b SELECT INB
C-EOF:
S-EOF:
