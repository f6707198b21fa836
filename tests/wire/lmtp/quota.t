# A full mailbox over LMTP: looked at behind the message, or at RCPT where lmtp_rcpt_check_quota says so.
# config: quota_rule = *:messages=1
# config: quota_warning =
# config: quota_full_tempfail = yes
# user: demo@malle.test demo
# user: free@malle.test free
# malle: user quota free@malle.test --messages unlimited

# RFC 2033 §4.2: the one without room is refused, the other has the message
S: 220 *
C: LHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 2.1.0 *
C: RCPT TO:<demo@malle.test>
S: 250 2.1.5 *
C: DATA
S: 354 *
C: Subject: one
C: .
S: 250 2.0.0 <demo@malle.test> *
C: MAIL FROM:<a@client.example>
S: 250 2.1.0 *
C: RCPT TO:<demo@malle.test>
S: 250 2.1.5 *
C: RCPT TO:<free@malle.test>
S: 250 2.1.5 *
C: DATA
S: 354 *
C: Subject: two
C: .
S: 452 4.2.2 Quota exceeded (mailbox for user is full)
S: 250 2.0.0 <free@malle.test> *
C: QUIT
S: 221 *
