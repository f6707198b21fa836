/* message_query: which messages a command is about: those that search keys (RFC 9051 §6.4.4) find in the
 * mailboxes that a mask means. */
#ifndef CLI_MESSAGE_QUERY_H
#define CLI_MESSAGE_QUERY_H

#include "cli/mail_session.h"
#include "fmt/uidset.h"

struct message_query {
    const char *mailboxes; /* a mask of LIST */
    bool counts;           /* what STATUS says of the mailboxes is wanted by the functions below */
    /* Whether anything can be found in a mailbox; NULL: in each. */
    bool (*wants)(void *ctx, const struct mail_box *box);
    /* Puts the program of SEARCH for a mailbox; a status after a sentence. */
    int (*put)(void *ctx, struct mail_session *s, const struct mail_box *box, struct buf *out);
    void *ctx;          /* of both */
    bool read_only;     /* the mailboxes are only looked at */
    const char *except; /* a mailbox that is left out; NULL: none */
};

struct message_set { /* what was found in the mailbox that is selected, where "$" names it (RFC 5182) */
    const struct mail_box *box;
    struct uidset uids;
    bool alone; /* no other mailbox is looked at */
};

/* Calls fn for every mailbox in which something is found, which is selected then. A status: what fn returned
 * last that was not CLI_FINE, or CLI_FINDING after a sentence. */
int message_query_each(struct mail_session *s, const struct message_query *q,
                       int (*fn)(struct mail_session *s, const struct message_set *found, void *ctx),
                       void *ctx);

#endif
