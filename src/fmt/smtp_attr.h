/* smtp_attr: what XCLIENT and XFORWARD say of a client (Postfix's XCLIENT_README and XFORWARD_README).
 *
 *   arguments = attribute *(1*SP attribute)
 *   attribute = name "=" xtext                  ; xtext as in RFC 3461 §4
 *
 * Pure. The values are checked here: whoever may send them is trusted to tell the truth, not to keep the
 * grammar. */
#ifndef FMT_SMTP_ATTR_H
#define FMT_SMTP_ATTR_H

#include "base/arena.h"
#include "base/buf.h"

enum smtp_attr_name {
    SMTP_ATTR_NAME, /* of the client's host */
    SMTP_ATTR_ADDR,
    SMTP_ATTR_PROTO,
    SMTP_ATTR_HELO,
    SMTP_ATTR_REVERSE_NAME, /* of its PTR record, confirmed or not */
    SMTP_ATTR_PORT,
    SMTP_ATTR_LOGIN,
    SMTP_ATTR_DESTADDR, /* that it connected to */
    SMTP_ATTR_DESTPORT,
    SMTP_ATTR_SOURCE, /* LOCAL, REMOTE */
    SMTP_ATTR_IDENT,  /* the queue id of the message at the sender */
    SMTP_ATTR_COUNT
};

enum smtp_attr_state { SMTP_ATTR_GIVEN, SMTP_ATTR_UNAVAILABLE, SMTP_ATTR_TEMPUNAVAIL };

enum smtp_attr_command { SMTP_ATTR_XCLIENT, SMTP_ATTR_XFORWARD };

enum { SMTP_ATTR_VALUE_MAX = 255 };

struct smtp_attr {
    enum smtp_attr_name name;
    enum smtp_attr_state state;
    str value;     /* GIVEN: decoded, without NUL; an address without "IPV6:" */
    uint16_t port; /* of PORT and DESTPORT */
};

/* " NAME ADDR ...", for the reply to EHLO. */
const char *smtp_attr_names(enum smtp_attr_command command);

/* SMTP_ATTR_COUNT: the command has none of this name. */
enum smtp_attr_name smtp_attr_find(enum smtp_attr_command command, str name);

/* Adds " NAME=xtext", [UNAVAILABLE] for an empty value; an address gets its "IPV6:". */
void smtp_attr_put(struct buf *out, enum smtp_attr_name name, str value);

/* The next attribute; *args becomes what follows. RC_GONE: there is none; RC_INVALID: e has Postfix's reply
 * 501. */
MUST_USE enum rc smtp_attr_take(enum smtp_attr_command command, str *args, struct arena *a,
                                struct smtp_attr *ret, struct err *e);

#endif
