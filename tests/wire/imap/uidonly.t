# UIDONLY: a session without message sequence numbers.
# listener: imaps

# RFC 9586 §3: UIDFETCH and VANISHED take the place of FETCH and EXPUNGE, and numbers are refused
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *UIDONLY*
C-RAW: a1 APPEND INBOX {6+}\r\na: b\r\n\r\n
S: a1 OK *
C-RAW: a2 APPEND INBOX {6+}\r\na: b\r\n\r\n
S: a2 OK *
C: b ENABLE UIDONLY
S: * ENABLED UIDONLY
S: b OK *
C: c SELECT INBOX
S: ...
S: * 2 EXISTS
S: ...
S: c OK *
C: d FETCH 1 (FLAGS)
S: d BAD [UIDREQUIRED] *
C: e SEARCH ALL
S: e BAD [UIDREQUIRED] *
C: f UID SEARCH 1:*
S: f BAD [UIDREQUIRED] *
C: g UID SEARCH UID 2
S: * SEARCH 2
S: g OK *
C: h MOVE 1 Archive
S: h BAD [UIDREQUIRED] *
C: i UID FETCH 1:2 (FLAGS)
S: * 1 UIDFETCH (FLAGS ())
S: * 2 UIDFETCH (FLAGS ())
S: i OK *
C: j UID STORE 1 +FLAGS (\Deleted)
S: * 1 UIDFETCH (FLAGS (\Deleted))
S: j OK *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C: b SELECT INBOX
b S: ...
b S: b OK *
b C: c STORE 2 +FLAGS.SILENT (\Seen)
b S: c OK *
C: k NOOP
S: * 2 UIDFETCH (FLAGS (\Seen))
S: k OK *
C: l EXPUNGE
S: * VANISHED 1
S: l OK *
b C: d NOOP
b S: * 1 EXPUNGE
b S: d OK *
