# A full mailbox over LMTP is refused at RCPT.
# config: quota_rule = *:messages=1
# config: quota_warning =
# config: lmtp_rcpt_check_quota = yes
# user: demo@malle.test demo
# user: free@malle.test free
# malle: user quota free@malle.test --messages unlimited

# RFC 3463 §3.3: in the words of Dovecot
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
S: 552 5.2.2 <demo@malle.test> Quota exceeded (mailbox for user is full)
C: RCPT TO:<free@malle.test>
S: 250 2.1.5 *
C: QUIT
S: 221 *
