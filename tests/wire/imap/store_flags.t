# STORE: the flags of messages.
# listener: imaps

# RFC 3501 §6.4.6: FLAGS, +FLAGS and -FLAGS tell the new flags
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: a1 APPEND INBOX {19+}
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
C: b2 UNSELECT
S: b2 OK *
C: b3 SELECT INBOX
S: ...
S: * OK [PERMANENTFLAGS (* \\*)] *
S: ...
S: b3 OK [READ-WRITE] *
C: c STORE 1:2 +FLAGS (\Deleted \seen)
S: * 1 FETCH (FLAGS (\Deleted \Seen))
S: * 2 FETCH (FLAGS (\Deleted \Seen))
S: c OK *
C: d STORE 2 -FLAGS \Deleted
S: * 2 FETCH (FLAGS (\Seen))
S: d OK *
C: e STORE 2 FLAGS \Flagged \Draft
S: * 2 FETCH (FLAGS (\Flagged \Draft))
S: e OK *
C: f STORE 1,2 FLAGS ()
S: * 1 FETCH (FLAGS ())
S: * 2 FETCH (FLAGS ())
S: f OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.6: .SILENT tells nothing
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c STORE 1:* +FLAGS.SILENT (\Answered)
S: c OK *
C: d STORE 1 -flags.silent \Answered
S: d OK *
C: e FETCH 1:3 FLAGS
S: * 1 FETCH (FLAGS ())
S: * 2 FETCH (FLAGS (\Answered))
S: * 3 FETCH (FLAGS (\Answered))
S: e OK *
C: f STORE 1:* FLAGS.SILENT ()
S: f OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.6: keywords are created, announced, and kept
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c STORE 1 +FLAGS ($Forwarded work)
S: * FLAGS (*work*)
S: * OK [PERMANENTFLAGS (*work*)] *
S: * 1 FETCH (FLAGS ($Forwarded work))
S: c OK *
C: d STORE 2 +FLAGS (WORK)
S: * 2 FETCH (FLAGS (work))
S: d OK *
C: e SEARCH KEYWORD Work
S: * SEARCH 1 2
S: e OK *
C: f SEARCH UNKEYWORD $Forwarded
S: * SEARCH 2 3
S: f OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.8: UID STORE tells the UID and leaves out UIDs that are not there
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c UID STORE 3,77 +FLAGS (\Flagged)
S: * 3 FETCH (UID 3 FLAGS (\Flagged))
S: c OK *
C: d UID STORE 77 +FLAGS (\Flagged)
S: d OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.6: \Recent cannot be set, and unknown system flags are refused
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c STORE 1 +FLAGS (\Nonsense)
S: c BAD *
C: d STORE 4 +FLAGS (\Seen)
S: d BAD *
C: e STORE 1 FLAG (\Seen)
S: e BAD *
C: f STORE 1 +FLAGS
S: f BAD *
C: g STORE 1 +FLAGS (\Seen
S: g BAD *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.3.2: a mailbox opened with EXAMINE takes no change
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b EXAMINE INBOX
S: ...
S: b OK [READ-ONLY] *
C: c STORE 1 +FLAGS (\Deleted)
S: c NO *
C: d EXPUNGE
S: d NO *
C: e FETCH 3 FLAGS
S: * 3 FETCH (FLAGS (\Flagged))
S: e OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 3501 §6.4.3: EXPUNGE removes what is \Deleted, and numbers close up
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c STORE 1,3 +FLAGS.SILENT (\Deleted)
S: c OK *
C: d EXPUNGE
S: * 1 EXPUNGE
S: * 2 EXPUNGE
S: d OK *
C: e UID FETCH 1:* UID
S: * 1 FETCH (UID 2)
S: e OK *
C: z LOGOUT
S: * BYE *
S: z OK *
S-EOF:

# RFC 4315 §2.1: UID EXPUNGE removes only those of the set
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: a1 APPEND INBOX {20+}
C: Subject: four
C:
C: x
C:
S: ...
S: a1 OK [APPENDUID * *] *
C: a2 APPEND INBOX {20+}
C: Subject: five
C:
C: x
C:
S: ...
S: a2 OK [APPENDUID * *] *
C: b SELECT INBOX
S: ...
S: b OK [READ-WRITE] *
C: c STORE 1:* +FLAGS.SILENT (\Deleted)
S: c OK *
C: d UID EXPUNGE 4:5
S: * 2 EXPUNGE
S: * 2 EXPUNGE
S: d OK *
C: e STORE 1 -FLAGS (\Deleted)
S: * 1 FETCH (FLAGS (work))
S: e OK *
C: f UID EXPUNGE 1:*
S: f OK *
C: g UID EXPUNGE
S: g BAD *
