# What the server says of itself, and the small commands.
# config: message_size_limit = 1M
# config: smtpd_recipient_limit = 100

# RFC 5321 §4.1.1.1: EHLO lists the extensions, one a line
S: 220 mail.malle.test *
C: EHLO client.example
S: 250-mail.malle.test
S: 250-PIPELINING
S: 250-SIZE 1048576
S: 250-STARTTLS
S: 250-ENHANCEDSTATUSCODES
S: 250-8BITMIME
S: 250-DSN
S: 250-SMTPUTF8
S: 250-CHUNKING
S: 250-BINARYMIME
S: 250-DELIVERBY 60
S: 250-MT-PRIORITY
S: 250 LIMITS RCPTMAX=100 MAILMAX=*
C: QUIT
S: 221 2.0.0 *
S-EOF:
LOG: disconnect from *[127.0.0.1] ehlo=1 quit=1 commands=2

# RFC 5321 §4.1.1.1: HELO still works; a missing name does not
S: 220 *
C: HELO
S: 501 5.5.4 *
C: HELO client.example
S: 250 mail.malle.test
C: EHLO [127.0.0.1]
S: 250-*

# RFC 5321 §4.1.1.9, §4.1.1.8, §4.1.1.6, §4.1.1.7, §4.1.1.5: NOOP, HELP, VRFY, EXPN, RSET
S: 220 *
C: NOOP whatever this says
S: 250 2.0.0 *
C: HELP
S: 214 2.0.0 *
C: VRFY demo
S: 252 2.0.0 *
C: EXPN list
S: 502 5.5.1 *
C: RSET
S: 250 2.0.0 *
C: rset
S: 250 2.0.0 *

# RFC 5321 §4.1.4: EHLO in a transaction ends it
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 2.1.0 *
C: EHLO client.example
S: 250-*
C: RCPT TO:<demo@malle.test>
S: 503 5.5.1 *
