/* header_drop: takes fields out of a message's header by their names, while the message streams by in LF form
 * and in any pieces. Pure.
 *
 * A line that is no field ends the header; everything behind goes on as it is. */
#ifndef FMT_HEADER_DROP_H
#define FMT_HEADER_DROP_H

#include "base/buf.h"

enum { HEADER_DROP_NAME_MAX = 80 }; /* bytes; a longer name is never one of those that are dropped */

struct header_drop {
    const str *names; /* compared without case */
    size_t n;
    enum { HEADER_DROP_START, HEADER_DROP_KEEPS, HEADER_DROP_DROPS, HEADER_DROP_DONE } state;
    bool any, dropped; /* a field was there; the last one was dropped, and what continues it is, too */
    size_t held;       /* bytes of a name whose end is not there yet */
    char name[HEADER_DROP_NAME_MAX];
    uint64_t bytes, lines; /* that were dropped */
};

/* names must live as long as d. */
void header_drop_init(struct header_drop *d, const str *names, size_t n);
/* Appends what stays. */
void header_drop_feed(struct header_drop *d, str in, struct buf *out);
/* The end of the message. */
void header_drop_finish(struct header_drop *d, struct buf *out);

#endif
