/* Shared by the two files of queue that have mail handed to programs and files, and by nobody else. */
#ifndef ROLE_QUEUE_COMMAND_H
#define ROLE_QUEUE_COMMAND_H

#include "fmt/via.h"
#include "role/command_msg.h"
#include "role/queue_impl.h"

/* One job. */
struct command_work {
    struct queue_role *server;
    const struct conf *conf;
    struct arena *arena;
    struct buf *ipc;
    struct queue_job job;
    int content; /* a descriptor of the content, made when first needed; -1 */
    struct queue_outcome outcomes[QUEUE_JOB_RCPTS_MAX];
    struct queue_rcpt *added;
    size_t n_added, added_room;
    str forwarded; /* the sender of what a .forward sends to another server; empty: not asked for yet */
};

/* queue_forward.c: one more recipient that takes the place of some of the job's. False: a report takes no
 * more.
 */
bool queue_command_add(struct command_work *k, const struct queue_rcpt *r);
/* What a user's .forward makes of recipient i: others, in k->added. False: he has none that
 * counts, and the mail is for his mailbox. */
bool queue_forward(struct command_work *k, size_t i, const struct via *v);

#endif
