# The time of a SASL exchange, which holds a place at the password check.
# listener: imaps
# config: auth_exchange_timeout = 1s

# RFC 9051 §6.2.2: a client that answers no challenge
S: * OK *
C: a AUTHENTICATE PLAIN
S: + *
S: * BYE *
S-EOF:
LOG: imap-login: Disconnected: Inactivity*
