# Headers in UTF-8 for clients that know nothing of it: without imap_strict_headers each message comes and goes as it is.
# listener: imaps

# RFC 9755 §4, §8: neither refused nor changed, by default; an old mail program, or one that copies mailboxes, loses nothing
S: * OK [CAPABILITY *UTF8=ACCEPT*
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C-RAW: b APPEND INBOX {54+}\r\nFrom: Jürgen <j@example.com>\r\nSubject: Grüße\r\n\r\nx\r\n\r\n
S: b OK *
C: c EXAMINE INBOX
S: ...
S: c OK *
C: d FETCH 1 BODY[]
S: * 1 FETCH (BODY[] {54}
S: From: Jürgen <j@example.com>
S: Subject: Grüße
S:
S: x
S: )
S: d OK *
C: e LOGOUT
S: * BYE *
S: e OK *
