# The arguments of MAIL and RCPT.

# RFC 5321 §4.1.2: addresses that are accepted
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<"quoted local"@client.example>
S: 250 *
C: RCPT TO:<demo@MALLE.test>
S: 250 *
C: RCPT TO:<demo+tag@malle.test>
S: 250 *
C: RSET
S: 250 *
C: MAIL FROM:<a@[192.0.2.1]>
S: 250 *
C: RSET
S: 250 *
C: MAIL FROM:<a@[IPv6:2001:db8::1]>
S: 250 *

# RFC 5321 §4.1.2: and those that are not
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:a@client.example
S: 501 5.5.4 *
C: MAIL FROM:<a@client.example
S: 501 5.1.7 *
C: MAIL FROM:<a..b@client.example>
S: 501 5.1.7 *
C: MAIL FROM:<a@-client.example>
S: 501 5.1.7 *
C: MAIL FROM:<a@[300.0.2.1]>
S: 501 5.1.7 *
C-RAW: MAIL FROM:<{65*x}@client.example>\r\n
S: 501 5.1.7 *
C: MAIL FROM:<>
S: 250 *
C: RCPT TO:<>
S: 501 5.1.3 *
C: RCPT TO:<demo>
S: 501 5.1.3 *

# RFC 5321 §4.1.1.11: parameters
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<> FUTURERELEASE=1
S: 555 5.5.4 *
C: MAIL FROM:<> SIZE=x
S: 501 5.5.4 *
C: MAIL FROM:<> SIZE=1 SIZE=1
S: 501 5.5.4 *
C: MAIL FROM:<> BODY=9BIT
S: 501 5.5.4 *
C: MAIL FROM:<> BODY=8BITMIME SIZE=20
S: 250 *

# RFC 3461 §4: what a client asks about notifications
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example> RET=HDRS ENVID=QQ314159
S: 250 *
C: RCPT TO:<demo@malle.test> NOTIFY=SUCCESS,NEVER
S: 501 5.5.4 *
C: RCPT TO:<demo@malle.test> ORCPT=rfc822;a+b@c
S: 501 5.5.4 *
C: RCPT TO:<demo@malle.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;Demo@malle.test
S: 250 *

# RFC 6531 §3.5: an address beyond ASCII needs SMTPUTF8
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<josé@client.example>
S: 553 5.6.7 *
C: MAIL FROM:<josé@bücher.example> SMTPUTF8
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C: DATA
S: 354 *
C: Subject: ü
C: .
S: 250 *

# RFC 2852 §3, §4: BY, with a time to come when the message shall come back, and not a short one
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example> BY=0;R
S: 501 5.5.4 *
C: MAIL FROM:<a@client.example> BY=59;R
S: 555 5.5.4 *
C: MAIL FROM:<a@client.example> BY=60
S: 501 5.5.4 *
C: MAIL FROM:<a@client.example> BY=60;R
S: 250 *
C: RSET
S: 250 *
C: MAIL FROM:<a@client.example> BY=-60;NT
S: 250 *

# RFC 6710 §4.1: a priority from -9 to 9; a stranger's may be low
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example> MT-PRIORITY=10
S: 501 5.5.2 *
C: MAIL FROM:<a@client.example> MT-PRIORITY=-9
S: 250 2.1.0 *
C: RSET
S: 250 *
C: MAIL FROM:<a@client.example> MT-PRIORITY=1
S: 250 2.3.6 0 *
