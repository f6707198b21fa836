/* fake_env: a world for SMTP sessions in tests. Mailboxes: alice, bob (both also reached by team@), full
 * (RC_TEMP at RCPT), broken (RC_TEMP at delivery), vanished (RC_PERM at delivery) at example.org and
 * bücher.example; crowd there is an alias of 400 mailboxes; every other name there is unknown, every other
 * domain is foreign. The DNS has the records of fake_env.c; it does not answer for what is below
 * slow.example. Log-in: alice with the password "secret". Messages are kept as text. */
#ifndef TESTS_UNIT_SMTP_FAKE_ENV_H
#define TESTS_UNIT_SMTP_FAKE_ENV_H

#include "smtp/smtp_env.h"

struct fake_world {
    struct buf content;   /* of the message under way */
    struct buf delivered; /* every committed copy: return path, Delivered-To, trace, content */
    unsigned deliveries;  /* committed copies */
    unsigned lookups;
    enum rc sink_result;    /* what content_append answers */
    enum rc deliver_result; /* not RC_OK: deliver fails as a whole and says nothing about recipients */
    bool stopping;
    unsigned verifies; /* answers of verify: the first is that it does not know yet */
    int64_t paused_ms; /* by pause, altogether */
    int sasl_steps;    /* LOGIN's place */
    str sender_owner;  /* the one address that alice may send as */
    uint64_t last_bytes, last_lines;
    char last_id[32];
};

void fake_world_init(struct fake_world *w);
void fake_world_deinit(struct fake_world *w);
extern const struct smtp_env fake_env; /* its context is a struct fake_world */

#endif
