# Messages that another session expunges under way.
# listener: imaps
# listener b: imaps

# RFC 3501 §7.4.1: no EXPUNGE is told during FETCH, STORE and SEARCH
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
C: c SELECT INBOX
S: ...
S: c OK [READ-WRITE] *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C: b SELECT INBOX
b S: ...
b S: b OK [READ-WRITE] *
b C: c STORE 1 +FLAGS.SILENT (\Deleted)
b S: c OK *
b C: d EXPUNGE
b S: * 1 EXPUNGE
b S: d OK *
C: d FETCH 2 (UID)
S: * 2 FETCH (UID 2)
S: d OK *
C: e FETCH 1 (UID FLAGS)
S: e NO [EXPUNGEISSUED] *
C: f FETCH 1:2 (UID)
S: * 2 FETCH (UID 2)
S: f OK *
C: g STORE 2 +FLAGS (\Flagged)
S: * 2 FETCH (FLAGS (\Flagged))
S: g OK *
C: h SEARCH FLAGGED
S: * SEARCH 2
S: h OK *
C: i NOOP
S: * 1 EXPUNGE
S: i OK *
C: j FETCH 1 (UID)
S: * 1 FETCH (UID 2)
S: j OK *
