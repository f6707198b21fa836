/* notify_stock: the mailboxes that NOTIFY is about, as they are at one moment, and what became of them from
 * one to the next. */
#ifndef IMAP_NOTIFY_STOCK_H
#define IMAP_NOTIFY_STOCK_H

#include "fmt/imap_notify.h"
#include "imap/metadata.h"

struct known { /* a mailbox of an event group */
    struct store_box_info box;
    unsigned events; /* enum imap_notify_event */
    struct store_status st;
    struct metadata_marks marks; /* taken with the event NOTIFY_METADATA */
    bool own;                    /* since it was told, this client has changed it */
    /* while it is compared with what was known before: */
    bool affected, resubscribed;
    const struct known *was; /* its other name, when it was renamed */
};

struct stock {
    struct arena *arena; /* NULL: nothing is known yet */
    struct known *v;
    size_t n;    /* listed now; behind them are ... */
    size_t gone; /* ... so many that were listed before, for one comparison */
    struct metadata_marks server;
};

/* Those that an event group names, or all where ENABLE METADATA asks for that event, as they are now. A
 * command that renames many is seen half done: while names differ from `before` another look is taken.
 * RC_LIMIT: more than IMAP_WATCHES_MAX, or names too long.
 */
MUST_USE enum rc stock_take(struct imap_session *s, const struct imap_notify *what,
                            const struct stock *before, struct stock *ret, struct err *e);
void stock_deinit(struct stock *stock);

/* Sets in `now`, which was taken with `before`, what has become of each. */
void stock_compare(const struct stock *before, const struct stock *now, char separator);
bool stock_same_names(const struct stock *a, const struct stock *b);
/* A mailbox that was renamed only because its parent was (RFC 5465 §5.4). */
bool known_moved_with_parent(const struct stock *now, const struct known *k, char separator);
struct known *known_find(const struct known *v, size_t n, str name); /* NULL: not there */

#endif
