# Clients that have to wait for replies.
# config: smtpd_forbid_unauth_pipelining = yes

# RFC 2920 §3.1: nothing behind EHLO before it offered that
S: 220 *
C-RAW: EHLO client.example\r\nMAIL FROM:<a@client.example>\r\n
S: 554 5.5.0 Error: SMTP protocol synchronization
S-EOF:
LOG: improper command pipelining after EHLO from *[127.0.0.1]: MAIL FROM:<a@client.example>*

# RFC 2920 §3: nor after HELO, which offers nothing
S: 220 *
C: HELO client.example
S: 250 *
C-RAW: MAIL FROM:<a@client.example>\r\nRCPT TO:<demo@malle.test>\r\n
S: 554 5.5.0 *
S-EOF:
LOG: improper command pipelining after MAIL from *[127.0.0.1]: *

# RFC 2920 §3.1: a group that ends with DATA is fine
S: 220 *
C: EHLO client.example
S: 250-*
C-RAW: MAIL FROM:<a@client.example>\r\nRCPT TO:<demo@malle.test>\r\nDATA\r\n
S: 250 2.1.0 *
S: 250 2.1.5 *
S: 354 *
C-RAW: Subject: x\r\n\r\ny\r\n.\r\nMAIL FROM:<a@client.example>\r\nRSET\r\nQUIT\r\n
S: 250 2.0.0 *
S: 250 *
S: 250 *
S: 221 *
S-EOF:

# RFC 2920 §3.1: the message may not come before the reply to DATA
S: 220 *
C: EHLO client.example
S: 250-*
C-RAW: MAIL FROM:<a@client.example>\r\nRCPT TO:<demo@malle.test>\r\nDATA\r\nSubject: x\r\n\r\ny\r\n.\r\n
S: 250 2.1.0 *
S: 250 2.1.5 *
S: 554 5.5.0 *
S-EOF:
LOG: improper command pipelining after DATA from *[127.0.0.1]: Subject: x*

# RFC 2920 §3.1: nor anything before the replies to NOOP and VRFY
S: 220 *
C: EHLO client.example
S: 250-*
C-RAW: NOOP\r\nNOOP\r\n
S: 554 5.5.0 *
S-EOF:

# RFC 3030 §4.2: chunks are no commands
S: 220 *
C: EHLO client.example
S: 250-*
C-RAW: MAIL FROM:<a@client.example>\r\nRCPT TO:<demo@malle.test>\r\nBDAT 3 LAST\r\nx\r\nQUIT\r\n
S: 250 2.1.0 *
S: 250 2.1.5 *
S: 250 2.0.0 *
S: 221 *
S-EOF:
