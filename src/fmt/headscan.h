/* headscan: what an SMTP server must know of a header while the message streams by: loops (RFC 5321 §6.3),
 * which fields submission has to add (RFC 6409 §8), Message-ID, Subject and From for the log, whether the
 * sender asks to do without TLS (RFC 8689 §3), and the priority that a message carries where SMTP could not
 * (RFC 6758 §4).
 *
 * Resumable at every byte; lines end in LF. Counts only; limits are the caller's. It stops at the empty line,
 * or at the first line that is no header field, and costs nothing from there on. */
#ifndef FMT_HEADSCAN_H
#define FMT_HEADSCAN_H

#include "base/str.h"

enum { HEADSCAN_NAME_MAX = 16, HEADSCAN_ID_MAX = 256, HEADSCAN_TEXT_MAX = 400, HEADSCAN_VALUE_MAX = 16 };

struct headscan_text { /* the first field of a name, unfolded, cut when longer */
    bool found;
    size_t n;
    char p[HEADSCAN_TEXT_MAX];
};

struct headscan {
    bool done;                                       /* the header is over */
    bool has_date, has_message_id, has_from, has_to; /* has_to: or Cc */
    unsigned received, delivered_to;                 /* fields */
    uint64_t fields, bytes;
    char message_id[HEADSCAN_ID_MAX]; /* first Message-ID without white space, cut when longer */
    size_t message_id_n;
    struct headscan_text subject, from;
    bool has_tls_required, tls_required_no; /* "TLS-Required: No"; any other value means nothing */
    bool has_mt_priority, priority_valid;   /* there are such fields; it is one, and `priority` is set */
    int priority;                           /* -9 to 9 */
    int state, field;
    char value[HEADSCAN_VALUE_MAX]; /* of TLS-Required or MT-Priority, without white space */
    size_t value_n;
    char name[HEADSCAN_NAME_MAX]; /* start of the name under way, folded */
    size_t name_n;
};

void headscan_init(struct headscan *h);
void headscan_feed(struct headscan *h, str bytes);

#endif
