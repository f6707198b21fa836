# MULTIAPPEND: several messages in one APPEND, all of them or none.
# listener: imaps
# config: message_size_limit = 1M

# RFC 3502 §6.3.11: the example, with APPENDUID of both
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *MULTIAPPEND*
C: b CREATE saved-messages
S: b OK *
C: A003 APPEND saved-messages (\Seen) {91}
S: + *
C-RAW: Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)\r\nSubject: afternoon meeting\r\n\r\nHello Joe.{5*.}\r\n
C: ~ (\Seen) " 7-Feb-1994 22:43:04 -0800" {82}
S: A003 BAD *
C: A003 APPEND saved-messages (\Seen) {91}
S: + *
C-RAW: Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)\r\nSubject: afternoon meeting\r\n\r\nHello Joe.{5*.}\r\n
C:  (\Seen) " 7-Feb-1994 22:43:04 -0800" {75}
S: + *
C-RAW: Date: Mon, 7 Feb 1994 22:43:04 -0800 (PST)\r\nSubject: Re: meeting\r\n\r\n3:30.\r\n
C:
S: A003 OK [APPENDUID * 1:2] *
C: c EXAMINE saved-messages
S: ...
S: * 2 EXISTS
S: ...
S: c OK *
C: d FETCH 2 (FLAGS INTERNALDATE)
S: * 2 FETCH (FLAGS (\Seen) INTERNALDATE " 8-Feb-1994 06:43:04 +0000")
S: d OK *

# RFC 3502 §6.3.11: no partial appending, whatever is wrong with the second message
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: A004 APPEND bogusname (\Flagged) {1023}
S: A004 NO [TRYCREATE] *
C-RAW: b APPEND INBOX {6+}\r\na: b\r\n {0+}\r\n\r\n
S: b NO *
C-RAW: c APPEND INBOX {6+}\r\na: b\r\n {1048577}\r\n
S: c NO [TOOBIG] *
C-RAW: d APPEND INBOX {6+}\r\na: b\r\n (\\Strange) {6+}\r\na: b\r\n\r\n
S: d BAD *
C-RAW: e APPEND INBOX {6+}\r\na: b\r\n ~{4+}\r\n\0\0\0\0\r\n
S: e NO [UNKNOWN-CTE] *
C-RAW: f APPEND INBOX {6+}\r\na: b\r\n {6+}\r\na: b
C-CLOSE:
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C: b STATUS INBOX (MESSAGES UIDNEXT)
b S: * STATUS INBOX (MESSAGES 0 UIDNEXT 1)
b S: b OK *
