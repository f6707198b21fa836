# SEARCH with RETURN, and the keys of later RFCs.
# listener: imaps

# RFC 4731 §3.1: MIN, MAX, ALL and COUNT
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *ESEARCH*
C-RAW: a1 APPEND INBOX {6+}\r\na: b\r\n\r\n
S: a1 OK *
C-RAW: a2 APPEND INBOX (\Seen) "01-Jan-2001 00:00:00 +0000" {6+}\r\na: b\r\n\r\n
S: a2 OK *
C-RAW: a3 APPEND INBOX {6+}\r\na: b\r\n\r\n
S: a3 OK *
C-RAW: a4 APPEND INBOX {6+}\r\na: b\r\n\r\n
S: a4 OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: A282 SEARCH RETURN (MIN COUNT) UNSEEN
S: * ESEARCH (TAG "A282") MIN 1 COUNT 3
S: A282 OK *
C: A283 UID SEARCH RETURN () UNSEEN
S: * ESEARCH (TAG "A283") UID ALL 1,3:4
S: A283 OK *
C: A284 SEARCH RETURN (MIN MAX ALL) FLAGGED
S: * ESEARCH (TAG "A284")
S: A284 OK *
C: A285 SEARCH RETURN (FOO) ALL
S: A285 BAD *

# RFC 5182 §2.1: SAVE keeps the result for "$", and tells nothing when it is alone
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *SEARCHRES*
C: b SELECT INBOX
S: ...
S: b OK *
C: A282 SEARCH RETURN (SAVE) SEEN
S: A282 OK *
C: A283 FETCH $ (UID)
S: * 2 FETCH (UID 2)
S: A283 OK *
C: A284 UID SEARCH RETURN (SAVE MAX) UID 1:3
S: * ESEARCH (TAG "A284") UID MAX 3
S: A284 OK *
C: A285 UID STORE $ +FLAGS.SILENT (\Deleted)
S: A285 OK *
C: A286 UID EXPUNGE $
S: * 3 EXPUNGE
S: A286 OK *
C: A287 SEARCH $
S: * SEARCH
S: A287 OK *

# RFC 9394 §3.1: PARTIAL counts from the begin or from the end
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *PARTIAL*
C: b SELECT INBOX
S: ...
S: b OK *
C: c UID SEARCH RETURN (PARTIAL -1:-2) ALL
S: * ESEARCH (TAG "c") UID PARTIAL (-1:-2 2,4)
S: c OK *
C: d UID SEARCH RETURN (PARTIAL 23500:24000) ALL
S: * ESEARCH (TAG "d") UID PARTIAL (23500:24000 NIL)
S: d OK *
C: e SEARCH RETURN (PARTIAL 1:2 ALL) ALL
S: e BAD *
C: f UID FETCH 1:* (UID) (PARTIAL -1:-1)
S: * 3 FETCH (UID 4)
S: f OK *

# RFC 5032 §3: OLDER and YOUNGER count seconds
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *WITHIN*
C: b SELECT INBOX
S: ...
S: b OK *
C: c SEARCH OLDER 86400
S: * SEARCH 2
S: c OK *
C: d SEARCH YOUNGER 86400
S: * SEARCH 1 3
S: d OK *
C: e SEARCH OLDER 0
S: e BAD *

# RFC 8514 §4: the day on which a message came into the mailbox
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *SAVEDATE*
C: b SELECT INBOX
S: ...
S: b OK *
C: c SEARCH SAVEDSINCE 1-Jan-2020 SAVEDATESUPPORTED
S: * SEARCH 1 2 3
S: c OK *
C: d SEARCH SAVEDBEFORE 1-Jan-2020
S: * SEARCH
S: d OK *
C: e FETCH 2 (INTERNALDATE SAVEDATE)
S: * 2 FETCH (INTERNALDATE " 1-Jan-2001 00:00:00 +0000" SAVEDATE "*-20* +0000")
S: e OK *
