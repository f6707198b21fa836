/* A complete message on its way through the milters, one after the other: each sees what those before it have
 * made of it. The header is in memory, the body streams from and to where the content is kept.
 *
 * The Received field of ours stays hidden from them, as Sendmail and Postfix do it. What submission adds is
 * seen. */
#include "base/log.h"
#include "smtp/milter_impl.h"

enum {
    READ_MAX = 32 << 10,
    HEAD_SLACK = 4 << 20,   /* by which canonical addresses may have made a header longer than its limit */
    FIELDS_ARENA = 32 << 20 /* their list, and what is added */
};

/* --- reading --- */

static enum rc read_more(struct milter_mail *x, bool *ret_end)
{
    const struct smtp_env *env = x->s->env;
    size_t want = x->raw.n < READ_MAX ? READ_MAX : x->raw.n, got;
    if (want > x->raw.max - x->raw.n)
        want = x->raw.max - x->raw.n;
    char *room = want > 0 ? buf_room(&x->raw, want) : NULL;
    if (!room)
        return RC_LIMIT;
    enum rc rc = env->content_read(x->s->p->env_ctx, x->raw.n, room, want, &got);
    if (rc != RC_OK)
        return rc;
    buf_added(&x->raw, got);
    *ret_end = got == 0 || x->raw.n >= x->bytes;
    return RC_OK;
}

/* Whole lines only are judged before the end is there. */
static bool find_end(struct milter_mail *x, bool at_end, size_t *ret_fields, size_t *ret_body)
{
    str raw = buf_str(&x->raw);
    if (!at_end)
        raw = str_sub(raw, 0, (size_t)(str_rchr(raw, '\n') + 1));
    *ret_fields = header_edit_size(raw, ret_body);
    return at_end || *ret_fields < raw.n;
}

static enum rc read_header(struct milter_mail *x)
{
    size_t fields = 0, body = 0;
    bool at_end = x->bytes == 0;
    enum rc rc = RC_OK;
    while (rc == RC_OK && !find_end(x, at_end, &fields, &body))
        rc = read_more(x, &at_end);
    if (rc != RC_OK)
        return rc;
    buf_truncate(&x->raw, body);
    x->body_at = body;
    x->has_gap = body > fields;
    x->raw_lines = crlf_lines(buf_str(&x->raw));
    return header_edit_parse(&x->header, str_sub(buf_str(&x->raw), 0, fields));
}

/* Ours is the first Received of what stands in front of the content. */
static enum rc take_trace(struct milter_mail *x)
{
    enum rc rc = header_edit_parse(&x->header, x->s->tx.trace);
    for (size_t i = 0; i < x->header.n && rc == RC_OK; i++)
        if (str_ieq(x->header.v[i].name, S("Received"))) {
            x->header.v[i].hidden = true;
            break;
        }
    return rc;
}

static enum rc mail_open(struct milter_mail *x, struct smtp_session *s)
{
    *x = (struct milter_mail){.s = s,
                              .arena = arena_new(FIELDS_ARENA + 2 * (size_t)s->conf->header_size_limit)};
    buf_init(&x->raw, (size_t)s->conf->header_size_limit + HEAD_SLACK);
    header_edit_init(&x->header, x->arena);
    enum rc rc = s->env->content_end(s->p->env_ctx, &x->bytes);
    if (rc == RC_OK)
        rc = take_trace(x);
    return rc == RC_OK ? read_header(x) : rc;
}

static void mail_close(struct milter_mail *x)
{
    buf_deinit(&x->raw);
    arena_freep(&x->arena);
}

/* --- telling --- */

static bool goes_on(const struct milter *m, struct milter_verdict *all, struct milter_verdict one)
{
    if (one.kind != MILTER_GO)
        *all = one;
    return (one.kind == MILTER_GO || one.kind == MILTER_HOLD) && m->io && !m->accepted;
}

static str value_of(const struct milter *m, const struct header_edit_field *f)
{
    str value = str_from(f->text, (size_t)str_chr(f->text, ':') + 1);
    bool whole = m->options.protocol & MILTER_LEADING_SPACE;
    return !whole && str_starts(value, S(" ")) ? str_from(value, 1) : value; /* not a tab: as Sendmail */
}

static bool tell_header(struct milter_mail *x, struct milter *m, struct milter_verdict *all)
{
    struct milter_event e = {.command = MILTER_HEADER, .stage = MILTER_AT_END_OF_HEADER, .n = 2};
    for (size_t i = 0; i < x->header.n; i++) {
        const struct header_edit_field *f = &x->header.v[i];
        if (f->hidden)
            continue;
        const struct milter_part parts[] = {{.bytes = f->name, .text = true},
                                            {.bytes = value_of(m, f), .text = true}};
        e.parts = parts;
        if (!goes_on(m, all, milter_tell(x->s, m, &e, NULL, NULL)))
            return false;
        e.stage = -1; /* they stay the same */
    }
    const struct milter_event end = {MILTER_END_OF_HEADER, MILTER_AT_END_OF_HEADER, NULL, 0};
    return goes_on(m, all, milter_tell(x->s, m, &end, NULL, NULL));
}

static bool wants_body(const struct milter *m)
{
    return !(m->options.protocol & MILTER_NO_BODY) && m->skipped != MILTER_BODY;
}

/* The first n bytes of what waits. */
static bool tell_chunk(struct milter_mail *x, struct milter *m, struct buf *out, size_t n, int *stage,
                       struct milter_verdict *all)
{
    const struct milter_part part = {.bytes = str_sub(buf_str(out), 0, n)};
    const struct milter_event e = {MILTER_BODY, *stage, &part, 1};
    *stage = -1;
    bool more = goes_on(m, all, milter_tell(x->s, m, &e, NULL, NULL));
    buf_drop(out, n);
    return more;
}

static bool tell_body(struct milter_mail *x, struct milter *m, struct milter_verdict *all)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(MILTER_CHUNK + 2 * READ_MAX), in = BUF_INIT(READ_MAX);
    struct crlf_state crlf = {0};
    int stage = MILTER_AT_END_OF_BODY;
    uint64_t at = x->body_at;
    size_t got = 1;
    bool more = true;
    while (got > 0 && more && wants_body(m)) {
        buf_reset(&in);
        char *room = buf_room(&in, READ_MAX);
        if (x->s->env->content_read(x->s->p->env_ctx, at, room, READ_MAX, &got) != RC_OK) {
            smtp_message_fail(x->s, 451, "4.3.0", "Error: queue file write error");
            return false;
        }
        at += got;
        crlf_encode(&crlf, &out, str_mem(room, got));
        while (more && out.n >= MILTER_CHUNK && wants_body(m))
            more = tell_chunk(x, m, &out, MILTER_CHUNK, &stage, all);
    }
    if (more && out.n > 0 && wants_body(m))
        more = tell_chunk(x, m, &out, out.n, &stage, all);
    return more;
}

static struct milter_verdict tell_message(struct milter_mail *x, struct milter *m)
{
    struct milter_verdict all = {.kind = MILTER_GO};
    if (!tell_header(x, m, &all) || !tell_body(x, m, &all))
        return all;
    const struct milter_event end = {MILTER_END_OF_BODY, MILTER_AT_END_OF_BODY, NULL, 0};
    (void)goes_on(m, &all, milter_tell(x->s, m, &end, milter_edit, x));
    m->in_message = false; /* libmilter begins anew by itself */
    milter_edit_end(x);
    return all;
}

/* --- what came of it --- */

static enum rc put_back(struct milter_mail *x)
{
    struct smtp_session *s = x->s;
    bool gap = x->has_gap || x->body_at < x->bytes; /* what is all header stays so */
    size_t bytes = (size_t)header_edit_bytes(&x->header) + gap;
    AUTO(buf_deinit) struct buf head = BUF_INIT(bytes);
    if (!x->header.changed)
        return RC_OK;
    header_edit_put(&x->header, &head);
    if (gap)
        buf_putc(&head, '\n');
    enum rc rc = s->env->content_replace_head(s->p->env_ctx, x->body_at, buf_str(&head));
    if (rc != RC_OK)
        return rc;
    s->tx.trace = S("");
    s->tx.msg.grown_lines += (int64_t)crlf_lines(buf_str(&head)) - (int64_t)x->raw_lines;
    headscan_init(&s->tx.msg.head);
    headscan_feed(&s->tx.msg.head, buf_str(&head));
    return RC_OK;
}

static enum rc finish(struct milter_mail *x, uint64_t bytes_before)
{
    struct smtp_session *s = x->s;
    uint64_t bytes;
    if (x->replaced) {
        int64_t body = (int64_t)smtp_message_lines(s) - (int64_t)x->raw_lines;
        s->tx.msg.grown_lines += (int64_t)x->body_lines - body;
    }
    enum rc rc = put_back(x);
    if (rc == RC_OK)
        rc = s->env->content_end(s->p->env_ctx, &bytes);
    if (rc == RC_OK)
        s->tx.msg.grown_bytes += (int64_t)bytes - (int64_t)bytes_before;
    return rc;
}

static void note(struct smtp_session *s, enum rc rc)
{
    if (rc == RC_LIMIT)
        smtp_message_fail(s, 452, "4.3.1", "Error: insufficient system storage");
    else if (rc != RC_OK)
        smtp_message_fail(s, 451, "4.3.0", "Error: queue file write error");
}

/* The last recipient, as in Postfix. */
static str recipient(const struct smtp_session *s)
{
    return s->tx.n > 0 ? s->tx.rcpts[s->tx.n - 1].address : STR_NONE;
}

static bool any_listens(const struct smtp_milters *ms)
{
    struct milter_verdict unused;
    bool any = false;
    for (size_t i = 0; i < ms->n; i++)
        any = any || !milter_is_done(&ms->v[i], &unused);
    return any;
}

static enum rc run(struct milter_mail *x, const struct restrict_refusal **ret)
{
    struct smtp_session *s = x->s;
    struct milter_verdict v;
    for (size_t i = 0; i < s->milters->n && !s->tx.actions.discard && !s->tx.msg.failed; i++) {
        struct milter *m = &s->milters->v[i];
        if (!milter_is_done(m, &v))
            v = tell_message(x, m);
        if (milter_apply(s, &v, "END-OF-MESSAGE", true, recipient(s), ret) != RC_OK)
            return RC_PERM;
    }
    return RC_OK;
}

enum rc smtp_milter_message(struct smtp_session *s, const struct restrict_refusal **ret)
{
    struct milter_mail x;
    uint64_t before = 0;
    if (!s->milters)
        return RC_OK;
    bool listens = any_listens(s->milters);
    enum rc opened = listens ? mail_open(&x, s) : RC_OK;
    if (!listens)
        x = (struct milter_mail){.s = s};
    note(s, opened);
    before = x.bytes;
    enum rc rc = run(&x, ret);
    if (rc == RC_OK && listens && !s->tx.msg.failed)
        note(s, finish(&x, before));
    mail_close(&x);
    if (rc == RC_OK && s->tx.msg.failed)
        return RC_TEMP;
    if (s->tx.n == 0 && s->tx.actions.n_bcc == 0 && s->tx.actions.redirect.n == 0 && rc == RC_OK) {
        log_info_of(LOG_AS_CLEANUP, STR_FMT ": milters have taken all recipients away", STR_ARG(s->tx.id));
        s->tx.actions.discard = true;
    }
    return rc;
}
