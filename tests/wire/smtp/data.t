# A message from MAIL to its end.
# config: message_size_limit = 4k

# RFC 5321 Appendix D.1: a typical transaction
S: 220 *
C: EHLO bar.example
S: 250-*
C: MAIL FROM:<Smith@bar.example>
S: 250 2.1.0 *
C: RCPT TO:<demo@malle.test>
S: 250 2.1.5 *
C: RCPT TO:<Green@malle.test>
S: 550 5.1.1 <Green@malle.test>: *
C: DATA
S: 354 *
C: Message-ID: <typical@bar.example>
C:
C: Blah blah blah...
C: ..etc. etc. etc.
C: .
S: 250 2.0.0 Ok: delivered as <<id>>
C: QUIT
S: 221 *
S-EOF:
LOG: <<id>>: client=*[127.0.0.1]
LOG: <<id>>: message-id=<typical@bar.example>
LOG: <<id>>: reject: RCPT from *: 550 5.1.1 <Green@malle.test>: *; from=<Smith@bar.example> to=<Green@malle.test> proto=ESMTP helo=<bar.example>
LOG: <<id>>: to=<demo@malle.test>, relay=virtual, delay=*, delays=*, dsn=2.0.0, status=sent (delivered to maildir)

# RFC 5321 §4.1.1.4: an empty message, and the next one in the same session
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C: DATA
S: 354 *
C: .
S: 250 *
C: MAIL FROM:<a@client.example>
S: 250 *

# RFC 5321 §4.5.1: postmaster is always there, with and without a domain
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<Postmaster>
S: 250 2.1.5 *
C: RCPT TO:<postmaster@malle.test>
S: 250 2.1.5 *

# RFC 5321 §3.3: DATA when every recipient was refused
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<nobody@malle.test>
S: 550 5.1.1 *
C: DATA
S: 554 5.5.1 *

# RFC 1870 §6.1: a size announced over the limit
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example> SIZE=4097
S: 552 5.3.4 *
C: MAIL FROM:<a@client.example> SIZE=4096
S: 250 *

# RFC 1870 §6.3: a message of exactly the limit passes
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C: DATA
S: 354 *
C-RAW: A: b\r\n\r\n{4086*x}\r\n.\r\n
S: 250 *

# RFC 1870 §6.3: one byte more is read to its end and refused; the session goes on
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C: DATA
S: 354 *
C-RAW: A: b\r\n\r\n{4087*x}\r\n.\r\nNOOP\r\n
S: 552 5.3.4 *
S: 250 *
LOG: reject: END-OF-MESSAGE from *: 552 5.3.4 *

# RFC 5321 §6.3: a message that has come round too often
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C: DATA
S: 354 *
C-RAW: {51*Received: from a by b\r\n}\r\n.\r\n
S: 554 5.4.6 *

# RFC 5321 §4.1.1.4: a connection that is lost inside a message delivers nothing
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C: DATA
S: 354 *
C: half
C-EOF:
S-EOF:
LOG: lost connection after DATA from *[127.0.0.1]
