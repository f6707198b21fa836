/* deliver_msg: the request DELIVER_PREPARE, as `deliver` reads it. */
#ifndef ROLE_DELIVER_MSG_H
#define ROLE_DELIVER_MSG_H

#include "os/ipc.h"
#include "smtp/smtp_env.h"

/* What is asked for besides preparing. */
enum deliver_commit {
    DELIVER_HOLD,          /* keep prepared until DELIVER_COMMIT or DELIVER_ABORT */
    DELIVER_COMMIT_IF_ALL, /* commit when every recipient of this message could be prepared, else abort */
    DELIVER_COMMIT_EACH    /* commit every recipient that could be prepared (LMTP) */
};

enum {
    DELIVER_ID_MAX = 63,                 /* bytes of a message's id */
    DELIVER_INLINE_MAX = 32 << 10,       /* content that travels in the message itself, ... */
    DELIVER_INLINE_RCPTS = 8,            /* ... with so many recipients: no descriptor, no memory file */
    DELIVER_BATCH_MAX = 40,              /* recipients of one DELIVER_PREPARE */
    DELIVER_HELD_MAX = SMTP_TARGETS_MAX, /* recipients held by one channel */
    DELIVER_TRACE_MAX = 16384,           /* bytes of trace lines */
    DELIVER_ADDRESS_MAX = 1200,          /* bytes of an address, */
    DELIVER_LINES_MAX = 2400             /* and of a Return-Path and a Delivered-To line */
};

struct deliver_request { /* all but the recipients, which stay in the message; views into it */
    str id, trace;
    uint32_t commit, count;
    bool again; /* it may have been delivered before: look first */
    msec deadline;
    uint64_t bytes, lines;
    str content; /* when there is no descriptor */
    int content_fd;
};

/* RC_INVALID when malformed or past a limit. content_fd is the caller's to close in either case; -1: none. */
MUST_USE enum rc deliver_request_get(struct ipc_msg *m, struct deliver_request *ret);

#endif
