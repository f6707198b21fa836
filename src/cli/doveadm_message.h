/* doveadm_message: what the commands of doveadm that search messages share. */
#ifndef CLI_DOVEADM_MESSAGE_H
#define CLI_DOVEADM_MESSAGE_H

#include "cli/doveadm.h"
#include "cli/doveadm_print.h"
#include "cli/message_query.h"

struct doveadm_work {
    struct cli *cli;
    const char *user;
    char *const *query; /* words of doveadm-search-query(7) */
    int n_query;
    const char *argument; /* what stands in front of them */
    const char *item;     /* of STORE */
    struct arena *a;
    struct doveadm_rows rows;
    bool looked; /* in any mailbox */
    void *ctx;   /* of the command */
};

typedef int doveadm_found(struct mail_session *s, const struct message_set *found, void *work);

/* Reads "-u USER", one word where wants_argument, and the query. EX_OK, or a status after a sentence. */
int doveadm_read_words(int argc, char **argv, bool wants_argument, struct doveadm_work *w);
/* Looks for the query in all mailboxes of the user and calls fn where something is found. bound: the query
 * must name mailboxes. A status. */
int doveadm_each_found(struct doveadm_work *w, bool read_only, bool bound, doveadm_found *fn);

#endif
