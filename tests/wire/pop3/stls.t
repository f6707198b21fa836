# STLS.
# listener: pop3

# RFC 2595 §4: no password before TLS, then everything
S: +OK *
C: USER demo@malle.test
S: -ERR [AUTH] *
C: STLS
S: +OK *
TLS:
C: STLS
S: -ERR *
C: USER demo@malle.test
S: +OK *
C: PASS demo
S: +OK *
C: QUIT
S: +OK *

# RFC 2595 §4: commands injected behind STLS are not run
S: +OK *
C-RAW: STLS\r\nUSER demo@malle.test\r\n
S: -ERR *
S-EOF:
