# The time of a SASL exchange, which holds a place at the password check.
# listener: pop3s
# config: auth_exchange_timeout = 1s

# RFC 5034 §4: a client that answers no challenge
S: +OK *
C: AUTH PLAIN
S: + *
S: -ERR *
S-EOF:
LOG: pop3-login: Disconnected: Inactivity*
