/* envelope_read: what SORT and THREAD need of a message, from the text of its ENVELOPE as the index keeps it
 * (fmt/envelope.h), so that no message is opened for it. */
#ifndef FMT_ENVELOPE_READ_H
#define FMT_ENVELOPE_READ_H

#include "base/arena.h"

struct envelope_address {    /* the first of a list; all STR_NONE when the list is empty */
    str name, mailbox, host; /* host.p NULL: a group, and mailbox is its name */
};

struct envelope_fields { /* raw values; STR_NONE when the message has no such field */
    str date, subject, in_reply_to, message_id;
    struct envelope_address from, to, cc;
};

/* Views into the text or the arena. What cannot be read gives fields that are absent. */
void envelope_read(str text, struct arena *a, struct envelope_fields *ret);
/* The same for date and subject alone, which stand in front. */
void envelope_read_subject(str text, struct arena *a, struct envelope_fields *ret);

#endif
