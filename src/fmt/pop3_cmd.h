/* pop3_cmd: one POP3 command line, parsed (RFC 1939 §3, §5-7; RFC 2449 §3-5; RFC 2595 §4; RFC 5034 §4).
 *
 * Arguments are checked against the verb's own grammar here, so handlers see only calls of the right shape.
 */
#ifndef FMT_POP3_CMD_H
#define FMT_POP3_CMD_H

#include "base/str.h"

enum pop3_verb {
    POP3_APOP,
    POP3_AUTH,
    POP3_CAPA,
    POP3_DELE,
    POP3_LIST,
    POP3_NOOP,
    POP3_PASS,
    POP3_QUIT,
    POP3_RETR,
    POP3_RSET,
    POP3_STAT,
    POP3_STLS,
    POP3_TOP,
    POP3_UIDL,
    POP3_USER,
    POP3_XCLIENT, /* Dovecot's, for those who connect for others: text has NAME=VALUE words */
    POP3_VERB_COUNT
};

enum { POP3_LINE_MAX = 8192 }; /* RFC 2449 §4 says 255; an initial response of AUTH may be longer */

struct pop3_cmd {
    enum pop3_verb verb;
    bool has_number;
    uint32_t number;  /* message number, 1 or more (LIST, UIDL, RETR, DELE, TOP) */
    uint32_t lines;   /* TOP */
    str text;         /* USER: name; PASS: all behind the space; AUTH: mechanism, empty when none was named */
    bool has_initial; /* AUTH */
    str initial;      /* as sent: base64 or "=" */
};

/* The line without its line end. RC_PERM: no such verb. RC_INVALID: arguments do not fit it. Views into line.
 */
MUST_USE enum rc pop3_cmd_parse(str line, struct pop3_cmd *ret);
const char *pop3_verb_name(enum pop3_verb verb);

#endif
