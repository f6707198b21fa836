# SAVELIMIT: COPY and APPEND alone are limited.
# listener: imaps
# config: imap_save_limit = 2

# RFC 9738 §3, §3.1
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *APPENDLIMIT=* SAVELIMIT=2]*
C-RAW: b APPEND INBOX {6+}\r\na: 1\r\n {6+}\r\na: 2\r\n {6+}\r\na: 3\r\n\r\n
S: b NO [MESSAGELIMIT 2] *
C-RAW: c APPEND INBOX {6+}\r\na: 1\r\n {6+}\r\na: 2\r\n\r\n
S: c OK [APPENDUID * 1:2] *
C-RAW: d APPEND INBOX {6+}\r\na: 3\r\n\r\n
S: d OK [APPENDUID * 3] *
C: e SELECT INBOX
S: ...
S: e OK *
C: f COPY 1:* Archive
S: f NO [MESSAGELIMIT 2 2] *
C: g COPY 2:* Archive
S: g OK [COPYUID * 2:3 1:2] *
C: h UID SEARCH ALL
S: * SEARCH 1 2 3
S: h OK *SEARCH completed.
C: i SORT (ARRIVAL) UTF-8 ALL
S: * SORT 1 2 3
S: i OK SORT*
C: j MOVE 1:* Archive
S: * OK [COPYUID * 1:3 3:5] *
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: j OK *MOVE completed.
