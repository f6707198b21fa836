/* talk: an SMTP session of the fake world in a thread, and the client's end of its connection. */
#ifndef TESTS_UNIT_SMTP_TALK_H
#define TESTS_UNIT_SMTP_TALK_H

#include "conf/conf.h"
#include "fake_env.h"
#include "smtp/session.h"
#include "table/settings.h"

#include <pthread.h>

struct talk {
    struct fake_world world;
    struct smtp_params params; /* may be changed before talk_begin */
    struct conf *conf;
    struct table_settings *tables; /* that the restrictions of conf name */
    pthread_t thread;
    int fd;            /* the client's end */
    struct stream *io; /* the server's end */
    struct buf in;     /* replies not yet heard */
};

/* settings: lines of malle.conf, put behind the test's own. */
void talk_init(struct talk *t, enum smtp_kind kind, const char *settings);
void talk_begin(struct talk *t);
void talk_say(struct talk *t, str bytes);
/* The next reply, all its lines; the view is valid until the next hear. Empty when the server closed or was
 * silent for 5 s. */
str talk_hear(struct talk *t);
/* Closes the client's sending side, waits for the session's end, frees everything but world. */
void talk_end(struct talk *t);

/* A conversation: each step says something (NULL: nothing) and then hears the replies, one a line, each the
 * beginning of what must come. "" as the last line: nothing more may come, the server closes. */
struct talk_step {
    const char *say, *want;
};
/* Fails the test on the first difference. */
void talk_run(struct talk *t, const struct talk_step *steps, size_t n);
#define TALK(t, steps) talk_run((t), (steps), sizeof(steps) / sizeof *(steps))

/* The log since the last call, "" when nothing was logged. Valid until the next call. */
const char *talk_log(void);

#endif
