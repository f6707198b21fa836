# XCLIENT (Postfix's XCLIENT_README) by a client that may use it.
# config: smtpd_authorized_xclient_hosts = 127.0.0.0/8, 2001:db8::/32
# config: mynetworks = 198.51.100.0/24

# RFC 5321 §4.1.5: XCLIENT, it is offered, and begins the session again
S: 220 *
C: EHLO proxy.example
S: 250-mail.malle.test
S: ...
S: 250-XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT
S: 250-*
C: XCLIENT NAME=c.example ADDR=127.0.0.9 PORT=99
S: 220 mail.malle.test ESMTP *
C: MAIL FROM:<a@client.example>
S: 503 5.5.1 Error: send HELO/EHLO first
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 *
C: XCLIENT NAME=x.example
S: 503 5.5.1 Error: MAIL transaction in progress
C: RCPT TO:<demo@malle.test>
S: 250 *
LOG: *: client=c.example[127.0.0.9]
C: QUIT
S: 221 *

# RFC 5321 §4.1.5: XCLIENT, who has become somebody else may not again
S: 220 *
C: XCLIENT ADDR=192.0.2.1 HELO=client.example
S: 220 *
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<a@elsewhere.example>
S: 554 5.7.1 *
C: RSET
S: 250 *
C: XCLIENT ADDR=198.51.100.1
S: 550 5.7.0 Error: insufficient authorization
C: EHLO client.example
S: 250-mail.malle.test
S: 250-PIPELINING
S: 250-SIZE *
S: 250-STARTTLS
S: 250-ENHANCEDSTATUSCODES
S: 250-*

# RFC 5321 §4.1.5: XCLIENT, the address decides about relaying
S: 220 *
C: XCLIENT ADDR=198.51.100.1 HELO=client.example PROTO=ESMTP
S: 220 *
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<a@elsewhere.example>
S: 250 *
LOG: *: client=*[198.51.100.1]

# RFC 5321 §4.1.5: XCLIENT, LOGIN is a log-in, until the next one says otherwise
S: 220 *
C: XCLIENT LOGIN=demo@malle.test HELO=client.example
S: 220 *
C: MAIL FROM:<someone@client.example>
S: 553 5.7.1 *
C: MAIL FROM:<demo@malle.test>
S: 250 *
C: RCPT TO:<a@elsewhere.example>
S: 250 *
LOG: *: client=*[127.0.0.1], sasl_method=XCLIENT, sasl_username=demo@malle.test
C: RSET
S: 250 *
C: XCLIENT PORT=1 HELO=client.example
S: 220 *
C: MAIL FROM:<demo@malle.test>
S: 250 *
C: RCPT TO:<a@elsewhere.example>
S: 554 5.7.1 *

# RFC 5321 §4.1.5: XCLIENT, what is unknown
S: 220 *
C: XCLIENT NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::7 PORT=[UNAVAILABLE] HELO=[UNAVAILABLE] LOGIN=[UNAVAILABLE]
S: 220 *
C: XCLIENT NAME=[TEMPUNAVAIL] DESTADDR=[UNAVAILABLE] DESTPORT=[UNAVAILABLE] HELO=client.example
S: 220 *
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
LOG: *: client=unknown[2001:db8::7]
C: RSET
S: 250 *
C: XCLIENT ADDR=[UNAVAILABLE] HELO=client.example
S: 220 *
C: XCLIENT ADDR=127.0.0.1
S: 550 5.7.0 *
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
LOG: *: client=unknown[unknown]

# RFC 5321 §4.1.5: XCLIENT, what is wrong changes nothing
S: 220 *
C: XCLIENT
S: 501 5.5.4 Syntax: XCLIENT attribute=value...
C: XCLIENT FOO=bar
S: 501 5.5.4 Bad XCLIENT attribute name: FOO
C: XCLIENT NAME=x.example ADDR=1.2.3
S: 501 5.5.4 Bad ADDR syntax: 1.2.3
C: HELO client.example
S: 250 *
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C: QUIT
S: 221 *
LOG: disconnect from *[127.0.0.1] helo=1 xclient=0/3 mail=1 rcpt=1 quit=1 commands=4/7
