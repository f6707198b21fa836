/* login_talk: one dialogue before log-in over a socketpair, against log-in functions that know one account.
 *
 * "joe" with the password "secret" logs in by PLAIN; the mechanism SCRAM-SHA-256 asks "q1", takes "a1" and
 * ends with the final data "fin"; the user "temp" cannot be checked now; "full", "none" and "down" log in but
 * get no session. */
#ifndef TESTS_LOGIN_TALK_H
#define TESTS_LOGIN_TALK_H

#include "account/login.h"
#include "os/stream.h"

typedef void login_dialogue(struct stream *io, const struct login_settings *set, const struct login_ops *ops,
                            void *ctx, struct login_outcome *ret);

struct login_talk { /* what to do, and what came of it */
    login_dialogue *run;
    bool starttls, plaintext_forbidden;
    unsigned command_max; /* 0: 100 */
    msec deadline_ms;     /* 0: 5 s */
    bool keep_open;       /* the client does not close its sending side */
    bool bytewise;        /* every byte is sent alone */
    /* results */
    char *answer; /* all that the client got; login_talk frees it at the next use */
    struct login_outcome outcome;
    char tag[32];   /* of the session that was opened */
    char left[256]; /* input left for the session */
    unsigned cancelled, tls_started;
};

/* Runs the dialogue with this input. */
void login_talk(struct login_talk *t, str input);
void login_talk_deinit(struct login_talk *t);

#endif
