/* command_msg: what queue asks of the role `command`, and its answers. A request names whose choice is to be
 * carried out (fmt/via.h) or which transport; never what is run or written. */
#ifndef ROLE_COMMAND_MSG_H
#define ROLE_COMMAND_MSG_H

#include "base/arena.h"
#include "fmt/pipe_def.h"
#include "os/ipc.h"

enum {
    COMMAND_TARGETS_MAX = 200, /* of one .forward */
    COMMAND_ADDRESS_MAX = 320,
    COMMAND_REPLY_MAX = 1024,
    COMMAND_TEXT_MAX = 1024,
    COMMAND_TRACE_MAX = 20000 /* queue's QUEUE_TRACE_MAX, and what a forwarded message has in front */
};

struct command_rcpt {
    str address, orig; /* orig: as it was first given; may be empty */
};

struct command_request {
    bool pipe;
    str name;    /* a via, or with pipe the name of a transport */
    str nexthop; /* of a transport */
    str id, sender, client, trace;
    str account, envid; /* who submitted it, and the ENVID of MAIL; may be empty */
    uint64_t size;      /* of the content, LF form */
    int64_t arrived;    /* milliseconds since 1970 */
    struct command_rcpt rcpts[PIPE_RCPTS_MAX];
    size_t n;
    int content_fd; /* taken from the message */
};

struct command_target { /* one line of a .forward, as queue sees it */
    unsigned kind;      /* enum alias_kind; ALIAS_ADDRESS, ALIAS_COMMAND or ALIAS_FILE */
    bool final;
    unsigned position; /* of a command or file: via.n */
    uint64_t hash;
    str address;
};

void command_request_put(struct buf *b, const struct command_request *q);
/* Views of the message; RC_INVALID. content_fd is the caller's to close, also then (-1: none). */
MUST_USE enum rc command_request_get(struct ipc_msg *m, struct command_request *ret);

void command_targets_put(struct buf *b, const struct err *e, const struct command_target *t, size_t n);
/* RC_OK: the answer could be read, *ret_e says what it is, targets lie in the arena. */
MUST_USE enum rc command_targets_get(struct ipc_msg *m, struct arena *a, struct err *ret_e,
                                     struct command_target **ret, size_t *ret_n);

void command_done_put(struct buf *b, const struct err *e, str text);

#endif
