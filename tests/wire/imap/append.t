# APPEND: messages stream into a mailbox; what cannot be taken is refused before it is sent.
# listener: imaps
# config: message_size_limit = 1M

# RFC 9051 §6.3.12 and RFC 4315 §3: flags, date and APPENDUID
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b CREATE saved
S: b OK *
C: c APPEND saved (\Seen $MDNSent) "17-Jul-1996 02:44:25 -0700" {310}
S: + *
C-RAW: Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)\r\nFrom: Fred Foobar <foobar@Blurdybloop.example>\r\n
C-RAW: Subject: afternoon meeting\r\nTo: mooch@owatagu.siam.edu.example\r\n
C-RAW: Message-Id: <B27397-0100000@Blurdybloop.example>\r\nMIME-Version: 1.0\r\n
C-RAW: Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n{37*x}\r\n\r\n
S: c OK [APPENDUID * 1] *
C: d STATUS saved (MESSAGES UNSEEN SIZE)
S: * STATUS saved (MESSAGES 1 UNSEEN 0 SIZE 310)
S: d OK *

# RFC 9051 §7.1: a missing mailbox is told with TRYCREATE, and the next command is read in sync
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b APPEND nowhere {3}
S: b NO [TRYCREATE] *
C-RAW: c APPEND nowhere {3+}\r\nabc\r\n
S: c NO [TRYCREATE] *
C: d NOOP
S: d OK *

# RFC 7888 §4: over the size limit, with either kind of literal
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b APPEND INBOX {1048577}
S: b NO [TOOBIG] *
C-RAW: c APPEND INBOX {1048577+}\r\n{1048577*x}\r\n
S: c NO [TOOBIG] *
C: d APPEND INBOX {4294967295}
S: d NO [TOOBIG] *
C-RAW: e APPEND INBOX {1048576+}\r\nA: {1048571*x}\r\n\r\n
S: e OK [APPENDUID *] *

# RFC 9051 §9: arguments that are no flags, no date, no literal
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b APPEND INBOX (\Strange) {3}
S: b BAD *
C: c APPEND INBOX "32-Jul-1996 02:44:25 -0700" {3}
S: c BAD *
C: d APPEND INBOX hello
S: d BAD *
C: e APPEND INBOX {0}
S: e NO *
C: f NOOP
S: f OK *
