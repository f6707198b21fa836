# The TRANSACTION and UPDATE states with a message in the maildrop.
# listener: pop3s
# listener b: smtp

# RFC 1939 §3, §5, §6: dots, sizes, and deletion at QUIT alone
b S: 220 *
b C: EHLO client.example
b S: 250-*
b C: MAIL FROM:<a@client.example>
b S: 250 *
b C: RCPT TO:<demo@malle.test>
b S: 250 *
b C: DATA
b S: 354 *
b C-RAW: Subject: dots\r\n\r\n..a line with a dot\r\nsecond\r\nthird\r\n.\r\n
b S: 250 *
S: +OK *
C: USER demo@malle.test
S: +OK *
C: PASS demo
S: +OK *
C: STAT
S: +OK 1 <<size>>
C: LIST 1
S: +OK 1 <<size>>
C: UIDL 1
S: +OK 1 <<uidl>>
C: TOP 1 2
S: +OK*
S: ...
S: Subject: dots
S: 
S: ..a line with a dot
S: second
S: .
C: RETR 1
S: +OK <<size>> octets
S: ...
S: Subject: dots
S: 
S: ..a line with a dot
S: second
S: third
S: .
C: DELE 1
S: +OK *
C: RETR 1
S: -ERR *
C: STAT
S: +OK 0 0
C-CLOSE:
c S: +OK *
c C: USER demo@malle.test
c S: +OK *
c C: PASS demo
c S: +OK *
c C: UIDL
c S: +OK*
c S: 1 <<uidl>>
c S: .
c C: DELE 1
c S: +OK *
c C: QUIT
c S: +OK *
c S-EOF:
d S: +OK *
d C: USER demo@malle.test
d S: +OK *
d C: PASS demo
d S: +OK *
d C: STAT
d S: +OK 0 0
