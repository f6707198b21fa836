# A full mailbox is refused at RCPT.
# config: quota_rule = *:messages=1
# config: quota_warning =
# user: demo@malle.test demo
# user: big@malle.test big
# user: free@malle.test free
# user: listed@malle.test listed
# malle: user quota big@malle.test --quota 1k --messages default
# malle: user quota free@malle.test --messages unlimited
# malle: alias add both@malle.test listed@malle.test
# malle: alias add both@malle.test free@malle.test

# RFC 3463 §3.3: 5.2.2 where there is no room; the others get their mail
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 2.1.0 *
C: RCPT TO:<demo@malle.test>
S: 250 2.1.5 *
C: DATA
S: 354 *
C: Subject: one
C:
C: .
S: 250 2.0.0 *
C: MAIL FROM:<a@client.example>
S: 250 2.1.0 *
C: RCPT TO:<demo@malle.test>
S: 552 5.2.2 <demo@malle.test>: Recipient address rejected: Quota exceeded (mailbox for user is full)
C: RCPT TO:<free@malle.test>
S: 250 2.1.5 *
C: DATA
S: 354 *
C: Subject: two
C:
C: .
S: 250 2.0.0 *
C: QUIT
S: 221 *

# RFC 1870 §6.1: the announced size counts
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example> SIZE=2000
S: 250 2.1.0 *
C: RCPT TO:<big@malle.test>
S: 552 5.2.2 *
C: RSET
S: 250 *
C: MAIL FROM:<a@client.example> SIZE=100
S: 250 2.1.0 *
C: RCPT TO:<big@malle.test>
S: 250 2.1.5 *
C: DATA
S: 354 *
C-RAW: Subject: too large\r\n\r\n{2000*x}\r\n.\r\n
S: 552 5.2.2 *
C: QUIT
S: 221 *

# RFC 5321 §6.1: an address that leads to several is taken; what one of them has no room for goes back
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<>
S: 250 2.1.0 *
C: RCPT TO:<both@malle.test>
S: 250 2.1.5 *
C: DATA
S: 354 *
C: Subject: both
C:
C: .
S: 250 2.0.0 *
C: MAIL FROM:<>
S: 250 2.1.0 *
C: RCPT TO:<both@malle.test>
S: 250 2.1.5 *
C: DATA
S: 354 *
C: Subject: both
C:
C: .
S: 250 2.0.0 *
C: QUIT
S: 221 *
LOG: *status=bounced (*Quota exceeded*
