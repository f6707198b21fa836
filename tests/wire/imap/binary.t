# BINARY: parts with their transfer encoding undone.
# listener: imaps

# RFC 3516 §4.1, §4.2: base64 with NUL is literal8, quoted-printable is a literal, and sizes are those of the result
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *BINARY*
C-RAW: b APPEND INBOX {315+}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\nContent-Type: application/octet-stream\r\n\r\nAEFC\r\nQ0RF\r\n--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nh=C3=A9 =3D=\r\n x\r\ny=0Az\r\n--b\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin\r\n--b\r\n\r\nplain\r\nline\r\n--b--\r\n\r\n
S: b OK *
C: c SELECT INBOX
S: ...
S: c OK *
C: d FETCH 1 (BINARY.SIZE[1] BINARY.SIZE[2] BINARY.SIZE[4] BINARY.SIZE[9])
S: * 1 FETCH (BINARY.SIZE[1] 6 BINARY.SIZE[2] 12 BINARY.SIZE[4] 11 BINARY.SIZE[9] 0)
S: d OK *
C: e FETCH 1 BINARY.PEEK[1]
S: * 1 FETCH (BINARY[1] ~{6}
S: *ABCDE)
S: e OK *
C: f FETCH 1 BINARY.PEEK[1]<1.2>
S: * 1 FETCH (BINARY[1]<1> ~{2}
S: AB)
S: f OK *
C: g FETCH 1 (FLAGS BINARY.PEEK[4] BINARY.PEEK[9])
S: * 1 FETCH (FLAGS () BINARY[4] {11}
S: plain
S: line BINARY[9] NIL)
S: g OK *
C: h FETCH 1 BINARY[2]<0.3>
S: * 1 FETCH (FLAGS (\Seen) BINARY[2]<0> {3}
S: hé)
S: h OK *

# RFC 3516 §4.3: an encoding that is not known
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: c SELECT INBOX
S: ...
S: c OK *
C: d FETCH 1 BINARY.PEEK[3]
S: * 1 FETCH (BINARY[3] NIL)
S: d NO [UNKNOWN-CTE] *
C: e FETCH 1 BINARY[1.MIME]
S: e BAD *
C: f FETCH 1 BINARY.SIZE[1]<0.1>
S: f BAD *

# RFC 3516 §4.4: APPEND with literal8; NUL is refused
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C-RAW: b APPEND INBOX ~{6+}\r\na: b\r\n\r\n
S: b OK [APPENDUID *] *
C-RAW: c APPEND INBOX ~{7+}\r\na: b\r\n\0\r\n
S: c NO [UNKNOWN-CTE] *
C: d NOOP
S: d OK *
