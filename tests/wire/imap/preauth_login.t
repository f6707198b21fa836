# Logging in.
# listener: imaps
# config: auth_failure_delay = 100ms

# RFC 9051 §6.2.3: LOGIN with atoms
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
LOG: imap-login: Login: user=<demo@malle.test>, method=PLAIN, rip=127.0.0.1, lip=127.0.0.1, *TLS, session=<*>

# RFC 9051 §6.2.3, §4.3: LOGIN with literals, which are asked for one by one
S: * OK *
C: a LOGIN {15}
S: + *
C: demo@malle.test {4}
S: + *
C: demo
S: ...
S: a OK *

# RFC 7888 §4: LOGIN with literals that come without asking, and a command pipelined behind it
S: * OK *
C-RAW: a LOGIN {15+}\r\ndemo@malle.test {4+}\r\ndemo\r\nb NOOP\r\n
S: ...
S: a OK *
S: b OK *

# RFC 5530 §3: a wrong password; the connection can try again
S: * OK *
C: a LOGIN demo@malle.test wrong
S: a NO [AUTHENTICATIONFAILED] *
C: b LOGIN nobody@malle.test demo
S: b NO [AUTHENTICATIONFAILED] *
C: c LOGIN demo@malle.test demo
S: ...
S: c OK *

# RFC 9051 §6.2.2, RFC 4959 §3: AUTHENTICATE PLAIN with an initial response
S: * OK *
C: a AUTHENTICATE PLAIN AGRlbW9AbWFsbGUudGVzdABkZW1v
S: ...
S: a OK *

# RFC 9051 §6.2.2: AUTHENTICATE PLAIN with a challenge, and a client that cancels
S: * OK *
C: a AUTHENTICATE PLAIN
S: + *
C: *
S: a BAD *
C: b AUTHENTICATE PLAIN
S: + *
C-B64: \0demo@malle.test\0demo
S: ...
S: b OK *

# RFC 4422 §A: EXTERNAL is not there for a client without a certificate
S: * OK *
C: a AUTHENTICATE EXTERNAL ZGVtb0BtYWxsZS50ZXN0
S: a NO [CANNOT] *

# RFC 9051 §6.2.2: unknown mechanisms, and responses that are not base64
S: * OK *
C: a AUTHENTICATE GSSAPI
S: a NO *
C: b AUTHENTICATE PLAIN
S: + *
C: !!!
S: b BAD *

# RFC 9051 §6.2.3: failed log-ins as fail2ban's filter for Dovecot expects them
S: * OK *
C: a LOGIN demo@malle.test wrong
S: a NO [AUTHENTICATIONFAILED] *
C-CLOSE:
LOG: imap-login: Disconnected: Connection closed (auth failed, 1 attempts in * secs): user=<demo@malle.test>, method=PLAIN, rip=127.0.0.1, lip=127.0.0.1, TLS, session=<*>
