# The states before log-in.
# listener: imaps

# RFC 9051 §7.1.1, §7.2.2: the greeting and CAPABILITY before log-in
S: * OK [CAPABILITY IMAP4rev1 * AUTH=PLAIN*] *
C: a1 CAPABILITY
S: * CAPABILITY IMAP4rev1 * AUTH=PLAIN*
S: a1 OK *
C: a2 NOOP
S: a2 OK *
C: a3 ID NIL
S: * ID ("name" "malle")
S: a3 OK *

# RFC 9051 §3.1: what needs a log-in is refused before it
S: * OK *
C: a SELECT INBOX
S: a BAD *
C: b LIST "" *
S: b BAD *
C: c NOOP
S: c OK *

# RFC 9051 §2.2.1, §4.3: commands that break the grammar
S: * OK *
C-RAW: \r\n
S: * BAD *
C: a
S: a BAD *
C: a NOOP x
S: a BAD *
C-RAW: {20000*x}\r\n
S: * BAD *
C-RAW: a \0\r\n
S: a BAD *
C: b NOOP
S: b OK *

# RFC 7888 §4: a literal announced as 4 GB is refused before a byte of it is sent
S: * OK *
C: a LOGIN {4294967296}
S: a BAD [LIMIT] *
C: b LOGIN {4294967296+}
S: b BAD [LIMIT] *
S: * BYE *
S-EOF:

# RFC 9051 §6.1.3: LOGOUT
S: * OK *
C: a LOGOUT
S: * BYE *
S: a OK *
S-EOF:
LOG: imap-login: Disconnected: Aborted login by logging out (no auth attempts in *user=<>, rip=127.0.0.1, lip=127.0.0.1, TLS, session=<*>
