# CHUNKING.

# RFC 3030 §4.2: a message in chunks
S: 220 *
C: EHLO cnri.example
S: 250-*
C: MAIL FROM:<ned@cnri.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C-RAW: BDAT 16\r\nSubject: chunks\r
S: 250 2.0.0 *
C-RAW: BDAT 3\r\n\n\r\n
S: 250 2.0.0 *
C-RAW: BDAT 3 LAST\r\n.\r\n
S: 250 2.0.0 Ok: delivered as *

# RFC 3030 §2: an empty last chunk ends the message
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C-RAW: BDAT 7\r\nA: b\r\n\rBDAT 1\r\n\nBDAT 0 LAST\r\n
S: 250 *
S: 250 *
S: 250 2.0.0 Ok: delivered as *

# RFC 3030 §2: chunks and DATA do not mix, nor do new recipients
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C-RAW: BDAT 1\r\nx
S: 250 *
C: DATA
S: 503 5.5.1 *
C: RCPT TO:<demo@malle.test>
S: 503 5.5.1 *
C: RSET
S: 250 *
C: MAIL FROM:<>
S: 250 *

# RFC 3030 §2: a chunk that is refused is read all the same
S: 220 *
C: EHLO client.example
S: 250-*
C-RAW: BDAT 6 LAST\r\nRSET\r\nNOOP\r\n
S: 503 5.5.1 *
S: 250 *

# RFC 3030 §2: without its length a chunk cannot be skipped
S: 220 *
C: EHLO client.example
S: 250-*
C: BDAT many
S: 501 5.5.4 *
S-EOF:

# RFC 3030 §3: binary content comes in chunks only, and holds any byte
S: 220 *
C: EHLO client.example
S: 250-*
C: MAIL FROM:<a@client.example> BODY=BINARYMIME
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C: DATA
S: 503 5.5.1 *
C-RAW: BDAT 20\r\nContent-Type: a/b\r\n\r
S: 250 *
C-RAW: BDAT 5 LAST\r\n\n\0\n\r.
S: 250 2.0.0 Ok: queued as *
