# UTF8=ACCEPT: names, strings and headers in UTF-8 for those who say that they know them; surrogates for all others.
# listener: imaps
# config: imap_strict_headers = yes

# RFC 9755 §3: names come and go in UTF-8, also in quoted strings
S: * OK [CAPABILITY *UTF8=ACCEPT*
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *UTF8=ACCEPT*
C: b ENABLE UTF8=ACCEPT
S: * ENABLED UTF8=ACCEPT
S: b OK *
C: c CREATE "日本語"
S: c OK *
C: d CREATE "R&D"
S: d OK *
C-RAW: e SUBSCRIBE {9+}\r\n日本語\r\n
S: e OK *
C: f LIST "" "日*"
S: * LIST (\HasNoChildren) "*" "日本語"
S: f OK *
C: g LSUB "" "*"
S: ...
S: * LSUB (*) "*" "日本語"
S: ...
S: g OK *
C: h STATUS "日本語" (MESSAGES)
S: * STATUS "日本語" (MESSAGES 0)
S: h OK *
C: i GETQUOTAROOT "日本語"
S: * QUOTAROOT "日本語"*
S: i OK *
C: j MYRIGHTS "日本語"
S: * MYRIGHTS "日本語" *
S: j OK *
C: k LIST "" R*
S: * LIST (\HasNoChildren) "*" R&D
S: k OK *
# whoever did not enable it reads modified UTF-7
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C: b LSUB "" "*"
b S: ...
b S: * LSUB (*) "*" &ZeVnLIqe-
b S: ...
b S: b OK *

# RFC 9755 §3: what is no UTF-8 in a quoted string is BAD; no controls and separators in names
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b ENABLE UTF8=ACCEPT
S: * ENABLED UTF8=ACCEPT
S: b OK *
C-RAW: c CREATE "\xff"\r\n
S: c BAD Expected a quoted string in UTF-8 *
C-RAW: d CREATE "a\xc2\x85b"\r\n
S: d BAD Expected a mailbox name in UTF-8 *
C-RAW: e CREATE "a\xe2\x80\xa8b"\r\n
S: e BAD *
C-RAW: f CREATE "a\xe2\x80\xa9b"\r\n
S: f BAD *
C-RAW: g CREATE {1+}\r\n\xff\r\n
S: g BAD *
C-RAW: h SELECT "\xc3\r\n
S: h BAD *
C: i NOOP
S: i OK *

# RFC 9755 §3: a charset is not named any more, or it is UTF-8 where one must be
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b ENABLE UTF8=ACCEPT
S: * ENABLED UTF8=ACCEPT
S: b OK *
C: c SELECT INBOX
S: ...
S: c OK *
C: d SEARCH CHARSET UTF-8 SUBJECT x
S: d BAD Expected no CHARSET*
C: e UID SEARCH RETURN (COUNT) CHARSET US-ASCII ALL
S: e BAD *
C: f ESEARCH IN (personal) CHARSET UTF-8 ALL
S: f BAD *
C: g SORT (DATE) US-ASCII ALL
S: g BAD Expected UTF-8*
C: h THREAD REFERENCES ISO-8859-1 ALL
S: h BAD *
C: i SORT (DATE) "utf-8" ALL
S: * SORT
S: i OK *
C: j SEARCH SUBJECT "grüße"
S: * SEARCH
S: j OK *

# RFC 9755 §3: only in the authenticated state, and nothing of that command is done
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: c ENABLE CONDSTORE UTF8=ACCEPT
S: c BAD *
C: d FETCH 1:* FLAGS
S: d BAD *
C: e CLOSE
S: e OK *
C: f ENABLE UTF8=ACCEPT
S: * ENABLED UTF8=ACCEPT
S: f OK *

# RFC 9755 §4: without ENABLE, 8-bit bytes in a header are refused; in a body they are not
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C-RAW: b APPEND INBOX {222+}\r\nFrom: Jürgen <jürgen@exämple.com>\r\nTo: Ann <ann@example.com>, Björn <bjorn@example.com>\r\nSubject: Grüße\r\nMessage-ID: <ü@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8; name="ü.txt"\r\n\r\né\r\n\r\n
S: b NO [CANNOT] *UTF8=ACCEPT.
C: c APPEND INBOX {11}
S: + *
C-RAW: A: \xff\r\n\r\nb\r\n\r\n
S: c NO [CANNOT] *
C-RAW: d APPEND INBOX {12+}\r\nA: b\r\n\r\n\xff\xfe\r\n\r\n
S: d OK [APPENDUID * 1] *
C-RAW: e APPEND INBOX {6+}\r\nA: b\r\n {9+}\r\nA: é\r\n\r\n\r\n
S: e NO [CANNOT] *
C-RAW: f APPEND INBOX CATENATE (TEXT {4+}\r\nA: b TEXT {6+}\r\né\r\n\r\n)\r\n
S: f NO [CANNOT] *
C: g STATUS INBOX (MESSAGES)
S: * STATUS INBOX (MESSAGES 1)
S: g OK *

# RFC 9755 §4 and RFC 6855 §4: with it they are taken, in any literal, and in the form that was once asked for
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b ENABLE UTF8=ACCEPT
S: * ENABLED UTF8=ACCEPT
S: b OK *
C-RAW: c APPEND INBOX {222+}\r\nFrom: Jürgen <jürgen@exämple.com>\r\nTo: Ann <ann@example.com>, Björn <bjorn@example.com>\r\nSubject: Grüße\r\nMessage-ID: <ü@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8; name="ü.txt"\r\n\r\né\r\n\r\n
S: c OK [APPENDUID * 2] *
C: d APPEND INBOX (\Seen) UTF8 (~{222}
S: + *
C-RAW: From: Jürgen <jürgen@exämple.com>\r\nTo: Ann <ann@example.com>, Björn <bjorn@example.com>\r\nSubject: Grüße\r\nMessage-ID: <ü@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8; name="ü.txt"\r\n\r\né\r\n)\r\n
S: d OK [APPENDUID * 3] *
C-RAW: e APPEND INBOX CATENATE (UTF8 (~{70+}\r\nMIME-Version: 1.0\r\nContent-Type: message/global\r\n\r\nSubject: é\r\n\r\nin\r\n) TEXT {3+}\r\n.\r\n)\r\n
S: e OK [APPENDUID * 4] *
C-RAW: f APPEND INBOX UTF8 ({6+}\r\na: b\r\n)\r\n
S: f BAD *
C-RAW: g APPEND INBOX UTF8 ~{6+}\r\na: b\r\n\r\n
S: g BAD *
C-RAW: h APPEND INBOX UTF8 (~{6+}\r\na: b\r\n\r\n
S: h BAD *
C: i SELECT INBOX
S: ...
S: i OK *
C: j FETCH 3 (RFC822.SIZE BODY.PEEK[])
S: * 3 FETCH (RFC822.SIZE 222 BODY[] {222}
S: From: Jürgen <jürgen@exämple.com>
S: To: Ann <ann@example.com>, Björn <bjorn@example.com>
S: Subject: Grüße
S: Message-ID: <ü@example.com>
S: MIME-Version: 1.0
S: Content-Type: text/plain; charset=utf-8; name="ü.txt"
S:
S: é
S: )
S: j OK *
C: k FETCH 3 (BODY.PEEK[HEADER.FIELDS (SUBJECT)])
S: * 3 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {20}
S: Subject: Grüße
S:
S: )
S: k OK *
C: l UID SEARCH SUBJECT "grüße"
S: * SEARCH 2 3
S: l OK *

# RFC 6858 §2: everybody else gets surrogates, by header fields, whole, by ENVELOPE and BODYSTRUCTURE
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b EXAMINE INBOX
S: ...
S: b OK *
C: c FETCH 2 (RFC822.SIZE RFC822.HEADER)
S: * 2 FETCH (RFC822.SIZE 222 RFC822.HEADER {305}
S: From: =?utf-8?b?SsO8cmdlbiA8asO8cmdlbkBleMOkbXBsZS5jb20+?= <invalid@internationalized-address.invalid>
S: To: "Ann" <ann@example.com>,
S:  =?utf-8?b?QmrDtnJu?= <bjorn@example.com>
S: Subject: =?utf-8?b?R3LDvMOfZQ==?=
S: MIME-Version: 1.0
S: Content-Type: text/plain;
S:  charset="utf-8";
S:  name*=utf-8''%C3%BC.txt
S:
S: )
S: c OK [DOWNGRADED 2] *
C: d FETCH 2 BODY.PEEK[]
S: * 2 FETCH (BODY[] {309}
S: From: =?utf-8?b?SsO8cmdlbiA8asO8cmdlbkBleMOkbXBsZS5jb20+?= <invalid@internationalized-address.invalid>
S: To: "Ann" <ann@example.com>,
S:  =?utf-8?b?QmrDtnJu?= <bjorn@example.com>
S: Subject: =?utf-8?b?R3LDvMOfZQ==?=
S: MIME-Version: 1.0
S: Content-Type: text/plain;
S:  charset="utf-8";
S:  name*=utf-8''%C3%BC.txt
S:
S: é
S: )
S: d OK [DOWNGRADED 2] *
C: e UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])
S: * 1 FETCH (UID 1 BODY[HEADER.FIELDS (SUBJECT)] {2}
S:
S: )
S: * 2 FETCH (UID 2 BODY[HEADER.FIELDS (SUBJECT)] {37}
S: Subject: =?utf-8?b?R3LDvMOfZQ==?=
S:
S: )
S: * 3 FETCH (UID 3 BODY[HEADER.FIELDS (SUBJECT)] {37}
S: Subject: =?utf-8?b?R3LDvMOfZQ==?=
S:
S: )
S: * 4 FETCH (UID 4 BODY[HEADER.FIELDS (SUBJECT)] {2}
S:
S: )
S: e OK [DOWNGRADED 2:3] *
C: f FETCH 2 (ENVELOPE BODY)
S: * 2 FETCH (ENVELOPE (NIL "=?utf-8?b?R3LDvMOfZQ==?=" (("=?utf-8?b?SsO8cmdlbiA8asO8cmdlbkBleMOkbXBsZS5jb20+?=" NIL "invalid" "internationalized-address.invalid")) (("=?utf-8?b?SsO8cmdlbiA8asO8cmdlbkBleMOkbXBsZS5jb20+?=" NIL "invalid" "internationalized-address.invalid")) (("=?utf-8?b?SsO8cmdlbiA8asO8cmdlbkBleMOkbXBsZS5jb20+?=" NIL "invalid" "internationalized-address.invalid")) (("Ann" NIL "ann" "example.com")("=?utf-8?b?QmrDtnJu?=" NIL "bjorn" "example.com")) NIL NIL NIL NIL) BODY ("text" "plain" ("charset" "utf-8" "name\*" "utf-8''%C3%BC.txt") NIL NIL "7bit" 4 1))
S: f OK [DOWNGRADED 2] *
C: g FETCH 2 BODY.PEEK[HEADER]<0.6>
S: * 2 FETCH (BODY[HEADER]<0> {6}
S: From: )
S: g OK [DOWNGRADED 2] *
C: h FETCH 2 (BODY.PEEK[1] BINARY.SIZE[1])
S: * 2 FETCH (BODY[1] {4}
S: é
S:  BINARY.SIZE[1] 4)
S: h OK [DOWNGRADED 2] *

# RFC 6858 §2 and RFC 9755 §6: headers of parts, too; a part that is message/global is message/rfc822
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b EXAMINE INBOX
S: ...
S: b OK *
C: c FETCH 4 BODY
S: * 4 FETCH (BODY ("message" "rfc822" NIL NIL NIL "7bit" * (NIL "=?utf-8?b?w6k=?=" NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" *) *))
S: c OK [DOWNGRADED 4] *
C: d FETCH 4 BODY.PEEK[1.HEADER]
S: * 4 FETCH (BODY[1.HEADER] {29}
S: Subject: =?utf-8?b?w6k=?=
S:
S: )
S: d OK [DOWNGRADED 4] *
C: e FETCH 4 BODY.PEEK[HEADER]
S: * 4 FETCH (BODY[HEADER] {51}
S: MIME-Version: 1.0
S: Content-Type: message/rfc822
S:
S: )
S: e OK [DOWNGRADED 4] *
# but the size and a copy are those of the message itself
C: f COPY 2 Drafts
S: f OK *
u S: * OK *
u C: a LOGIN demo@malle.test demo
u S: ...
u S: a OK *
u C: b ENABLE UTF8=ACCEPT
u S: * ENABLED UTF8=ACCEPT
u S: b OK *
u C: c EXAMINE Drafts
u S: ...
u S: c OK *
u C: d FETCH 1 ENVELOPE
u S: * 1 FETCH (ENVELOPE (NIL {7}
u S: Grüße*
u S: ...
u S: d OK FETCH*
