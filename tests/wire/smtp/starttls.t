# STARTTLS.

# RFC 3207 §4.2: after the handshake the session begins anew
S: 220 *
C: EHLO before.example
S: 250-*
C: STARTTLS
S: 220 2.0.0 *
TLS:
C: MAIL FROM:<a@client.example>
S: 503 5.5.1 *
C: EHLO client.example
S: 250-mail.malle.test
S: 250-PIPELINING
S: 250-SIZE *
S: 250-ENHANCEDSTATUSCODES
S: ...
S: 250 LIMITS *
C: STARTTLS
S: 503 5.5.1 *
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C: DATA
S: 354 *
C: .
S: 250 *
LOG: Anonymous TLS connection established from *[127.0.0.1]: TLSv1.* with cipher * (* bits)

# RFC 3207 §4.2: commands injected behind STARTTLS are not run, neither before nor after the handshake
S: 220 *
C: EHLO client.example
S: 250-*
C-RAW: STARTTLS\r\nMAIL FROM:<a@client.example>\r\n
S: 554 5.5.0 *
S-EOF:
LOG: improper command pipelining after STARTTLS from *[127.0.0.1]: MAIL FROM:<a@client.example>*

# RFC 3207 §4: no argument, and not within a transaction
S: 220 *
C: EHLO client.example
S: 250-*
C: STARTTLS now
S: 501 5.5.4 *
C: MAIL FROM:<>
S: 250 *
C: STARTTLS
S: 503 5.5.1 *

# RFC 8689 §2: REQUIRETLS is offered and taken under TLS only
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example> REQUIRETLS
S: 555 5.5.4 *
C: STARTTLS
S: 220 2.0.0 *
TLS:
C: EHLO client.example
S: 250-mail.malle.test
S: ...
S: 250-REQUIRETLS
S: ...
S: 250 LIMITS *
C: MAIL FROM:<a@client.example> REQUIRETLS=yes
S: 501 5.5.4 *
C: MAIL FROM:<a@client.example> REQUIRETLS
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C: DATA
S: 354 *
C: .
S: 250 *
