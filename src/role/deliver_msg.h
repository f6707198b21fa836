/* What DELIVER_PREPARE asks for besides preparing. */
#ifndef ROLE_DELIVER_MSG_H
#define ROLE_DELIVER_MSG_H

enum deliver_commit {
    DELIVER_HOLD,          /* keep prepared until DELIVER_COMMIT or DELIVER_ABORT */
    DELIVER_COMMIT_IF_ALL, /* commit when every recipient of this message could be prepared, else abort */
    DELIVER_COMMIT_EACH    /* commit every recipient that could be prepared (LMTP) */
};

enum {
    DELIVER_INLINE_MAX = 32 << 10,  /* content that travels in the message itself, ... */
    DELIVER_INLINE_RCPTS = 8,    /* ... with so many recipients: no descriptor, no memory file */
    DELIVER_BATCH_MAX = 40,      /* recipients of one DELIVER_PREPARE */
    DELIVER_HELD_MAX = 1000,     /* recipients held by one channel */
    DELIVER_TRACE_MAX = 16384,   /* bytes of trace lines */
    DELIVER_LINE_MAX = 1200      /* bytes of a Delivered-To address or a Return-Path line */
};

#endif
