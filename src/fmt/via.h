/* via: what a recipient stands for that is not simply a mailbox: a user of the system whose mail runs
 * programs or goes elsewhere, one target of an alias that is a command or a file, a filter that comes
 * before all else, or the transport by which its mail leaves in place of going to a mailbox. Recipients in
 * the queue carry it, and the role `command` looks up what it names: a via never says what is run, only whose
 * choice and which.
 *
 *   via     = ("user:" / "mailbox:") uid ":" name ":" tag
 *           / "forward:" uid ":" n ":" hash ":" name ":" tag
 *           / "alias:" n ":" hash ":" name
 *           / "filter:" transport [":" nexthop]
 *           / "transport:" transport [":" nexthop]
 *   n       = position among all targets, from 0; hash = 16 lower-case hexadecimal digits
 *
 * The tag of a user, the name of an alias, a filter and a transport take the rest of the text. Pure. */
#ifndef FMT_VIA_H
#define FMT_VIA_H

#include "base/buf.h"
#include "fmt/aliases.h"

enum { VIA_MAX = 512, VIA_USER_MAX = 64 };

/* As the name of a filter: those of the listener for malle's own mail. No transport is called so. */
#define VIA_INSPECTION "(inspection)"

enum via_kind {
    VIA_USER,     /* all that the user's .forward says, or his mailbox without one */
    VIA_MAILBOX,  /* his mailbox, whatever his .forward says: mailbox_command or the Maildir */
    VIA_FORWARD,  /* target n of his .forward */
    VIA_ALIAS,    /* target n of the alias `name` */
    VIA_FILTER,   /* `name` is the transport and the next hop */
    VIA_TRANSPORT /* the same, and it does not come back from there */
};

struct via {
    enum via_kind kind;
    uint32_t uid;  /* of the user, as auth said */
    unsigned n;    /* which target */
    uint64_t hash; /* of its text: where it stands may change */
    str name;      /* the user, the alias, the filter or the transport */
    str tag;       /* of user+tag; may be empty */
};

/* Appends the text. The result of what does not fit VIA_MAX does not parse. */
void via_put(struct buf *out, const struct via *v);
/* Views of the text; RC_INVALID. */
MUST_USE enum rc via_parse(str text, struct via *ret);
/* Names a target by its text, the same in every process; no secret. */
uint64_t via_hash(const struct alias_target *t);
/* Where target n of that hash stands now: at n, or anywhere; else n when a command or a file is there. NULL:
 * there is none. */
const struct alias_target *via_find(const struct alias *targets, unsigned n, uint64_t hash);

#endif
