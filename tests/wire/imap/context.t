# Searches with UPDATE: the client is told how their results change.
# listener: imaps

# RFC 5267 §4.3: messages that come, change and go
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *CONTEXT=SEARCH CONTEXT=SORT*
C-RAW: a1 APPEND INBOX (\Deleted $Junk) {16+}\r\nSubject: one\r\n\r\n {16+}\r\nSubject: two\r\n\r\n {18+}\r\nSubject: three\r\n\r\n\r\n
S: a1 OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: B01 UID SEARCH RETURN (UPDATE COUNT) DELETED KEYWORD $Junk
S: * ESEARCH (TAG "B01") UID COUNT 1
S: B01 OK *
C: B02 SEARCH RETURN (UPDATE) UNDELETED
S: * ESEARCH (TAG "B02")
S: B02 OK *
C: B03 UID SORT RETURN (UPDATE CONTEXT ALL) (SUBJECT) UTF-8 UNDELETED
S: * ESEARCH (TAG "B03") UID ALL 3,2
S: B03 OK *
C: c STORE 2:3 +FLAGS.SILENT (\Deleted $Junk)
S: * ESEARCH (TAG "B01") UID ADDTO (0 2:3)
S: * ESEARCH (TAG "B02") REMOVEFROM (0 2:3)
S: * ESEARCH (TAG "B03") UID REMOVEFROM (1 3,2)
S: c OK *
C: d UID STORE 1,3 -FLAGS.SILENT (\Deleted)
S: * ESEARCH (TAG "B01") UID REMOVEFROM (0 1,3)
S: * ESEARCH (TAG "B02") ADDTO (0 1,3)
S: * ESEARCH (TAG "B03") UID ADDTO (1 1,3)
S: d OK *
C: e EXPUNGE
S: * ESEARCH (TAG "B01") UID REMOVEFROM (0 2)
S: * 2 EXPUNGE
S: e OK *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C-RAW: b APPEND INBOX ($Junk) {17+}\r\nSubject: pear\r\n\r\n\r\n
b S: b OK *
C: f NOOP
S: * 3 EXISTS
S: * * RECENT
S: * ESEARCH (TAG "B02") ADDTO (0 3)
S: * ESEARCH (TAG "B03") UID ADDTO (2 4)
S: f OK *
b C: c SELECT INBOX
b S: ...
b S: c OK *
b C: d STORE 1 +FLAGS (\Deleted)
b S: ...
b S: d OK *
C: g IDLE
S: + *
S: * 1 FETCH (UID 1 FLAGS (\Deleted*))
S: * ESEARCH (TAG "B01") UID ADDTO (0 1)
S: * ESEARCH (TAG "B02") REMOVEFROM (0 1)
S: * ESEARCH (TAG "B03") UID REMOVEFROM (1 1)
b C: e EXPUNGE
b S: ...
b S: e OK *
S: * ESEARCH (TAG "B01") UID REMOVEFROM (0 1)
S: * 1 EXPUNGE
C: DONE
S: g OK *

# RFC 5267 §4.3, §4.3.5: tags name searches until CANCELUPDATE, or until the mailbox is closed
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: B01 SEARCH RETURN (UPDATE COUNT) FLAGGED
S: * ESEARCH (TAG "B01") COUNT 0
S: B01 OK *
C: B01 SORT RETURN (UPDATE) (DATE) UTF-8 FLAGGED
S: B01 BAD *
C: c CANCELUPDATE "B02"
S: c BAD *
C: d CANCELUPDATE "B01" "B02"
S: d BAD *
C: e STORE 1 +FLAGS.SILENT (\Flagged)
S: * ESEARCH (TAG "B01") ADDTO (0 1)
S: e OK *
C: f CANCELUPDATE "B01"
S: f OK *
C: g STORE 1 -FLAGS.SILENT (\Flagged)
S: g OK *
C: B01 SEARCH RETURN (UPDATE COUNT) FLAGGED
S: * ESEARCH (TAG "B01") COUNT 0
S: B01 OK *
C: h EXAMINE INBOX
S: ...
S: h OK *
C: i CANCELUPDATE "B01"
S: i BAD *
C: j UNSELECT
S: j OK *
C: k CANCELUPDATE "B01"
S: k BAD *

# RFC 5267 §4.3.1: more searches than are kept are answered, and that they are not kept is said
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C-RAW: c1 SEARCH RETURN (UPDATE) SEEN\r\nc2 SEARCH RETURN (UPDATE) SEEN\r\nc3 SEARCH RETURN (UPDATE) SEEN\r\nc4 SEARCH RETURN (UPDATE) SEEN\r\nc5 SEARCH RETURN (UPDATE) SEEN\r\nc6 SEARCH RETURN (UPDATE) SEEN\r\nc7 SEARCH RETURN (UPDATE) SEEN\r\nc8 SEARCH RETURN (UPDATE) SEEN\r\n
S: ...
S: * ESEARCH (TAG "c8")
S: c8 OK *
C: B02 UID SORT RETURN (UPDATE COUNT) (DATE) UTF-8 KEYWORD $Junk
S: * ESEARCH (TAG "B02") UID COUNT 2
S: * NO [NOUPDATE "B02"] *
S: B02 OK *
C: d CANCELUPDATE "c3" "c4"
S: d OK *
C: B03 UID SEARCH RETURN (UPDATE) SEEN
S: * ESEARCH (TAG "B03") UID
S: B03 OK *
C: e CANCELUPDATE
S: e BAD *
C: f CANCELUPDATE c1
S: f BAD *
C: g CANCELUPDATE "c1" "c1" "c1" "c1" "c1" "c1" "c1" "c1" "c1"
S: g NO [LIMIT] *

# RFC 5465 §7: UPDATE tells what the client wants to know of new messages
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: c UID SEARCH RETURN (COUNT UPDATE (UID RFC822.SIZE)) FLAGGED
S: * ESEARCH (TAG "c") UID COUNT 0
S: c OK *
C: d NOTIFY SET (selected (MessageNew MessageExpunge FlagChange))
S: d OK *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C-RAW: b APPEND INBOX {6+}\r\na: b\r\n\r\n
b S: b OK *
S: * 3 EXISTS
S: * * RECENT
b C-RAW: c APPEND INBOX (\Flagged) {6+}\r\na: b\r\n\r\n
b S: c OK *
S: * 4 EXISTS
S: * * RECENT
S: * 4 FETCH (UID 6 RFC822.SIZE 6)
S: * ESEARCH (TAG "c") UID ADDTO (0 6)
b C: d SELECT INBOX
b S: ...
b S: d OK *
b C: e STORE 1 +FLAGS (\Flagged)
b S: ...
b S: e OK *
S: * 1 FETCH (UID 3 FLAGS (*))
S: * ESEARCH (TAG "c") UID ADDTO (0 3)

# RFC 5465 §5.2: what NOTIFY and several searches ask of a new message is one FETCH, with nothing twice
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: c UID SEARCH RETURN (COUNT UPDATE (UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (A)])) FLAGGED
S: ...
S: c OK *
C: d UID SEARCH RETURN (COUNT UPDATE (FLAGS BODY.PEEK[HEADER.FIELDS (a)])) SMALLER 1000
S: ...
S: d OK *
C: e NOTIFY SET (selected (MessageNew (UID FLAGS) MessageExpunge FlagChange))
S: e OK *
b S: * OK *
b C: a LOGIN demo@malle.test demo
b S: ...
b S: a OK *
b C-RAW: b APPEND INBOX (\Flagged) {6+}\r\na: b\r\n {6+}\r\na: c\r\n\r\n
b S: b OK [APPENDUID * <<one>>:<<two>>] *
S: * * EXISTS
S: * * RECENT
S: * * FETCH (UID * FLAGS (\Flagged*) RFC822.SIZE 6 BODY[HEADER.FIELDS (A)] {8}
S: a: b
S:
S: )
S: * * FETCH (UID * FLAGS (*) BODY[HEADER.FIELDS (A)] {8}
S: a: c
S:
S: )
S: * ESEARCH (TAG "c") UID ADDTO (0 *)
S: * ESEARCH (TAG "d") UID ADDTO (0 *:*)
C: z LOGOUT
S: ...
S: z OK *
b C: c SELECT INBOX
b S: ...
b S: c OK *
b C: d UID STORE <<one>>:<<two>> +FLAGS.SILENT (\Deleted)
b S: ...
b S: d OK *
b C: e UID EXPUNGE <<one>>:<<two>>
b S: ...
b S: e OK *

# RFC 7377 §2.2: with ESEARCH, of the selected mailbox
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b ESEARCH IN (personal) RETURN (UPDATE) FLAGGED
S: b BAD *
C: c SELECT INBOX
S: ...
S: c OK *
C: d ESEARCH IN (selected personal) RETURN (COUNT UPDATE) FLAGGED
S: * ESEARCH (TAG "d" MAILBOX INBOX UIDVALIDITY *) UID COUNT 2
S: d OK *
C: e STORE 1 -FLAGS.SILENT (\Flagged)
S: * ESEARCH (TAG "d" MAILBOX INBOX UIDVALIDITY *) UID REMOVEFROM (0 3)
S: e OK *

# RFC 5267 §4.3: message numbers mean those of the moment of the command
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: c UID SEARCH RETURN (ALL UPDATE) 1:2 UNFLAGGED
S: * ESEARCH (TAG "c") UID ALL 3:4
S: c OK *
C: d UID SEARCH RETURN (ALL UPDATE) 9 UNFLAGGED
S: * ESEARCH (TAG "d") UID
S: d OK *
C: e STORE 1 +FLAGS.SILENT (\Deleted)
S: e OK *
C: f EXPUNGE
S: * ESEARCH (TAG "c") UID REMOVEFROM (0 3)
S: * 1 EXPUNGE
S: f OK *
C: g STORE 1:2 +FLAGS.SILENT (\Flagged)
S: * ESEARCH (TAG "c") UID REMOVEFROM (0 4)
S: g OK *
