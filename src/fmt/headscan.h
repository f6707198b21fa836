/* headscan: what an SMTP server must know of a header while the message streams by: loops (RFC 5321 §6.3),
 * which fields submission has to add (RFC 6409 §8), and the Message-ID for the log.
 *
 * Resumable at every byte; lines end in LF. Counts only; limits are the caller's. It stops at the empty line,
 * or at the first line that is no header field, and costs nothing from there on. */
#ifndef FMT_HEADSCAN_H
#define FMT_HEADSCAN_H

#include "base/str.h"

enum { HEADSCAN_NAME_MAX = 16, HEADSCAN_ID_MAX = 256 };

struct headscan {
    bool done; /* the header is over */
    bool has_date, has_message_id, has_from;
    unsigned received, delivered_to; /* fields */
    uint64_t fields, bytes;
    char message_id[HEADSCAN_ID_MAX]; /* first Message-ID without white space, cut when longer */
    size_t message_id_n;
    int state;
    bool in_message_id;
    char name[HEADSCAN_NAME_MAX]; /* start of the name under way, folded */
    size_t name_n;
};

void headscan_init(struct headscan *h);
void headscan_feed(struct headscan *h, str bytes);

#endif
