# XCLIENT and XFORWARD by clients whom nobody has named.
# config: smtpd_authorized_xclient_hosts = 192.0.2.0/24, ::1
# config: smtpd_authorized_xforward_hosts = 192.0.2.0/24

# RFC 5321 §4.1.5: XCLIENT, neither is offered, and neither does anything
S: 220 *
C: EHLO client.example
S: 250-mail.malle.test
S: 250-PIPELINING
S: 250-SIZE *
S: 250-STARTTLS
S: 250-ENHANCEDSTATUSCODES
S: 250-*
C: XCLIENT LOGIN=demo@malle.test ADDR=192.0.2.1
S: 550 5.7.0 Error: insufficient authorization
C: XFORWARD NAME=a.example
S: 550 5.7.0 Error: insufficient authorization
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<a@elsewhere.example>
S: 554 5.7.1 *
C: RCPT TO:<demo@malle.test>
S: 250 *
LOG: *: client=*[127.0.0.1]
