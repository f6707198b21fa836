# REPLACE: a new message takes the place of an old one, in one change.
# listener: imaps

# RFC 8508 §3.2, §3.3 and §4.3: APPENDUID comes before EXPUNGE; no flag is inherited
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *REPLACE*
C-RAW: b APPEND Drafts (\\Seen \\Flagged) {6+}\r\na: b\r\n {6+}\r\na: c\r\n\r\n
S: b OK *
C: c SELECT Drafts
S: ...
S: c OK *
C: A003 REPLACE 1 Drafts (\Seen \Draft) {6}
S: + *
C-RAW: a: d\r\n\r\n
S: * OK [APPENDUID * 3] *
S: * 1 EXPUNGE
S: * 2 EXISTS
S: ...
S: A003 OK REPLACE *
C: d UID FETCH 1:* FLAGS
S: * 1 FETCH (UID 2 FLAGS (*))
S: * 2 FETCH (UID 3 FLAGS (\Seen \Draft*))
S: d OK *
C: A004 UID REPLACE 3 Sent {6}
S: + *
C-RAW: a: e\r\n\r\n
S: * OK [APPENDUID * 1] *
S: * 2 EXPUNGE
S: A004 OK UID REPLACE *
C: e STATUS Sent (MESSAGES)
S: * STATUS Sent (MESSAGES 1)
S: e OK *

# RFC 8508 §4.2: with CATENATE, also of the message that is replaced
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: n CREATE Notes
S: n OK *
C-RAW: b APPEND Notes {8+}\r\na: b\r\n\r\n\r\n
S: b OK *
C: c SELECT Notes
S: ...
S: c OK *
C: A011 UID REPLACE 1 Notes CATENATE (TEXT {13}
S: + *
C-RAW: Subject: x\r\n URL "/Notes/;UID=1")\r\n
S: A011 BAD *
C: A011 UID REPLACE 1 Notes CATENATE (TEXT {12}
S: + *
C-RAW: Subject: x\r\n URL "/Notes/;UID=1")\r\n
S: * OK [APPENDUID * 2] *
S: * 1 EXPUNGE
S: * 1 EXISTS
S: ...
S: A011 OK *
C: d FETCH 1 BODY.PEEK[]
S: * 1 FETCH (BODY[] {20}
S: Subject: x
S: a: b
S:
S: )
S: d OK *

# RFC 8508 §3.4: an error leaves the old message where it is; §4.5: QRESYNC
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C-RAW: b APPEND INBOX {6+}\r\na: b\r\n\r\n
S: b OK *
C-RAW: c REPLACE 1 INBOX {6+}\r\na: b\r\n\r\n
S: c BAD *
C: d ENABLE QRESYNC
S: ...
S: d OK *
C: e EXAMINE INBOX
S: ...
S: e OK *
C: f REPLACE 1 INBOX {6}
S: f NO [READ-ONLY] *
C: g SELECT INBOX
S: ...
S: g OK *
C: h REPLACE 2 INBOX {6}
S: h BAD *
C: i UID REPLACE 7 INBOX {6}
S: i NO [NONEXISTENT] *
C: j REPLACE 1 nowhere {6}
S: j NO [TRYCREATE] *
C: k REPLACE 1:* INBOX {6}
S: k BAD *
C-RAW: l REPLACE 1 INBOX {6+}\r\na: b\r\n {6+}\r\na: b\r\n\r\n
S: l BAD *
C: m REPLACE * INBOX {0}
S: m NO *
C-RAW: n REPLACE 1 INBOX {6+}\r\na: c\r\n\r\n
S: * OK [APPENDUID * 2] *
S: * VANISHED 1
S: * 1 EXISTS
S: ...
S: n OK [HIGHESTMODSEQ *] REPLACE *
