# SORT: messages in the order of their date, subject, sender or size.
# listener: imaps

# RFC 5256 §3: each key, alone and reversed
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *SORT*
C-RAW: p1 APPEND Archive " 3-Jan-2024 00:00:00 +0000" {107+}\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\nFrom: Zoe <adam@a.example>\r\nTo: b@b.example\r\nSubject: Re: beta\r\n\r\nx\r\n\r\n
S: p1 OK *
C-RAW: p2 APPEND Archive " 1-Jan-2024 00:00:00 +0000" {145+}\r\nDate: Mon, 1 Jan 2024 10:30:00 +0200\r\nFrom: =?utf-8?q?=C3=89va?= <carl@a.example>\r\nTo: Alf <z@b.example>\r\nSubject: [list] alpha\r\nX: longer\r\n\r\nx\r\n\r\n
S: p2 OK *
C-RAW: p3 APPEND Archive " 2-Jan-2024 00:00:00 +0000" {77+}\r\nFrom: Bert@a.example\r\nTo: y@b.example\r\nCc: q@c.example\r\nSubject: Gamma\r\n\r\nx\r\n\r\n
S: p3 OK *
C-RAW: p4 APPEND Archive " 4-Jan-2024 00:00:00 +0000" {77+}\r\nDate: Sun, 31 Dec 2023 10:00:00 +0000\r\nCc: p@c.example\r\nSubject: _beta\r\n\r\nx\r\n\r\n
S: p4 OK *
C: s SELECT Archive
S: ...
S: s OK *
C: b SORT (ARRIVAL) UTF-8 ALL
S: * SORT 2 3 1 4
S: b OK *
C: c SORT (DATE) UTF-8 ALL
S: * SORT 4 2 1 3
S: c OK *
C: d SORT (REVERSE DATE) UTF-8 ALL
S: * SORT 3 1 2 4
S: d OK *
C: e SORT (SUBJECT) UTF-8 ALL
S: * SORT 2 1 3 4
S: e OK *
C: f SORT (FROM) UTF-8 ALL
S: * SORT 4 1 3 2
S: f OK *
C: g SORT (TO) UTF-8 ALL
S: * SORT 4 1 3 2
S: g OK *
C: h SORT (CC) UTF-8 ALL
S: * SORT 1 2 4 3
S: h OK *
# as in RFC 5957 §3: the name, else the address
C: i SORT (DISPLAYFROM) UTF-8 ALL
S: * SORT 4 3 2 1
S: i OK *
C: j SORT (DISPLAYTO) UTF-8 ALL
S: * SORT 4 2 1 3
S: j OK *
C: k UID SORT (SUBJECT) US-ASCII CC c.example
S: * SORT 3 4
S: k OK *
C: l SORT (REVERSE SIZE) UTF-8 1:2
S: * SORT 2 1
S: l OK *
C: m SORT (DATE) UTF-8 TEXT nowhere
S: * SORT
S: m OK *

# RFC 5267 §3: RETURN answers in the order asked for
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *ESORT*
C: s SELECT Archive
S: ...
S: s OK *
C: b SORT RETURN (MIN MAX COUNT) (DATE) UTF-8 ALL
S: * ESEARCH (TAG "b") MIN 4 MAX 3 COUNT 4
S: b OK *
C: c UID SORT RETURN (ALL) (ARRIVAL) UTF-8 ALL
S: * ESEARCH (TAG "c") UID ALL 2:3,1,4
S: c OK *
C: d SORT RETURN (PARTIAL 2:3) (DATE) UTF-8 ALL
S: * ESEARCH (TAG "d") PARTIAL (2:3 2,1)
S: d OK *
C: e SORT RETURN () (DATE) UTF-8 ALL
S: * ESEARCH (TAG "e") ALL 4,2,1,3
S: e OK *

# RFC 5256 §5: what is not its grammar, and an unknown charset
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: s SELECT Archive
S: ...
S: s OK *
C: b SORT (DATE) X-UNKNOWN ALL
S: b NO [BADCHARSET *] *
C: c SORT (DATE) ALL
S: c BAD *
C: d SORT () UTF-8 ALL
S: d BAD *
C: e SORT (NAME) UTF-8 ALL
S: e BAD *
C: f SORT DATE UTF-8 ALL
S: f BAD *
C: g THREAD NOTHING UTF-8 ALL
S: g BAD *
