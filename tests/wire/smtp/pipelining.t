# Commands in groups.

# RFC 2920 §4: the whole transaction in two pieces
S: 220 *
C-RAW: EHLO client.example\r\n
S: 250-*
C-RAW: MAIL FROM:<a@client.example>\r\nRCPT TO:<demo@malle.test>\r\nRCPT TO:<nobody@malle.test>\r\nDATA\r\n
S: 250 2.1.0 *
S: 250 2.1.5 *
S: 550 5.1.1 *
S: 354 *
C-RAW: Subject: x\r\n\r\ny\r\n.\r\nQUIT\r\n
S: 250 2.0.0 *
S: 221 *
S-EOF:

# RFC 2920 §3.2: replies to a group come when its last line is not finished yet
S: 220 *
C-RAW: EHLO client.example\r\nNOOP\r\nNO
S: 250-*
S: 250 *
C-RAW: OP\r\n
S: 250 *
