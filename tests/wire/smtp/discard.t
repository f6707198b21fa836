# smtpd_discard_ehlo_keywords: what is not offered is not there.
# config: smtpd_discard_ehlo_keywords = chunking, dsn, starttls, silent-discard
# config: smtpd_discard_ehlo_keyword_address_maps = inline:{ { 192.0.2.9 = PIPELINING } }
# config: smtpd_authorized_xclient_hosts = 127.0.0.0/8

# RFC 5321 §2.2.1: extensions, those that are left out
S: 220 *
C: EHLO client.example
S: 250-mail.malle.test
S: 250-PIPELINING
S: 250-SIZE *
S: 250-XCLIENT *
S: 250-ENHANCEDSTATUSCODES
S: 250-8BITMIME
S: 250-SMTPUTF8
S: 250-BINARYMIME
S: 250-*
S: ...
C: STARTTLS
S: 502 5.5.1 Error: command not implemented
C: MAIL FROM:<a@client.example>
S: 250 *
C: RCPT TO:<demo@malle.test>
S: 250 *
C-RAW: BDAT 4 LAST\r\nabcd
S: 502 5.5.1 Error: command not implemented
C: DATA
S: 354 *
C-RAW: Subject: x\r\n\r\n.\r\n
S: 250 *
C: QUIT
S: 221 *

# RFC 5321 §2.2.1: extensions, those that a table leaves out for one client, and the log tells of it
S: 220 *
C: XCLIENT ADDR=192.0.2.9
S: 220 *
C: EHLO client.example
S: 250-mail.malle.test
S: 250-SIZE *
S: 250-STARTTLS
S: ...
LOG: discarding EHLO keywords: PIPELINING
C: QUIT
S: 221 *
