/* One mailbox that both sides have: which messages are the same, and what is done about the others. */
#include "cli/dsync.h"

#include "fmt/header.h"

enum { MESSAGES_BYTES_MAX = 512 << 20, FLAGS_BYTES_MAX = 16 << 10, UIDS_MAX = 200 };

struct listing { /* of one side */
    struct arena *a;
    struct dsync_message *v;
    size_t n;
};

/* --- what there is --- */

static int by_text(const void *a, const void *b)
{
    return str_icmp(*(const str *)a, *(const str *)b);
}

static str sorted_flags(struct arena *a, const struct imap_fetched *f)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(FLAGS_BYTES_MAX);
    str *v = arena_array(a, f->n_flags + 1, sizeof *v);
    if (!v || !f->n_flags)
        return STR_NONE;
    memcpy(v, f->flags, f->n_flags * sizeof *v);
    qsort(v, f->n_flags, sizeof *v, by_text);
    for (size_t i = 0; i < f->n_flags; i++)
        if (!str_ieq(v[i], S("\\Recent")))
            buf_printf(&out, "%s" STR_FMT, out.n ? " " : "", STR_ARG(v[i]));
    return arena_str(a, buf_str(&out));
}

/* Servers keep the time of arrival in seconds, and count line ends as two bytes. */
static str key_of(struct arena *a, const struct imap_fetched *f)
{
    struct header_field id = {0};
    bool has = header_find(f->body, S("Message-ID"), 0, &id);
    return arena_printf(a, "%lld %llu " STR_FMT, (long long)f->date, (unsigned long long)f->size,
                        STR_ARG(has ? str_trim(id.value) : STR_NONE));
}

static enum rc take(void *ctx, const struct imap_response *r, struct imap_lex *lex)
{
    struct listing *l = ctx;
    struct imap_fetched f;
    if (!str_ieq(r->word, S("FETCH")))
        return RC_OK;
    enum rc rc = imap_response_fetch(lex, &f);
    if (rc != RC_OK || !f.uid || !f.has_flags || !f.has_date || !f.body.p)
        return rc;                                            /* or an announcement */
    if ((l->n == 0 || l->n >= 8) && (l->n & (l->n - 1)) == 0) /* arena_grow doubles from 8 */
        l->v = arena_grow(l->a, l->v, l->n, sizeof *l->v);
    if (!l->v)
        return RC_LIMIT;
    l->v[l->n++] = (struct dsync_message){.uid = f.uid,
                                          .size = f.size,
                                          .date = f.date,
                                          .key = key_of(l->a, &f),
                                          .flags = sorted_flags(l->a, &f)};
    return arena_exhausted(l->a) ? RC_LIMIT : RC_OK;
}

static int by_key(const void *a, const void *b)
{
    const struct dsync_message *x = a, *y = b;
    int order = str_cmp(x->key, y->key);
    return order ? order : x->uid < y->uid ? -1 : x->uid > y->uid;
}

static int look(struct dsync_side *s, const struct dsync_box *b, struct listing *ret)
{
    struct err e = {0};
    buf_puts(imap_client_command(s->c), S("SELECT "));
    imap_client_put_mailbox(s->c, b->here);
    enum rc rc = imap_client_run(s->c, NULL, NULL, &e);
    if (rc == RC_OK) {
        buf_puts(
            imap_client_command(s->c),
            S("UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"));
        rc = imap_client_run(s->c, take, ret, &e);
    }
    if (rc != RC_OK)
        return dsync_fail(s, b->name, "read the messages", &e);
    if (ret->n)
        qsort(ret->v, ret->n, sizeof *ret->v, by_key);
    return CLI_FINE;
}

/* Of several that are known by the same, the first are one, and so on. */
static void match(struct listing *from, struct listing *to)
{
    for (size_t i = 0, k = 0; i < from->n && k < to->n;) {
        int order = str_cmp(from->v[i].key, to->v[k].key);
        if (order == 0) {
            from->v[i].twin = &to->v[k];
            to->v[k].twin = &from->v[i];
        }
        i += order <= 0;
        k += order >= 0;
    }
}

static int by_uid(const void *a, const void *b)
{
    const struct dsync_message *x = *(struct dsync_message *const *)a, *y = *(struct dsync_message *const *)b;
    return x->uid < y->uid ? -1 : x->uid > y->uid;
}

/* Those without a twin, as they came. */
static struct dsync_message **alone(const struct listing *l, size_t *ret_n)
{
    struct dsync_message **v = arena_array(l->a, l->n + 1, sizeof *v);
    size_t n = 0;
    must(v);
    for (size_t i = 0; i < l->n; i++)
        if (!l->v[i].twin)
            v[n++] = &l->v[i];
    qsort(v, n, sizeof *v, by_uid);
    *ret_n = n;
    return v;
}

/* --- making them alike --- */

static int command(struct dsync_side *s, const struct dsync_box *b, const char *what)
{
    struct err e = {0};
    return imap_client_run(s->c, NULL, NULL, &e) == RC_OK ? CLI_FINE : dsync_fail(s, b->name, what, &e);
}

static void put_uids(struct buf *out, struct dsync_message *const *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%u", i ? "," : "", v[i]->uid);
}

static int expunge(struct dsync_side *s, const struct dsync_box *b, const struct listing *l)
{
    size_t n, part;
    struct dsync_message **v = alone(l, &n);
    int status = CLI_FINE;
    for (; n > 0 && status == CLI_FINE; v += part, n -= part) {
        part = n < UIDS_MAX ? n : UIDS_MAX;
        struct buf *out = imap_client_command(s->c);
        buf_puts(out, S("UID STORE "));
        put_uids(out, v, part);
        buf_puts(out, S(" +FLAGS.SILENT (\\Deleted)"));
        status = command(s, b, "delete messages");
        if (status != CLI_FINE)
            break;
        out = imap_client_command(s->c);
        buf_puts(out, S("UID EXPUNGE "));
        put_uids(out, v, part);
        status = command(s, b, "expunge messages");
    }
    return status;
}

static int set_flags(struct dsync_side *s, const struct dsync_box *b, const struct dsync_message *m,
                     str flags)
{
    if (str_ieq(m->flags, flags))
        return CLI_FINE;
    buf_printf(imap_client_command(s->c), "UID STORE %u FLAGS.SILENT (" STR_FMT ")", m->uid, STR_ARG(flags));
    return command(s, b, "change flags");
}

static bool has_flag(str flags, str flag)
{
    while (flags.n)
        if (str_ieq(str_word(&flags), flag))
            return true;
    return false;
}

/* Those of one, and behind them what the other has besides: so it is as long as either that has all. */
static void put_both(struct buf *out, str one, str other)
{
    buf_puts(out, one);
    for (str rest = other; rest.n;) {
        str flag = str_word(&rest);
        if (!has_flag(one, flag))
            buf_printf(out, "%s" STR_FMT, out->n ? " " : "", STR_ARG(flag));
    }
}

static int flag_all(struct dsync *d, const struct dsync_box *from, const struct dsync_box *to,
                    const struct listing *l)
{
    int status = CLI_FINE;
    for (size_t i = 0; i < l->n && status == CLI_FINE; i++) {
        AUTO(buf_deinit) struct buf both = BUF_INIT(2 * FLAGS_BYTES_MAX);
        const struct dsync_message *m = &l->v[i], *twin = m->twin;
        if (!twin)
            continue;
        buf_puts(&both, m->flags);
        if (d->way == DSYNC_MERGE) {
            buf_reset(&both);
            put_both(&both, m->flags, twin->flags);
            status = both.n == m->flags.n ? CLI_FINE : set_flags(&d->from, from, m, buf_str(&both));
        }
        if (status == CLI_FINE && (d->way != DSYNC_MERGE || both.n != twin->flags.n))
            status = set_flags(&d->to, to, twin, buf_str(&both));
    }
    return status;
}

int dsync_messages(struct dsync *d, const struct dsync_box *from, const struct dsync_box *to)
{
    AUTO(arena_freep) struct arena *a = arena_new(MESSAGES_BYTES_MAX);
    struct listing here = {.a = a}, there = {.a = a};
    size_t n;
    int status = look(&d->from, from, &here);
    if (status == CLI_FINE)
        status = look(&d->to, to, &there);
    if (status != CLI_FINE)
        return status;
    match(&here, &there);
    if (d->way == DSYNC_BACKUP)
        status = expunge(&d->to, to, &there);
    struct dsync_message **v = alone(&here, &n);
    if (status == CLI_FINE)
        status = dsync_copy(d, &d->from, &d->to, to, v, n);
    v = alone(&there, &n);
    if (status == CLI_FINE && d->way == DSYNC_MERGE)
        status = dsync_copy(d, &d->to, &d->from, from, v, n);
    return status == CLI_FINE ? flag_all(d, from, to, &here) : status;
}
