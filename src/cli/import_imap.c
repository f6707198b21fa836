/* import_imap: the mailboxes of an account at another IMAP server, with flags, keywords and dates. First all
 * is heard of the messages but their content, which then comes in batches and goes on to the session as it
 * comes; nothing is changed at the other server. */
#include "cli/import.h"

enum { MESSAGES_BYTES_MAX = 256 << 20, BATCH = 50, FLAGS_MAX = 64 << 10 };

struct remote_message {
    uint32_t uid;
    uint64_t size;
    int64_t date;
    str flags; /* as they go into APPEND */
};

struct source {
    struct importer *i;
    struct imap_client *c;
    struct arena *arena; /* of the mailbox being taken */
    struct remote_message *v;
    size_t n;
    size_t batch, batch_end; /* which of v are being fetched */
    str prefix;              /* of the namespace */
    int status;
};

static int fail(const struct source *s, const char *what, const struct err *e)
{
    return cli_fail(STR_FMT ": cannot %s at the other server: %s", STR_ARG(buf_str(&s->i->box)), what,
                    err_text(e));
}

/* --- what there is --- */

/* System flags of RFC 9051 §2.3.2 but \Recent, and keywords. */
static void put_flag(const struct source *s, struct buf *out, str flag)
{
    static const str system[] = {S("\\Answered"), S("\\Flagged"), S("\\Deleted"), S("\\Seen"), S("\\Draft")};
    if (!str_starts(flag, S("\\"))) {
        importer_put_keyword(s->i, out, flag);
        return;
    }
    for (size_t k = 0; k < sizeof system / sizeof *system; k++)
        if (str_ieq(flag, system[k]))
            buf_printf(out, "%s" STR_FMT, out->n ? " " : "", STR_ARG(system[k]));
}

static enum rc add_message(struct source *s, const struct imap_fetched *f)
{
    AUTO(buf_deinit) struct buf flags = BUF_INIT(FLAGS_MAX);
    for (size_t k = 0; k < f->n_flags; k++)
        put_flag(s, &flags, f->flags[k]);
    if ((s->n == 0 || s->n >= 8) && (s->n & (s->n - 1)) == 0) /* arena_grow doubles from 8 */
        s->v = arena_grow(s->arena, s->v, s->n, sizeof *s->v);
    if (!s->v)
        return RC_LIMIT;
    s->v[s->n++] = (struct remote_message){
        .uid = f->uid,
        .size = f->size,
        .date = f->date,
        .flags = arena_str(s->arena, buf_str(&flags)),
    };
    return arena_exhausted(s->arena) ? RC_LIMIT : RC_OK;
}

static enum rc take_facts(void *ctx, const struct imap_response *r, struct imap_lex *lex)
{
    struct source *s = ctx;
    struct imap_fetched f;
    if (!str_ieq(r->word, S("FETCH")))
        return RC_OK;
    enum rc rc = imap_response_fetch(lex, &f);
    bool whole = rc == RC_OK && f.uid && f.has_flags && f.has_date; /* else an announcement */
    return whole ? add_message(s, &f) : rc;
}

/* --- the messages --- */

static struct remote_message *find_in_batch(struct source *s, uint32_t uid)
{
    for (size_t k = s->batch; k < s->batch_end; k++)
        if (s->v[k].uid == uid)
            return &s->v[k];
    return NULL;
}

static enum rc take_content(void *ctx, const struct imap_response *r, struct imap_lex *lex)
{
    struct source *s = ctx;
    struct imap_fetched f;
    char from[32];
    if (!str_ieq(r->word, S("FETCH")) || s->status != CLI_FINE)
        return RC_OK;
    enum rc rc = imap_response_fetch(lex, &f);
    struct remote_message *m = rc == RC_OK && f.body.p ? find_in_batch(s, f.uid) : NULL;
    if (!m)
        return rc;
    snprintf(from, sizeof from, "message %u", f.uid);
    s->status = importer_put(s->i, &(struct import_message){from, m->flags, m->date, f.body});
    m->uid = 0; /* a server that sends it again is not believed */
    return RC_OK;
}

/* What is too large is left out. */
static int fetch_batch(struct source *s)
{
    struct err e = {0};
    struct buf *out = imap_client_command(s->c);
    unsigned wanted = 0;
    buf_puts(out, S("UID FETCH "));
    for (size_t k = s->batch; k < s->batch_end; k++) {
        char from[32];
        snprintf(from, sizeof from, "message %u", s->v[k].uid);
        if (s->v[k].size > s->i->conf->message_size_limit)
            importer_lost(s->i, from, "it is larger than message_size_limit");
        else
            buf_printf(out, "%s%u", wanted++ ? "," : "", s->v[k].uid);
    }
    if (!wanted)
        return CLI_FINE;
    buf_puts(out, S(" (UID BODY.PEEK[])"));
    if (imap_client_run(s->c, take_content, s, &e) != RC_OK)
        return fail(s, "fetch the messages", &e);
    return s->status;
}

static enum rc examine(struct source *s, str mailbox, struct err *e)
{
    buf_puts(imap_client_command(s->c), S("EXAMINE "));
    imap_client_put_mailbox(s->c, mailbox);
    enum rc rc = imap_client_run(s->c, NULL, NULL, e);
    if (rc != RC_OK)
        return rc;
    buf_puts(imap_client_command(s->c), S("UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)"));
    return imap_client_run(s->c, take_facts, s, e);
}

static int take_messages(struct source *s, str mailbox)
{
    struct err e = {0};
    s->v = NULL;
    s->n = 0;
    enum rc rc = examine(s, mailbox, &e);
    if (rc != RC_OK) {
        s->i->failed++;
        int told = fail(s, "read the mailbox", &e);
        return rc == RC_PERM ? CLI_FINE : told; /* this one alone is refused */
    }
    s->i->progress.total = s->n;
    int status = CLI_FINE;
    for (s->batch = 0; s->batch < s->n && status == CLI_FINE; s->batch = s->batch_end) {
        s->batch_end = s->batch + BATCH < s->n ? s->batch + BATCH : s->n;
        status = fetch_batch(s);
    }
    progress_end(&s->i->progress);
    return status;
}

static int take_box(struct source *s, const struct mail_box *b)
{
    AUTO(arena_freep) struct arena *a = arena_new(MESSAGES_BYTES_MAX);
    str name = b->name;
    if (name.n > s->prefix.n && str_starts(name, s->prefix))
        name = str_from(name, s->prefix.n);
    s->arena = a;
    int status = importer_box(s->i, name, b->separator);
    return status == CLI_FINE ? take_messages(s, b->name) : status;
}

static enum rc take_prefix(void *ctx, const struct imap_response *r, struct imap_lex *lex)
{
    struct buf *prefix = ctx;
    str found;
    enum rc rc = str_ieq(r->word, S("NAMESPACE")) ? imap_response_namespace(lex, &found) : RC_GONE;
    if (rc == RC_OK)
        buf_puts(prefix, found);
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc list(struct imap_client *c, const char *mask, struct buf *prefix, struct mail_boxes *boxes,
                    struct err *e)
{
    enum rc rc = RC_OK;
    if (imap_capability_has(imap_client_capabilities(c), S("NAMESPACE"))) {
        buf_puts(imap_client_command(c), S("NAMESPACE"));
        rc = imap_client_run(c, take_prefix, prefix, e);
    }
    if (rc != RC_OK)
        return rc;
    buf_puts(imap_client_command(c), S("LIST \"\" "));
    imap_client_put_mailbox(c, str_c(mask));
    return imap_client_run(c, mail_boxes_take, boxes, e);
}

int import_imap(struct importer *i, struct imap_client *c)
{
    AUTO(buf_deinit) struct buf prefix = BUF_INIT(IMAP_MAILBOX_MAX);
    AUTO(mail_boxes_deinit) struct mail_boxes boxes = {0};
    struct source s = {.i = i, .c = c, .status = CLI_FINE};
    struct err e = {0};
    mail_boxes_init(&boxes);
    if (list(c, i->mailbox ? i->mailbox : "*", &prefix, &boxes, &e) != RC_OK)
        return cli_fail("cannot list the mailboxes of the other server: %s", err_text(&e));
    s.prefix = buf_str(&prefix);
    int status = CLI_FINE;
    for (size_t k = 0; k < boxes.n && status == CLI_FINE; k++)
        if (boxes.v[k].selectable)
            status = take_box(&s, &boxes.v[k]);
    return status;
}
