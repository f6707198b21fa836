# The TRANSACTION state of an empty maildrop.
# listener: pop3s

# RFC 1939 §5, §7: every command on a maildrop without messages
S: +OK *
C: USER demo@malle.test
S: +OK *
C: PASS demo
S: +OK *
C: STAT
S: +OK 0 0
C: LIST
S: +OK *
S: .
C: UIDL
S: +OK*
S: .
C: LIST 1
S: -ERR *
C: RETR 1
S: -ERR *
C: TOP 1 1
S: -ERR *
C: DELE 1
S: -ERR *
C: RSET
S: +OK*
C: NOOP
S: +OK*
C: USER demo@malle.test
S: -ERR *
C: RETR 0
S: -ERR *
C: TOP 1
S: -ERR *
C: QUIT
S: +OK *
S-EOF:

# RFC 2449 §6.8: pipelined commands are answered in order
S: +OK *
C-RAW: USER demo@malle.test\r\nPASS demo\r\nSTAT\r\nNOOP\r\nQUIT\r\n
S: +OK *
S: +OK *
S: +OK 0 0
S: +OK*
S: +OK *
S-EOF:
