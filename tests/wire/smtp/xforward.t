# XFORWARD (Postfix's XFORWARD_README) by a client that may use it.
# config: smtpd_authorized_xforward_hosts = 127.0.0.1

# RFC 5321 §4.1.5: XFORWARD, the log tells where a message came from, and nothing else changes
S: 220 *
C: EHLO filter.example
S: 250-mail.malle.test
S: ...
S: 250-XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT
S: 250-*
C: XFORWARD NAME=c.example ADDR=192.0.2.1 PORT=99
S: 250 2.0.0 Ok
C: XFORWARD PROTO=ESMTP HELO=helo.example IDENT=4bXq SOURCE=REMOTE
S: 250 2.0.0 Ok
C: MAIL FROM:<a@client.example>
S: 250 *
C: XFORWARD NAME=x
S: 503 5.5.1 Error: MAIL transaction in progress
C: RCPT TO:<demo@malle.test>
S: 250 *
LOG: *: client=*[127.0.0.1], orig_queue_id=4bXq, orig_client=c.example[192.0.2.1]
C: RCPT TO:<a@elsewhere.example>
S: 554 5.7.1 *
C: DATA
S: 354 *
C: Subject: x
C: .
S: 250 2.0.0 Ok: delivered as <<first>>
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C: DATA
S: 354 *
C: .
S: 250 2.0.0 Ok: delivered as <<second>>
LOG: *<<second>>: client=*[127.0.0.1]

# RFC 5321 §4.1.5: XFORWARD, what is known of the client
S: 220 *
C: EHLO filter.example
S: 250-*
C: XFORWARD ADDR=IPV6:2001:db8::1
S: 250 2.0.0 Ok
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
LOG: *: client=*[127.0.0.1], orig_client=unknown[2001:db8::1]
C: RSET
S: 250 *
C: XFORWARD NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE] PROTO=[UNAVAILABLE] HELO=[UNAVAILABLE] IDENT=[UNAVAILABLE]
S: 250 2.0.0 Ok
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
LOG: *: client=*[127.0.0.1], orig_client=unknown

# RFC 5321 §4.1.5: XFORWARD, what is wrong
S: 220 *
C: XFORWARD
S: 501 5.5.4 Syntax: XFORWARD attribute=value...
C: XFORWARD LOGIN=demo@malle.test
S: 501 5.5.4 Bad XFORWARD attribute name: LOGIN
C: XFORWARD SOURCE=here
S: 501 5.5.4 Bad SOURCE syntax: here
C: XCLIENT ADDR=127.0.0.2
S: 550 5.7.0 Error: insufficient authorization
