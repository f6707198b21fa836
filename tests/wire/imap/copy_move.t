# COPY and MOVE between mailboxes.
# listener: imaps

# RFC 3501 §6.4.7, RFC 4315 §3: COPY keeps flags and dates and tells the new UIDs
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: a1 APPEND INBOX (\Seen work) "01-Feb-1994 00:30:00 +0000" {19+}
C: Subject: one
C:
C: x
C:
S: ...
S: a1 OK [APPENDUID * *] *
C: a2 APPEND INBOX {19+}
C: Subject: two
C:
C: x
C:
S: ...
S: a2 OK [APPENDUID * *] *
C: a3 APPEND INBOX {21+}
C: Subject: three
C:
C: x
C:
S: ...
S: a3 OK [APPENDUID * *] *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c COPY 1,3 Archive
S: c OK [COPYUID * 1,3 1:2] *
C: d SELECT Archive
S: ...
S: d OK [READ-WRITE] *
C: e FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[HEADER])
S: * 1 FETCH (FLAGS (*\Seen work) INTERNALDATE " 1-Feb-1994 00:30:00 +0000" BODY[HEADER] {16}
S: Subject: one
S:
S: )
S: e OK *
C: f UID COPY 1:2 INBOX
S: f OK [COPYUID * 1:2 4:5] *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.7: a missing mailbox is told with TRYCREATE, and nothing is created
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c COPY 1 Nowhere
S: c NO [TRYCREATE] *
C: d MOVE 1 Nowhere
S: d NO [TRYCREATE] *
C: e LIST "" Nowhere
S: e OK *
C: f FETCH 1 UID
S: * 1 FETCH (UID 1)
S: f OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 6851 §4.3: MOVE tells COPYUID, then the EXPUNGEs
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c MOVE 1:2 Archive
S: * OK [COPYUID * 1:2 3:4] *
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: c OK *
C: d UID MOVE 3 Archive
S: * OK [COPYUID * 3 5] *
S: * 1 EXPUNGE
S: d OK *
C: e UID MOVE 3 Archive
S: e OK *
C: f UID FETCH 1:* UID
S: * 1 FETCH (UID 4)
S: * 2 FETCH (UID 5)
S: f OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 6851 §3.1: a mailbox opened with EXAMINE gives copies but loses nothing
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b EXAMINE INBOX
S: ...
S: b OK [READ-ONLY] *
C: c MOVE 1 Archive
S: c NO *
C: d COPY 1 Archive
S: d OK [COPYUID * 4 6] *
C: e FETCH 1 UID
S: * 1 FETCH (UID 4)
S: e OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.7: a copy into the selected mailbox shows up in it
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c COPY 1 INBOX
S: * 3 EXISTS
S: ...
S: c OK [COPYUID * 4 6] *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §7.1.3: what is no COPY is BAD
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c COPY 1
S: c BAD *
C: d COPY 9 Archive
S: d BAD *
C: e COPY x Archive
S: e BAD *
C: f MOVE 1:2
S: f BAD *
C: g COPY 1 Archive more
S: g BAD *
