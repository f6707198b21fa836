# THREAD: conversations.
# listener: imaps

# RFC 5256 §3: ORDEREDSUBJECT, REFERENCES and REFS of one mailbox
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS*
C-RAW: p5 APPEND Archive " 1-Jan-2024 10:00:00 +0000" {73+}\r\nDate: 1 Jan 2024 10:00:00 +0000\r\nMessage-ID: <a@x>\r\nSubject: hello\r\n\r\nx\r\n\r\n
S: p5 OK *
C-RAW: p6 APPEND Archive " 2-Jan-2024 10:00:00 +0000" {96+}\r\nDate: 2 Jan 2024 10:00:00 +0000\r\nMessage-ID: <b@x>\r\nSubject: Re: hello\r\nReferences: <a@x>\r\n\r\nx\r\n\r\n
S: p6 OK *
C-RAW: p7 APPEND Archive " 5-Jan-2024 10:00:00 +0000" {102+}\r\nDate: 5 Jan 2024 10:00:00 +0000\r\nMessage-ID: <c@x>\r\nSubject: Re: hello\r\nReferences: <a@x> <b@x>\r\n\r\nx\r\n\r\n
S: p7 OK *
C-RAW: p8 APPEND Archive " 3-Jan-2024 10:00:00 +0000" {97+}\r\nDate: 3 Jan 2024 10:00:00 +0000\r\nMessage-ID: <d@x>\r\nSubject: Re: hello\r\nIn-Reply-To: <a@x>\r\n\r\nx\r\n\r\n
S: p8 OK *
C-RAW: p9 APPEND Archive " 4-Jan-2024 10:00:00 +0000" {73+}\r\nDate: 4 Jan 2024 10:00:00 +0000\r\nMessage-ID: <e@x>\r\nSubject: other\r\n\r\nx\r\n\r\n
S: p9 OK *
C-RAW: p10 APPEND Archive " 6-Jan-2024 10:00:00 +0000" {93+}\r\nDate: 6 Jan 2024 10:00:00 +0000\r\nMessage-ID: <f@x>\r\nSubject: one\r\nReferences: <gone@x>\r\n\r\nx\r\n\r\n
S: p10 OK *
C-RAW: p11 APPEND Archive " 7-Jan-2024 10:00:00 +0000" {93+}\r\nDate: 7 Jan 2024 10:00:00 +0000\r\nMessage-ID: <g@x>\r\nSubject: two\r\nReferences: <gone@x>\r\n\r\nx\r\n\r\n
S: p11 OK *
C-RAW: p12 APPEND Archive " 8-Jan-2024 10:00:00 +0000" {77+}\r\nDate: 8 Jan 2024 10:00:00 +0000\r\nMessage-ID: <h@x>\r\nSubject: Re: other\r\n\r\nx\r\n\r\n
S: p12 OK *
C: s SELECT Archive
S: ...
S: s OK *
C: b THREAD REFERENCES UTF-8 ALL
S: * THREAD (1 (2 3)(4))(5 8)((6)(7))
S: b OK *
C: c UID THREAD REFS UTF-8 ALL
S: * THREAD (5)(1 (2 3)(4))((6)(7))(8)
S: c OK *
C: d THREAD ORDEREDSUBJECT UTF-8 ALL
S: * THREAD (1 (2)(4)(3))(5 8)(6)(7)
S: d OK *
C: e THREAD REFERENCES UTF-8 2:3
S: * THREAD (2 3)
S: e OK *
C: f THREAD REFERENCES UTF-8 TEXT nowhere
S: * THREAD
S: f OK *
