# imap_capability: what is told is the administrator's to choose; what is hidden works all the same.
# listener: imaps
# config: imap_capability = "-IDLE SORT +XOWN"

# RFC 9051 §7.2.2: in the greeting, behind the log-in, and for CAPABILITY
S: * OK [CAPABILITY IMAP4rev1 * ENABLE LANGUAGE * AUTH=PLAIN * XOWN] *
C: a CAPABILITY
S: * CAPABILITY IMAP4rev1 * ENABLE LANGUAGE * XOWN
S: a OK *
C: b LOGIN demo@malle.test demo
S: ...
S: b OK [CAPABILITY IMAP4rev1 * ENABLE LANGUAGE * SAVEDATE ESORT CONTEXT=SEARCH * XOWN] *
C: c SELECT INBOX
S: ...
S: c OK *
C: d SORT (SUBJECT) UTF-8 ALL
S: * SORT
S: d OK *
C: e IDLE
S: + *
C: DONE
S: e OK *
