/* cmd_queue: what the files of the command queue share. */
#ifndef CLI_CMD_QUEUE_H
#define CLI_CMD_QUEUE_H

#include "base/arena.h"
#include "cli/cli.h"
#include "fmt/json.h"
#include "queue/admin.h"

/* Opens the queue; from here on the process is confined to its folder. On failure the sentence was printed:
 * return the status *ret_status. */
MUST_USE enum rc queue_cli_open(struct cli *cli, struct queue_admin **ret, int *ret_status);

/* cmd_queue_list.c: print what matches and return the exit status. */
int queue_cli_list(struct queue_admin *a, const struct queue_filter *f, bool json);
int queue_cli_stats(struct queue_admin *a, const struct queue_filter *f, bool json);
/* cmd_queue_tls.c: adds how TLS with other domains went: an array "tls" to an open object, or with j NULL
 * lines. The process is in the queue's folder. */
MUST_USE enum rc queue_cli_put_tls(struct buf *out, struct json *j, struct err *e);
/* With all that is known. one: of the one id of the filter, and JSON is its object, no array. */
int queue_cli_show(struct queue_admin *a, const struct queue_filter *f, bool one, bool json);
/* cmd_queue_cat.c: a message as it waits; close forgets all of it and accepts a zeroed one. */
struct queue_cli_message {
    struct queue_envelope envelope;
    str content; /* without the header lines of envelope.trace, which stand in front of it */
    struct arena *arena;
    void *map; /* of its spool file, or NULL */
    size_t map_bytes;
};
/* RC_GONE: there is none of this id. */
MUST_USE enum rc queue_cli_message_open(struct queue_admin *a, const char *id, struct queue_cli_message *ret,
                                        struct err *e);
void queue_cli_message_close(struct queue_cli_message *m); /* usable with AUTO */

/* one: the bytes of the one id of the filter; else an mbox of what matches. */
int queue_cli_cat(struct queue_admin *a, const struct queue_filter *f, bool one);

#endif
