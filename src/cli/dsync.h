/* dsync: making the mailboxes of two IMAP servers alike, of which one or both may be sessions of this program
 * (cli/mail_session.h). Messages are matched by Message-ID, INTERNALDATE and size, and copied, flagged and
 * removed by IMAP commands; so UIDs are each side's own. Every function returns a status after a sentence. */
#ifndef CLI_DSYNC_H
#define CLI_DSYNC_H

#include "base/arena.h"
#include "cli/cli.h"
#include "imap/client.h"

enum dsync_way {
    DSYNC_BACKUP, /* `to` gets what `from` has, and loses what it has not */
    DSYNC_ADD,    /* `to` gets what `from` has */
    DSYNC_MERGE   /* both get what the other has; a message has the flags of both */
};

struct dsync_box {
    str name; /* as both sides may call it: levels parted by "/" */
    str here; /* as this side does */
    bool subscribed;
};
struct dsync_side {
    struct imap_client *c;
    const char *label; /* for sentences */
    /* dsync_list fills the rest, in the arena */
    struct arena *a;
    str prefix;
    char separator;
    bool knows_subscriptions;
    struct dsync_box *boxes; /* by name */
    size_t n;
};

struct dsync {
    struct dsync_side from, to;
    enum dsync_way way;
    const char *mailbox; /* this one alone; NULL: all */
    char separator;      /* of it */
    uint64_t refused;    /* messages that a side did not take: each was told */
};

int dsync_run(struct dsync *d);

/* --- between its files --- */
int dsync_fail(const struct dsync_side *s, str box, const char *what, const struct err *e);
/* dsync_box.c: one mailbox that both sides have. */
int dsync_messages(struct dsync *d, const struct dsync_box *from, const struct dsync_box *to);
/* dsync_copy.c: what stands behind these UIDs of `from`, whose mailbox is selected, with flags and dates,
 * goes into a mailbox of `to`. */
struct dsync_message {
    uint32_t uid;
    uint64_t size;
    int64_t date;
    str key;                    /* what a message is known by */
    str flags;                  /* sorted, without \Recent, parted by spaces */
    struct dsync_message *twin; /* the same at the other side; NULL: it has none */
    bool copied;
};
int dsync_copy(struct dsync *d, struct dsync_side *from, struct dsync_side *to, const struct dsync_box *into,
               struct dsync_message *const *v, size_t n);

#endif
