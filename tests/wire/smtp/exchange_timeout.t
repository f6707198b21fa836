# The time of a SASL exchange, which holds a place at the password check.
# listener: submissions
# config: auth_exchange_timeout = 1s

# RFC 4954 §4: a client that answers no challenge
S: 220 *
C: EHLO client.example
S: 250-*
C: AUTH PLAIN
S: 334 *
S: 421 4.4.2 *
S-EOF:
