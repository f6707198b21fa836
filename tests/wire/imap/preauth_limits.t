# Limits before log-in.
# listener: imap
# config: login_processes = 1
# config: login_client_limit = 2
# config: login_timeout = 5s
# config: login_command_limit = 5

# RFC 9051 §7.1.5: one connection too many from an address
a S: * OK *
b S: * OK *
c S: * BYE [LIMIT] *
c S-EOF:
a C: a NOOP
a S: a OK *

# RFC 9051 §7.1.5: too many commands before log-in
S: * OK *
C-RAW: {6*a NOOP\r\n}
S: a OK *
S: a OK *
S: a OK *
S: a OK *
S: a OK *
S: * BYE *
S-EOF:

# RFC 9051 §5.4: a connection that does not log in
S: * OK *
S: * BYE *
S-EOF:
LOG: imap-login: Disconnected: Inactivity (no auth attempts in 5 secs)*
