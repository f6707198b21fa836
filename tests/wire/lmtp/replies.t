# LMTP: one reply for each recipient.
# user: demo@malle.test demo
# user: other@malle.test other

# RFC 2033 §4.1: LHLO instead of EHLO and HELO
S: 220 mail.malle.test LMTP *
C: EHLO client.example
S: 500 5.5.2 *
C: HELO client.example
S: 500 5.5.2 *
C: LHLO client.example
S: 250-*

# RFC 2033 §4.2: after DATA as many replies as recipients were accepted
S: 220 *
C: LHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 2.1.0 *
C: RCPT TO:<demo@malle.test>
S: 250 2.1.5 *
C: RCPT TO:<nobody@malle.test>
S: 550 5.1.1 *
C: RCPT TO:<other@malle.test>
S: 250 2.1.5 *
C: DATA
S: 354 *
C: Subject: two
C: .
S: 250 2.0.0 <demo@malle.test> *
S: 250 2.0.0 <other@malle.test> *
C: QUIT
S: 221 *
S-EOF:

# RFC 2033 §4.2: DATA without a recipient fails with 503
S: 220 *
C: LHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 *
C: DATA
S: 503 5.5.1 *
C: RCPT TO:<nobody@malle.test>
S: 550 *
C: DATA
S: 503 5.5.1 *

# RFC 2033 §4.3: the same after the last chunk
S: 220 *
C: LHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C: RCPT TO:<other@malle.test>
S: 250 *
C-RAW: BDAT 6 LAST\r\nA: b\r\n
S: 250 2.0.0 <demo@malle.test> *
S: 250 2.0.0 <other@malle.test> *

# RFC 2033 §4.2: a message that is refused is refused for each
S: 220 *
C: LHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C: RCPT TO:<other@malle.test>
S: 250 *
C: DATA
S: 354 *
C-RAW: a\nb\r\n.\r\n
S: 550 5.6.0 *
S: 550 5.6.0 *

# RFC 2033 §5: no relaying, no log-in
S: 220 *
C: LHLO client.example
S: 250-*
C: AUTH PLAIN AGRlbW9AbWFsbGUudGVzdABkZW1v
S: 500 5.5.2 *
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<x@elsewhere.example>
S: 554 5.7.1 *

# RFC 2033 §4.2, RFC 3030 §3: a reply for each recipient of a binary message as well
S: 220 *
C: LHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example> BODY=BINARYMIME
S: 250 2.1.0 *
C: RCPT TO:<demo@malle.test>
S: 250 2.1.5 *
C: RCPT TO:<other@malle.test>
S: 250 2.1.5 *
C-RAW: BDAT 5 LAST\r\n\r\n\0\n\r
S: 250 2.0.0 <demo@malle.test> *
S: 250 2.0.0 <other@malle.test> *
LOG: *: to=<other@malle.test>, relay=virtual, *, status=sent *
