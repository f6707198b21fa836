# Commands that are legal in every state after log-in.
# listener: imaps

# RFC 9051 §6.1.1, §6.1.2, §6.1.3: CAPABILITY, NOOP and LOGOUT
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK [CAPABILITY IMAP4rev1 *] *
C: b CAPABILITY
S: * CAPABILITY IMAP4rev1 *
S: b OK *
C: c noop
S: c OK *
C: d LOGOUT
S: * BYE *
S: d OK *
S-EOF:

# RFC 2971 §3.1: ID with a list and with NIL
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b ID ("name" "sodr" "version" "19.34" "vendor" NIL)
S: * ID ("name" "malle")
S: b OK *
C: c ID NIL
S: * ID ("name" "malle")
S: c OK *
C: d ID ("name")
S: d BAD *

# RFC 2342 §5: one personal namespace
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b NAMESPACE
S: * NAMESPACE (("" "*")) NIL NIL
S: b OK *

# RFC 5161 §3.1: ENABLE ignores what it does not know
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b ENABLE X-GOOD-IDEA
S: * ENABLED
S: b OK *
C: c ENABLE
S: c BAD *

# RFC 9051 §6.2: commands that belong before log-in are refused after it
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b LOGIN demo@malle.test demo
S: b BAD *
C: c STARTTLS
S: c BAD *
C: d AUTHENTICATE PLAIN
S: d BAD *
