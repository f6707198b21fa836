# Only CRLF ends a line of the protocol. What some servers take for the end of a message is refused here, after all of it
# was read, so that nothing in it is ever run as a command.

# RFC 5321 §2.3.8: LF . LF inside a message does not end it
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C: DATA
S: 354 *
C-RAW: Subject: x\r\n\r\none\n.\nMAIL FROM:<b@client.example>\r\nRCPT TO:<demo@malle.test>\r\nDATA\r\ntwo\r\n.\r\n
S: 550 5.6.0 *
C: NOOP
S: 250 *

# RFC 5321 §2.3.8: LF . CRLF
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C: DATA
S: 354 *
C-RAW: one\n.\r\nNOOP\r\n.\r\n
S: 550 5.6.0 *
S-NONE: 0.2

# RFC 5321 §2.3.8: CRLF . LF and CRLF . CR
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C: DATA
S: 354 *
C-RAW: one\r\n.\nNOOP\r\n.\rNOOP\r\n.\r\n
S: 550 5.6.0 *
S-NONE: 0.2

# RFC 3030 §2: in chunks neither; they are counted and cannot end early
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C-RAW: BDAT 11 LAST\r\na\n.\r\nNOOP\r\n
S: 550 5.6.0 *
S-NONE: 0.2

# RFC 5321 §2.3.8: a person may end a command line with LF alone
S: 220 *
C-RAW: EHLO client.example\n
S: 250-*
C-RAW: NOOP\n
S: 250 *

# RFC 5321 §2.3.8: a group of commands with LF alone is refused
S: 220 *
C: EHLO client.example
S: 250-*
C-RAW: NOOP\nRSET\r\n
S: 500 5.5.2 *
S: 250 *
