# STARTTLS, and passwords before it.
# listener: imap

# RFC 9051 §6.2.1, §6.2.3: no password before TLS, then everything
S: * OK [CAPABILITY * STARTTLS LOGINDISABLED*] *
C: a LOGIN demo@malle.test demo
S: a NO [PRIVACYREQUIRED] *
C: b LOGIN {15}
S: b NO [PRIVACYREQUIRED] *
C: c AUTHENTICATE PLAIN
S: c NO [PRIVACYREQUIRED] *
C: d STARTTLS
S: d OK *
TLS:
C: e CAPABILITY
S: * CAPABILITY IMAP4rev1 * AUTH=PLAIN*
S: e OK *
C: f STARTTLS
S: f BAD *
C: g LOGIN demo@malle.test demo
S: ...
S: g OK *

# RFC 9051 §11.1: commands injected behind STARTTLS are not run
S: * OK *
C-RAW: a STARTTLS\r\nb NOOP\r\n
S: a BAD *
S: * BYE *
S-EOF:

# RFC 9051 §6.2.3: refused passwords in the log
S: * OK *
C: a LOGIN demo@malle.test demo
S: a NO [PRIVACYREQUIRED] *
C-CLOSE:
LOG: imap-login: Disconnected: Connection closed (tried to use disallowed plaintext auth): user=<>, rip=127.0.0.1, *
