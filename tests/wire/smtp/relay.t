# Never an open relay: a stranger sends to our domains only, however the address is dressed.

# RFC 5321 §3.6: no mail for other domains
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<demo@malle.test>
S: 250 *
C: RCPT TO:<x@elsewhere.example>
S: 554 5.7.1 <x@elsewhere.example>: Relay access denied
LOG: NOQUEUE: reject: RCPT from *[127.0.0.1]: 554 5.7.1 <x@elsewhere.example>: Relay access denied; from=<demo@malle.test> to=<x@elsewhere.example> proto=ESMTP helo=<client.example>

# RFC 5321 Appendix C: a source route is ignored, its last mailbox counts
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<>
S: 250 *
C: RCPT TO:<@malle.test:x@elsewhere.example>
S: 554 5.7.1 *
C: RCPT TO:<@elsewhere.example,@other.example:demo@malle.test>
S: 250 2.1.5 *

# RFC 5321 §2.3.11: the local part is not interpreted
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<>
S: 250 *
C: RCPT TO:<x%elsewhere.example@malle.test>
S: 550 5.1.1 *
C: RCPT TO:<"x@elsewhere.example"@malle.test>
S: 550 5.1.1 *
C: RCPT TO:<elsewhere.example!x@malle.test>
S: 550 5.1.1 *
C: RCPT TO:<x@malle.test.elsewhere.example>
S: 554 5.7.1 *
C: RCPT TO:<x@[192.0.2.1]>
S: 554 5.7.1 *
