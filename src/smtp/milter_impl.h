/* milter_impl: the filters of a session, for milter*.c. */
#ifndef SMTP_MILTER_IMPL_H
#define SMTP_MILTER_IMPL_H

#include "conf/milter.h"
#include "fmt/crlf.h"
#include "fmt/header_edit.h"
#include "fmt/milter.h"
#include "smtp/milter.h"
#include "smtp/session_impl.h"

enum {
    MILTER_REPLY_MAX = 4096, /* bytes of an SMTP reply's text */
    MILTER_MACROS_MAX = 100, /* in one stage */
    MILTER_ARENA_MAX = 1 << 20
};

struct milter_verdict {
    enum { MILTER_GO, MILTER_HOLD, MILTER_DROP, MILTER_END, MILTER_REFUSE } kind;
    struct milter_reply reply; /* of MILTER_REFUSE; its text lives until the milter's next answer */
};

struct milter {
    struct conf_milter conf;
    struct stream *io; /* NULL: nothing more is said to it */
    struct milter_options options;
    uint32_t lacking;              /* bits of events that its version does not have */
    bool accepted;                 /* the message; it hears no more of it */
    bool in_message;               /* it has heard of MAIL, and not of an end */
    char skipped;                  /* the event of which it has enough; 0: none */
    struct milter_verdict lasting; /* without a connection: its answer to everything */
    struct buf reply;
};

struct smtp_milters {
    struct arena *arena;
    struct milter *v;
    size_t n;
    struct buf in;                 /* a packet */
    const char *rejected_enhanced; /* a recipient was refused: with this, and */
    str rejected;                  /* this text; p NULL: none was */
    str recipient;                 /* of this RCPT */
    struct restrict_refusal refusal;
};

struct milter_event {
    enum milter_command command;
    int stage; /* enum milter_stage; -1: without macros */
    const struct milter_part *parts;
    size_t n;
};

/* True: it was an edit, and is done, or the message is marked as failed. */
typedef bool milter_edit_fn(void *ctx, const struct milter *m, const struct milter_message *edit);

/* --- one filter (milter_talk.c) --- */
/* Connects and negotiates; what fails becomes its lasting verdict. */
void milter_open(struct smtp_session *s, struct milter *m);
/* Tells it of an event and hears what it says; the verdict may last. edit: of the end of a message; else
 * NULL. */
struct milter_verdict milter_tell(struct smtp_session *s, struct milter *m, const struct milter_event *e,
                                  milter_edit_fn *edit, void *ctx);
/* What has no answer. */
void milter_say(struct milter *m, enum milter_command c);
/* Ends it: as its settings say when it has failed, or because a setting of ours or its answer makes no sense.
 */
struct milter_verdict milter_fail(struct milter *m, bool misconfigured);

/* --- all of them (milter.c) --- */
/* Its answer when it is not to be told of an event now; false: it is. */
bool milter_is_done(const struct milter *m, struct milter_verdict *ret);
/* Logs a verdict and does what it asks for. RC_PERM: *ret is the reply. at_end: of the message, where it is
 * Postfix's cleanup that tells. */
enum rc milter_apply(struct smtp_session *s, const struct milter_verdict *v, const char *stage, bool at_end,
                     str recipient, const struct restrict_refusal **ret);

/* --- macros (milter_macros.c) --- */
/* The names and values for this stage as parts behind ret[0], at most 2 * MILTER_MACROS_MAX; how many. */
size_t milter_macros(struct smtp_session *s, const struct milter *m, int stage, struct milter_part *ret);

/* --- the message (milter_edit.c) --- */
struct milter_mail { /* as filters see and change it */
    struct smtp_session *s;
    struct arena *arena;
    struct buf raw; /* the header as it came in */
    struct header_edit header;
    uint64_t bytes, body_at; /* of the content; where its body begins */
    size_t raw_lines;        /* in front of that */
    bool has_gap;            /* the empty line is there */
    bool replacing;          /* this filter has begun a body of its own */
    bool replaced;           /* there is a body of a filter: */
    uint64_t body_bytes, body_lines;
    struct crlf_state crlf;
    char last; /* byte of it */
};

bool milter_edit(void *ctx, const struct milter *m, const struct milter_message *edit); /* ctx: milter_mail */
void milter_edit_end(struct milter_mail *x);                                            /* of one filter */
/* milter_header_checks: what becomes of a field; false: nothing, *text stays out (milter_checks.c). */
bool milter_check_field(struct milter_mail *x, str *text);

#endif
