# SEARCH=FUZZY: words that are nearly those that are asked for, and how nearly.
# listener: imaps

# RFC 6203 §3: words in any order, with a letter that is another; keys outside of FUZZY as ever
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *SEARCH=FUZZY*
C: a1 ENABLE UTF8=ACCEPT
S: ...
S: a1 OK *
C-RAW: b0 APPEND INBOX {121+}\r\nFrom: Ann <ann@example.com>\r\nSubject: IMAP break\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nnothing\r\n\r\n
S: b0 OK *
C-RAW: b1 APPEND INBOX {137+}\r\nFrom: Ann <ann@example.com>\r\nSubject: broken mail\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nthe imap server breaks\r\n\r\n
S: b1 OK *
C-RAW: b2 APPEND INBOX {121+}\r\nFrom: Ann <ann@example.com>\r\nSubject: Imap brake\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nsee you\r\n\r\n
S: b2 OK *
C-RAW: b3 APPEND INBOX {127+}\r\nFrom: Ann <ann@example.com>\r\nSubject: Hello\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhelp for the world\r\n\r\n
S: b3 OK *
C-RAW: b4 APPEND INBOX {124+}\r\nFrom: Ann <ann@example.com>\r\nSubject: Wörld\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\na héllo there\r\n\r\n
S: b4 OK *
C-RAW: b5 APPEND INBOX {118+}\r\nFrom: Ann <ann@example.com>\r\nSubject: other\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nunrelated\r\n\r\n
S: b5 OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: c SEARCH FUZZY (SUBJECT "IMAP break")
S: * SEARCH 1
S: c OK *
C: d SEARCH FUZZY (SUBJECT "break imap")
S: * SEARCH 1
S: d OK *
C: e SEARCH SUBJECT "break imap"
S: * SEARCH
S: e OK *
C: f SEARCH FUZZY SUBJECT imbp
S: * SEARCH 1 3
S: f OK *
C: g SEARCH FUZZY TEXT Helo
S: * SEARCH 4 5
S: g OK *
C: h SEARCH FUZZY BODY Helo
S: * SEARCH 4 5
S: h OK *
C: i SEARCH FUZZY SUBJECT world
S: * SEARCH 5
S: i OK *
C: j SEARCH NOT FUZZY TEXT Helo FUZZY FROM ann@exampel.com
S: * SEARCH 1 2 3 6
S: j OK *
C: k SEARCH FUZZY SUBJECT helo BODY Helo
S: * SEARCH
S: k OK *
C: l SEARCH FUZZY OR SUBJECT helo SUBJECT brokem
S: * SEARCH 2 4
S: l OK *
# other keys within FUZZY are matched as they are (§5), and so are texts without a word
C: m SEARCH FUZZY (SUBJECT imap 2:3 SEEN)
S: * SEARCH
S: m OK *
C: n SEARCH FUZZY (SUBJECT imap 2:3 SINCE 1-Jan-2000 LARGER 10)
S: * SEARCH 3
S: n OK *
C: o SEARCH FUZZY SUBJECT "!!"
S: * SEARCH
S: o OK *
C: p SEARCH FUZZY HEADER SUBJECT ""
S: * SEARCH 1 2 3 4 5 6
S: p OK *

# RFC 6203 §4: RELEVANCY, in the order of what else is told
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: c SEARCH RETURN (RELEVANCY ALL) FUZZY TEXT "Helo"
S: * ESEARCH (TAG "c") ALL 4:5 RELEVANCY (25 25)
S: c OK *
C: d UID SEARCH RETURN (RELEVANCY COUNT) FUZZY TEXT imap
S: * ESEARCH (TAG "d") UID COUNT 3 RELEVANCY (100 100 100)
S: d OK *
C: e SEARCH RETURN (RELEVANCY) FUZZY SUBJECT "imap brea"
S: * ESEARCH (TAG "e") RELEVANCY (87)
S: e OK *
C: f SEARCH RETURN (PARTIAL -1:-1 RELEVANCY) OR FUZZY SUBJECT hell FUZZY BODY hello
S: * ESEARCH (TAG "f") PARTIAL (-1:-1 5) RELEVANCY (100)
S: f OK *
C: g SEARCH RETURN (RELEVANCY ALL) FUZZY SUBJECT qwertz
S: * ESEARCH (TAG "g") RELEVANCY ()
S: g OK *
C: h SEARCH RETURN (ALL RELEVANCY) FUZZY UNSEEN
S: * ESEARCH (TAG "h") ALL 1:6 RELEVANCY (100 100 100 100 100 100)
S: h OK *
C: i ESEARCH IN (personal) RETURN (ALL RELEVANCY) FUZZY SUBJECT wolrd
S: * ESEARCH (TAG "i" MAILBOX INBOX UIDVALIDITY *) UID ALL 5 RELEVANCY (25)
S: i OK *
C: j SEARCH RETURN (RELEVANCY) SUBJECT x
S: j BAD Expected FUZZY*
C: k ESEARCH RETURN (RELEVANCY) ALL
S: k BAD *

# RFC 6203 §6: SORT by RELEVANCY, the highest first
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C: c SORT (RELEVANCY) UTF-8 FUZZY TEXT "help"
S: * SORT 4
S: c OK *
C: d SORT (RELEVANCY) UTF-8 FUZZY TEXT hello
S: * SORT 4 5
S: d OK *
C: e SORT RETURN (RELEVANCY ALL) (REVERSE RELEVANCY ARRIVAL) UTF-8 OR FUZZY SUBJECT hell FUZZY TEXT wrold
S: * ESEARCH (TAG "e") ALL 5,4 RELEVANCY (25 50)
S: e OK *
C: f UID SORT RETURN (PARTIAL 1:1 RELEVANCY) (RELEVANCY) UTF-8 OR FUZZY SUBJECT hell FUZZY TEXT wrold
S: * ESEARCH (TAG "f") UID PARTIAL (1:1 4) RELEVANCY (50)
S: f OK *
C: g SORT (RELEVANCY) UTF-8 ALL
S: g BAD Expected FUZZY*
C: h SORT RETURN (RELEVANCY) (DATE) UTF-8 ALL
S: h BAD *
C: i THREAD REFERENCES UTF-8 FUZZY SUBJECT imbp
S: * THREAD (1)(3)
S: i OK *

# RFC 6203 §8: long words and many of them
S: * OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *
C: b SELECT INBOX
S: ...
S: b OK *
C-RAW: c APPEND INBOX {60008+}\r\na: b\r\n\r\n{60000*x}\r\n
S: ...
S: c OK *
C-RAW: d SEARCH FUZZY TEXT {1000+}\r\n{1000*a}\r\n
S: * SEARCH
S: d OK *
C-RAW: e SEARCH FUZZY TEXT {34+}\r\n{17*a }\r\n
S: e NO [LIMIT] *
C-RAW: f SEARCH {51*FUZZY }ALL\r\n
S: f NO [LIMIT] *
C: g SEARCH FUZZY
S: g BAD *
C: h SEARCH FUZZY FUZZY SUBJECT imap
S: * SEARCH 1 3
S: h OK *
