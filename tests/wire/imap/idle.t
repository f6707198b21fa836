# IDLE: changes are told as they happen.
# listener: imaps

# RFC 2177 §3: a message that another session appends is told within the IDLE
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: c IDLE
S: + *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C-RAW: b APPEND INBOX {6+}\r\na: b\r\n\r\n
b S: b OK [APPENDUID *] *
S: * 1 EXISTS
S: * * RECENT
C: DONE
S: c OK *

# RFC 2177 §3: anything but DONE ends it with BAD
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b IDLE
S: + *
C: c NOOP
S: b BAD *
C: d NOOP
S: d OK *

# RFC 2177 §3: DONE may follow IDLE at once
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C-RAW: b IDLE\r\nDONE\r\nc NOOP\r\n
S: + *
S: b OK *
S: c OK *
