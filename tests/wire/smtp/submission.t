# Submission: logging in, and what may be sent then.
# listener: submission
# config: future_release_limit = 1h
# user: demo@malle.test demo
# user: other@malle.test other

# RFC 4954 §4: nothing is offered or accepted in the clear
S: 220 *
C: EHLO client.example
S: 250-mail.malle.test
S: 250-PIPELINING
S: 250-SIZE *
S: 250-STARTTLS
S: 250-ENHANCEDSTATUSCODES
S: ...
S: 250 LIMITS *
C: AUTH PLAIN AGRlbW9AbWFsbGUudGVzdABkZW1v
S: 538 5.7.11 *
C: MAIL FROM:<demo@malle.test>
S: 530 5.7.0 Must issue a STARTTLS command first

# RFC 6409 §4.3: mail needs a log-in
S: 220 *
C: EHLO client.example
S: 250-*
C: STARTTLS
S: 220 *
TLS:
C: EHLO client.example
S: 250-*
C: MAIL FROM:<demo@malle.test>
S: 530 5.7.0 Authentication required
C: VRFY demo
S: 530 5.7.0 *

# RFC 4954 §4: PLAIN with its response in the command, and a message
S: 220 *
C: EHLO client.example
S: 250-*
C: STARTTLS
S: 220 *
TLS:
C: EHLO client.example
S: 250-*
C: AUTH PLAIN AGRlbW9AbWFsbGUudGVzdABkZW1v
S: 235 2.7.0 *
C: AUTH PLAIN AGRlbW9AbWFsbGUudGVzdABkZW1v
S: 503 5.5.1 *
C: MAIL FROM:<demo@malle.test>
S: 250 *
C: RCPT TO:<x@elsewhere.example>
S: 250 2.1.5 Ok
C: RSET
S: 250 *
C: MAIL FROM:<demo@malle.test>
S: 250 *
C: RCPT TO:<other@malle.test>
S: 250 *
C: DATA
S: 354 *
C: Subject: no date, no id
C: .
S: 250 2.0.0 Ok: delivered as <<id>>
LOG: <<id>>: client=*[127.0.0.1], sasl_method=PLAIN, sasl_username=demo@malle.test
LOG: <<id>>: message-id=<*.<<id>>@mail.malle.test>

# RFC 6409 §6.1: the sender must be one's own
S: 220 *
C: EHLO client.example
S: 250-*
C: STARTTLS
S: 220 *
TLS:
C: EHLO client.example
S: 250-*
C: AUTH PLAIN AGRlbW9AbWFsbGUudGVzdABkZW1v
S: 235 *
C: MAIL FROM:<other@malle.test>
S: 553 5.7.1 <other@malle.test>: Sender address rejected: *
C: MAIL FROM:<someone@elsewhere.example>
S: 553 5.7.1 *
C: MAIL FROM:<>
S: 250 *

# RFC 4954 §4: LOGIN, PLAIN in two steps, giving up, nonsense, a wrong password
S: 220 *
C: EHLO client.example
S: 250-*
C: STARTTLS
S: 220 *
TLS:
C: EHLO client.example
S: 250-*
C: AUTH
S: 501 5.5.4 *
C: AUTH CRAM-MD5
S: 504 5.5.4 *
C: AUTH PLAIN not base64
S: 501 5.5.2 *
C: AUTH PLAIN
S: 334 *
C: *
S: 501 5.7.0 *
C: AUTH PLAIN
S: 334 *
C-B64: \0demo@malle.test\0wrong
S: 535 5.7.8 *
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C-B64: demo@malle.test
S: 334 UGFzc3dvcmQ6
C-B64: demo
S: 235 2.7.0 *
LOG: SASL PLAIN authentication failed: *

# RFC 8314 §3.3: the same with TLS from the first byte
# listener: submissions
S: 220 *
C: EHLO client.example
S: 250-*
C: STARTTLS
S: 503 5.5.1 *
C: AUTH PLAIN AGRlbW9AbWFsbGUudGVzdABkZW1v
S: 235 *

# RFC 4865 §4.2: a message may be dated ahead as far as EHLO says, and by one of the parameters only
# listener: submissions
S: 220 *
C: EHLO client.example
S: 250-mail.malle.test
S: ...
S: 250-FUTURERELEASE 3600 20*-*-*T*:*:*Z
S: ...
S: 250 LIMITS *
C: AUTH PLAIN AGRlbW9AbWFsbGUudGVzdABkZW1v
S: 235 *
C: MAIL FROM:<demo@malle.test> HOLDFOR=0
S: 501 5.5.4 *
C: MAIL FROM:<demo@malle.test> HOLDFOR=60 HOLDUNTIL=2030-01-01T00:00:00Z
S: 501 5.5.4 *
C: MAIL FROM:<demo@malle.test> HOLDFOR=3601
S: 501 5.5.4 *
C: MAIL FROM:<demo@malle.test> HOLDFOR=3600
S: 250 *
C: RCPT TO:<other@malle.test>
S: 250 *
C: DATA
S: 354 *
C: .
S: 250 2.0.0 Ok: queued as *

# RFC 4865 §5.2.2: its time may not be over before it is released
# listener: submissions
S: 220 *
C: EHLO client.example
S: 250-*
C: AUTH PLAIN AGRlbW9AbWFsbGUudGVzdABkZW1v
S: 235 *
C: MAIL FROM:<demo@malle.test> HOLDFOR=300 BY=300;R
S: 501 5.5.4 *
C: MAIL FROM:<demo@malle.test> HOLDFOR=300 BY=301;R
S: 250 *

# RFC 4865 §4.2: only on submission
# listener: smtp
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example> HOLDFOR=60
S: 555 5.5.4 *
