# What a session may not do.
# config: smtpd_hard_error_limit = 3
# config: smtpd_junk_command_limit = 5
# config: smtpd_timeout = 1s
# config: line_length_limit = 512

# RFC 5321 §4.5.3.1.4: a command line that is too long is one error, and the session stays in step
S: 220 *
C-RAW: {20000*x}\r\n
S: 500 5.5.2 *
C: NOOP
S: 250 *
C-RAW: {600*x}\r\nNOOP\r\n
S: 500 5.5.2 *
S: 250 *

# RFC 5321 §4.1.1: a NUL in a command
S: 220 *
C-RAW: NO\0OP\r\n
S: 500 5.5.2 *

# RFC 5321 §7.8: too many errors
S: 220 *
C: X
S: 500 *
C: X
S: 500 *
C: X
S: 500 *
S: 421 4.7.0 mail.malle.test *
S-EOF:
LOG: too many errors after UNKNOWN from *[127.0.0.1]

# RFC 5321 §7.8: commands that lead nowhere count when they are many
S: 220 *
C-RAW: {9*NOOP\r\n}
S: 250 *
S: ...
S: 421 4.7.0 *
S-EOF:

# RFC 5321 §4.5.3.2: silence ends with 421
S: 220 *
S: 421 4.4.2 mail.malle.test *
S-EOF:
LOG: timeout after CONNECT from *[127.0.0.1]

# RFC 9110 §9.3.1: a browser is no mail client
S: 220 *
C: GET / HTTP/1.1
S: 221 2.7.0 Error: I can break rules, too. Goodbye.
S-EOF:
LOG: non-SMTP command from *[127.0.0.1]: GET / HTTP/1.1
