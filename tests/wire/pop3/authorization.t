# The AUTHORIZATION state.
# listener: pop3s
# config: auth_failure_delay = 100ms

# RFC 1939 §4: greeting, QUIT
S: +OK *
C: QUIT
S: +OK *
S-EOF:
LOG: pop3-login: Disconnected: Aborted login by logging out (no auth attempts in *

# RFC 1939 §4: commands of the TRANSACTION state are refused
S: +OK *
C: STAT
S: -ERR *
C: NOOP
S: -ERR *
C: XYZZY
S: -ERR *
C-RAW: {9000*x}\r\n
S: -ERR *

# RFC 1939 §7: USER and PASS
S: +OK *
C: PASS demo
S: -ERR *
C: USER demo@malle.test
S: +OK *
C: PASS demo
S: +OK *
C: QUIT
S: +OK *
S-EOF:
LOG: pop3-login: Login: user=<demo@malle.test>, method=PLAIN, rip=127.0.0.1, lip=127.0.0.1, *TLS, session=<*>

# RFC 3206 §4: a wrong password has the code AUTH
S: +OK *
C: USER demo@malle.test
S: +OK *
C: PASS wrong
S: -ERR [AUTH] *
C-CLOSE:
LOG: pop3-login: Disconnected: Connection closed (auth failed, 1 attempts in * secs): user=<demo@malle.test>, method=PLAIN, rip=127.0.0.1, *

# RFC 5034 §4: AUTH, with and without an initial response, and cancelled
S: +OK *
C: AUTH PLAIN
S: + *
C: *
S: -ERR *
C: AUTH PLAIN
S: + *
C-B64: \0demo@malle.test\0demo
S: +OK *
C: QUIT
S: +OK *

# RFC 2449 §5: CAPA
S: +OK *
C: CAPA
S: +OK*
S: TOP
S: UIDL
S: RESP-CODES
S: PIPELINING
S: EXPIRE NEVER
S: AUTH-RESP-CODE
S: USER
S: SASL PLAIN*
S: IMPLEMENTATION malle
S: .
