# QUOTA: what an account has and may have, and what is refused.
# listener: imaps
# config: quota_rule = *:storage=2:messages=4, Trash:storage=+2, Junk:ignore
# config: quota_warning =
# user: demo@malle.test demo
# user: full@malle.test full
# user: counts@malle.test counts
# user: free@malle.test free
# malle: user quota free@malle.test --quota unlimited --messages unlimited

# RFC 9208 §4.1: QUOTA and the resources are announced; RFC 9208 §4.1.3: SETQUOTA is not, and not there
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK [CAPABILITY * QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE*] *
C: b SETQUOTA "User quota" (STORAGE 512)
S: b BAD *

# RFC 9208 §4.2.1 and §4.2.2: GETQUOTAROOT and GETQUOTA, in units of 1024 octets and in messages
S: * OK *
C: a LOGIN demo@malle.test demo
S: a OK *
C: b GETQUOTAROOT INBOX
S: * QUOTAROOT INBOX "User quota"
S: * QUOTA "User quota" (STORAGE 0 2 MESSAGE 0 4)
S: b OK *
C-RAW: c APPEND INBOX {104+}\r\nSubject: x\r\n\r\n{88*x}\r\n\r\n
S: c OK [APPENDUID * 1] *
C: d GETQUOTA "User quota"
S: * QUOTA "User quota" (STORAGE 1 2 MESSAGE 1 4)
S: d OK *
C: e GETQUOTA nothing
S: e NO [NONEXISTENT] *
C: f GETQUOTAROOT Junk
S: * QUOTAROOT Junk
S: f OK *
C: g GETQUOTAROOT not-there
S: * QUOTAROOT not-there "User quota"
S: * QUOTA "User quota" (STORAGE 1 2 MESSAGE 1 4)
S: g OK *
C: h GETQUOTA
S: h BAD *
C: i GETQUOTAROOT INBOX Junk
S: i BAD *

# RFC 9208 §4.3.1: OVERQUOTA, before the message is sent where that is certain, and behind it
S: * OK *
C: a LOGIN full@malle.test full
S: a OK *
C: b APPEND INBOX {5000}
S: b NO [OVERQUOTA] Quota exceeded (mailbox for user is full)
C-RAW: c APPEND INBOX {2064+}\r\nSubject: x\r\n\r\n{2048*x}\r\n\r\n
S: c NO [OVERQUOTA] *
C-RAW: d APPEND INBOX {1516+}\r\nSubject: x\r\n\r\n{1500*x}\r\n\r\n
S: d OK [APPENDUID *] *
C: e SELECT INBOX
S: ...
S: e OK [READ-WRITE] *
C: f COPY 1 Sent
S: f NO [OVERQUOTA] *
C: g MOVE 1 Sent
S: * OK [COPYUID *] *
S: * 1 EXPUNGE
S: g OK *
C: h SELECT Sent
S: ...
S: h OK [READ-WRITE] *
C: i COPY 1 Trash
S: i OK [COPYUID *] *
C: j COPY 1 Junk
S: j OK [COPYUID *] *
C: k GETQUOTA "User quota"
S: * QUOTA "User quota" (STORAGE 3 2 MESSAGE 2 4)
S: k OK *
C-RAW: l APPEND INBOX {16+}\r\nSubject: x\r\n\r\n\r\n\r\n
S: l NO [OVERQUOTA] *
C: m STORE 1 +FLAGS.SILENT (\Deleted)
S: m OK *
C: n EXPUNGE
S: * 1 EXPUNGE
S: n OK *
C-RAW: o APPEND INBOX {16+}\r\nSubject: x\r\n\r\n\r\n\r\n
S: o OK [APPENDUID *] *

# RFC 9208 §4.1.4: STATUS tells what would come free
S: * OK *
C: a LOGIN counts@malle.test counts
S: a OK *
C-RAW: b APPEND INBOX (\Deleted) {104+}\r\nSubject: x\r\n\r\n{88*x}\r\n\r\n
S: b OK *
C-RAW: c APPEND INBOX {104+}\r\nSubject: y\r\n\r\n{88*y}\r\n\r\n
S: c OK *
C: d STATUS INBOX (DELETED DELETED-STORAGE)
S: * STATUS INBOX (DELETED 1 DELETED-STORAGE 104)
S: d OK *
C: e STATUS Sent (DELETED-STORAGE)
S: * STATUS Sent (DELETED-STORAGE 0)
S: e OK *

# RFC 9208 §4.2.2: without a limit there is no quota root
S: * OK *
C: a LOGIN free@malle.test free
S: a OK *
C: b GETQUOTAROOT INBOX
S: * QUOTAROOT INBOX
S: b OK *
C: c GETQUOTA "User quota"
S: c NO [NONEXISTENT] *
C-RAW: d APPEND INBOX {5016+}\r\nSubject: x\r\n\r\n{5000*x}\r\n\r\n
S: d OK *
