/* Messages of one side into a mailbox of the other, as they come. */
#include "cli/dsync.h"

#include "fmt/date.h"

enum { BATCH = 50 };

struct work {
    struct dsync *d;
    struct dsync_side *to;
    const struct dsync_box *into;
    struct dsync_message *const *v; /* of this batch */
    size_t n;
    int status;
};

/* What a server sends twice is taken once. */
static struct dsync_message *find(const struct work *w, uint32_t uid)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->v[i]->uid == uid)
            return w->v[i]->copied ? NULL : w->v[i];
    return NULL;
}

/* CLI_FINE also when this message alone is refused. */
static int append(struct work *w, const struct dsync_message *m, str content)
{
    struct err e = {0};
    AUTO(buf_deinit) struct buf date = BUF_INIT(64);
    struct buf *out = imap_client_command(w->to->c);
    date_format_imap(&date, (struct date){m->date, 0});
    buf_puts(out, S("APPEND "));
    imap_client_put_mailbox(w->to->c, w->into->here);
    buf_printf(out, " (" STR_FMT ") \"" STR_FMT "\" ", STR_ARG(m->flags), STR_ARG(buf_str(&date)));
    imap_client_put_literal(w->to->c, content);
    enum rc rc = imap_client_run(w->to->c, NULL, NULL, &e);
    if (rc == RC_OK)
        return CLI_FINE;
    w->d->refused++;
    int told = dsync_fail(w->to, w->into->name, "save a message", &e);
    bool goes_on = rc == RC_PERM || rc == RC_INVALID;
    return goes_on && !str_eq(imap_client_code(w->to->c), S("OVERQUOTA")) ? CLI_FINE : told;
}

static enum rc take(void *ctx, const struct imap_response *r, struct imap_lex *lex)
{
    struct work *w = ctx;
    struct imap_fetched f;
    if (!str_ieq(r->word, S("FETCH")) || w->status != CLI_FINE)
        return RC_OK;
    enum rc rc = imap_response_fetch(lex, &f);
    struct dsync_message *m = rc == RC_OK && f.body.p ? find(w, f.uid) : NULL;
    if (!m)
        return rc;
    m->copied = true;
    w->status = append(w, m, f.body);
    return RC_OK;
}

int dsync_copy(struct dsync *d, struct dsync_side *from, struct dsync_side *to, const struct dsync_box *into,
               struct dsync_message *const *v, size_t n)
{
    struct work w = {.d = d, .to = to, .into = into, .v = v};
    for (; n > 0 && w.status == CLI_FINE; w.v += w.n, n -= w.n) {
        struct err e = {0};
        struct buf *out = imap_client_command(from->c);
        w.n = n < BATCH ? n : BATCH;
        buf_puts(out, S("UID FETCH "));
        for (size_t i = 0; i < w.n; i++)
            buf_printf(out, "%s%u", i ? "," : "", w.v[i]->uid);
        buf_puts(out, S(" (UID BODY.PEEK[])"));
        if (imap_client_run(from->c, take, &w, &e) != RC_OK && w.status == CLI_FINE)
            w.status = dsync_fail(from, into->name, "fetch messages", &e);
    }
    return w.status;
}
