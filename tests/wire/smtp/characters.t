# Characters that a message may not have, and those that are taken out.
# config: message_reject_characters = \0\201
# config: message_strip_characters = xyz

# RFC 5322 §3.5: a NUL, or another byte that is not wanted, in the header or the body
S: 220 *
C: EHLO client.example
S: 250-*
C-RAW: MAIL FROM:<a@client.example>\r\nRCPT TO:<demo@malle.test>\r\nDATA\r\n
S: 250 *
S: 250 *
S: 354 *
C-RAW: Subject: x\r\n\r\na\0b\r\n.\r\n
S: 550 5.7.1 disallowed character
C-RAW: MAIL FROM:<a@client.example>\r\nRCPT TO:<demo@malle.test>\r\nBDAT 19 LAST\r\nSubject: \x81\r\n\r\nabcde
S: 250 *
S: 250 *
S: 550 5.7.1 disallowed character

# RFC 5321 §4.5.2: what is left of a message is delivered
S: 220 *
C: EHLO client.example
S: 250-*
C-RAW: MAIL FROM:<a@client.example>\r\nRCPT TO:<demo@malle.test>\r\nDATA\r\n
S: 250 *
S: 250 *
S: 354 *
C-RAW: Subject: {70*x}\r\n\r\n{70*y}\r\n{70*z}\r\n.\r\n
S: 250 2.0.0 Ok: delivered as <<id>>
LOG: <<id>>: to=<demo@malle.test>*status=sent
