/* restrict_talk: one message to one recipient, and what the server says to it. */
#ifndef TESTS_UNIT_SMTP_RESTRICT_TALK_H
#define TESTS_UNIT_SMTP_RESTRICT_TALK_H

#include "talk.h"

struct restrict_case {
    const char *settings;
    const char *client;           /* address; NULL: 192.0.2.7 */
    const char *helo, *from, *to; /* NULL: client.example, a@good.example, alice@example.org */
    const char *want;             /* the beginning of the last reply: to RCPT, or what came instead */
};

/* The reply to RCPT, or to what was refused before it; valid until the next call. The log is in talk_log. */
const char *restrict_reply_to(const struct restrict_case *c);
/* Fails the test when a reply does not begin as wanted. */
void restrict_run_cases(const struct restrict_case *v, size_t n);

#endif
