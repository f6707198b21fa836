# Commands in the wrong order, and words that are none.

# RFC 5321 §4.1.4: RCPT before MAIL is refused
S: 220 mail.malle.test *
C: EHLO client.example
S: 250-*
C: RCPT TO:<demo@malle.test>
S: 503 5.5.1 *
C: QUIT
S: 221 *
S-EOF:

# RFC 5321 §4.1.4: MAIL before EHLO is refused
S: 220 *
C: MAIL FROM:<a@client.example>
S: 503 5.5.1 *

# RFC 5321 §4.1.4: DATA without a recipient is refused
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 *
C: DATA
S: 503 5.5.1 *

# RFC 5321 §4.2.4: an unknown command is answered with 500
S: 220 *
C: XYZZY
S: 500 5.5.* *
