# config: smtputf8_enable = no

# RFC 6531 §3.1: who does not offer SMTPUTF8 takes no mail with it
S: 220 *
C: EHLO client.example
S: 250-mail.malle.test
S: 250-PIPELINING
S: 250-SIZE *
S: 250-STARTTLS
S: 250-ENHANCEDSTATUSCODES
S: 250-8BITMIME
S: 250-DSN
S: 250-CHUNKING
S: 250-*
C: MAIL FROM:<joe@client.example> SMTPUTF8
S: 555 5.5.4 Unsupported option: SMTPUTF8
C: MAIL FROM:<joe@client.example>
S: 250 2.1.0 Ok
C: QUIT
S: 221 *
