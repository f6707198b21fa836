# LANGUAGE: which language the texts have.
# listener: imaps

# RFC 5255 §3.2: before and after log-in; i-default is always there
S: * OK [CAPABILITY *LANGUAGE*
C: A002 LANGUAGE MUL
S: A002 NO *
C: A003 LANGUAGE
S: * LANGUAGE (en i-default)
S: A003 OK *
C: A004 LANGUAGE (EN)
S: A004 BAD *
C: E001 LANGUAGE FR-CA EN-CA
S: * LANGUAGE (en)
S: E001 OK *
C: a LOGIN demo@malle.test demo
S: ...
S: a OK *LANGUAGE*
C: D001 LANGUAGE FR
S: D001 NO *
C: D002 LANGUAGE "i-default"
S: * LANGUAGE (i-default)
S: D002 OK *
C: D003 LANGUAGE "default"
S: * LANGUAGE (en)
S: D003 OK *
