# UNAUTHENTICATE: the connection goes on where it was before log-in.
# listener: imaps
# user: demo@malle.test demo
# user: joe@malle.test joe

# RFC 8437 §3 and §4.1: nothing of the first log-in is left
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *UNAUTHENTICATE*
C-RAW: b APPEND INBOX {6+}\r\na: b\r\n\r\n
S: b OK *
C: c ENABLE QRESYNC IMAP4rev2
S: ...
S: c OK *
C: d SELECT INBOX
S: ...
S: d OK *
C: e UNAUTHENTICATE now
S: e BAD *
C: f UNAUTHENTICATE
S: f OK *
C: g CAPABILITY
S: * CAPABILITY *AUTH=PLAIN*
S: g OK *
C: h SELECT INBOX
S: h BAD *
C: i STARTTLS
S: i BAD *
C: j UNAUTHENTICATE
S: j BAD *
C: k LOGIN demo@malle.test wrong
S: k NO [AUTHENTICATIONFAILED] *
C: l LOGIN joe@malle.test joe
S: l OK *
C: m STATUS INBOX (MESSAGES)
S: * STATUS INBOX (MESSAGES 0)
S: m OK *
C: n FETCH 1 FLAGS
S: n BAD *
C: o SELECT INBOX
S: ...
S: * 0 RECENT
S: ...
S: o OK *

# RFC 8437 §3: the next AUTHENTICATE may come with it, and the commands after that
S: * OK *
C: a LOGIN joe@malle.test joe
S: ...
S: a OK *
C-RAW: b UNAUTHENTICATE\r\nc AUTHENTICATE PLAIN AGRlbW9AbWFsbGUudGVzdABkZW1v\r\nd STATUS INBOX (MESSAGES)\r\n
S: b OK *
S: c OK *
S: * STATUS INBOX (MESSAGES 1)
S: d OK *
C-RAW: e UNAUTHENTICATE\r\nf LOGIN joe@malle.test joe\r\ng UNAUTHENTICATE\r\nh LOGIN demo@malle.test demo\r\n
C-RAW: i UNAUTHENTICATE\r\nj LOGOUT\r\n
S: e OK *
S: f OK *
S: g OK *
S: h OK *
S: i OK *
S: * BYE *
S: j OK *
S-EOF:
