/* The mailboxes of both sides, and which of them come and go. */
#include "cli/dsync.h"

#include "cli/mail_session.h"

enum { BOXES_BYTES_MAX = 64 << 20 };

int dsync_fail(const struct dsync_side *s, str box, const char *what, const struct err *e)
{
    return cli_fail("%s: " STR_FMT ": cannot %s: %s", s->label, STR_ARG(box), what, err_text(e));
}

/* --- names --- */

/* What no name of a mailbox here may have becomes "_". */
static str common_name(struct arena *a, str name, char separator)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(4 * IMAP_MAILBOX_MAX);
    if (str_ieq(name, S("INBOX")))
        return S("INBOX");
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        bool parts = separator && name.p[i] == separator;
        buf_putc(&out, parts ? '/' : c < ' ' || c == 0x7f || c == '.' || c == '/' ? '_' : name.p[i]);
    }
    return arena_str(a, buf_str(&out));
}

static str without_prefix(const struct dsync_side *s, str name)
{
    bool has = name.n > s->prefix.n && str_starts(name, s->prefix);
    return has ? str_from(name, s->prefix.n) : name;
}

static str name_here(const struct dsync_side *s, str name)
{
    AUTO(buf_deinit) struct buf here = BUF_INIT(IMAP_MAILBOX_MAX);
    if (!str_eq(name, S("INBOX")))
        buf_puts(&here, s->prefix);
    for (size_t i = 0; i < name.n; i++)
        buf_putc(&here, name.p[i] == '/' && s->separator ? s->separator : name.p[i]);
    return here.overflow ? STR_NONE : arena_str(s->a, buf_str(&here));
}

static struct dsync_box *find(const struct dsync_side *s, str name)
{
    for (size_t i = 0; i < s->n; i++)
        if (str_eq(s->boxes[i].name, name))
            return &s->boxes[i];
    return NULL;
}

/* --- what there is --- */

static enum rc take_prefix(void *ctx, const struct imap_response *r, struct imap_lex *lex)
{
    struct dsync_side *s = ctx;
    str found;
    enum rc rc = str_ieq(r->word, S("NAMESPACE")) ? imap_response_namespace(lex, &found) : RC_GONE;
    if (rc == RC_OK)
        s->prefix = arena_str(s->a, found);
    return rc == RC_GONE ? RC_OK : rc;
}

static int by_name(const void *a, const void *b)
{
    const struct dsync_box *x = a, *y = b;
    int order = str_cmp(x->name, y->name);
    return order ? order : str_cmp(x->here, y->here);
}

static enum rc list(struct dsync_side *s, struct mail_boxes *boxes, struct err *e)
{
    enum rc rc = RC_OK;
    str can = imap_client_capabilities(s->c);
    if (can.n == 0) {
        buf_puts(imap_client_command(s->c), S("CAPABILITY"));
        rc = imap_client_run(s->c, NULL, NULL, e);
        can = imap_client_capabilities(s->c);
    }
    if (rc == RC_OK && !(imap_capability_has(can, S("UIDPLUS")) && imap_capability_has(can, S("LITERAL+"))))
        return err_set(e, RC_PERM, 0, "", "the server has no UIDPLUS or no LITERAL+");
    s->knows_subscriptions = imap_capability_has(can, S("LIST-EXTENDED"));
    if (rc == RC_OK && imap_capability_has(can, S("NAMESPACE"))) {
        buf_puts(imap_client_command(s->c), S("NAMESPACE"));
        rc = imap_client_run(s->c, take_prefix, s, e);
    }
    if (rc != RC_OK)
        return rc;
    buf_printf(imap_client_command(s->c), "LIST \"\" \"*\"%s",
               s->knows_subscriptions ? " RETURN (SUBSCRIBED)" : "");
    return imap_client_run(s->c, mail_boxes_take, boxes, e);
}

/* Nothing is changed where mail of two mailboxes would meet in one, or where a side that cannot be seen would
 * count as empty. */
static int check_names(const struct dsync_side *s)
{
    if (!find(s, S("INBOX")))
        return cli_fail("%s: there is no INBOX, so this is not all of a user's mail", s->label);
    for (size_t i = 1; i < s->n; i++)
        if (str_eq(s->boxes[i - 1].name, s->boxes[i].name))
            return cli_fail("%s: the mailboxes " STR_FMT " and " STR_FMT " would have one name, " STR_FMT
                            "; rename one of them",
                            s->label, STR_ARG(s->boxes[i - 1].here), STR_ARG(s->boxes[i].here),
                            STR_ARG(s->boxes[i].name));
    return CLI_FINE;
}

static int list_side(struct dsync_side *s)
{
    AUTO(mail_boxes_deinit) struct mail_boxes boxes = {0};
    struct err e = {0};
    mail_boxes_init(&boxes);
    s->separator = '\0';
    if (list(s, &boxes, &e) != RC_OK)
        return cli_fail("%s: cannot list the mailboxes: %s", s->label, err_text(&e));
    s->boxes = arena_array(s->a, boxes.n + 1, sizeof *s->boxes);
    must(s->boxes);
    for (size_t i = 0; i < boxes.n; i++) {
        const struct mail_box *b = &boxes.v[i];
        s->separator = b->separator;
        if (b->selectable)
            s->boxes[s->n++] = (struct dsync_box){common_name(s->a, without_prefix(s, b->name), b->separator),
                                                  arena_str(s->a, b->name), b->subscribed};
    }
    qsort(s->boxes, s->n, sizeof *s->boxes, by_name);
    return check_names(s);
}

/* --- making them alike --- */

static int tell(const struct dsync_side *s, const char *verb, const struct dsync_box *b)
{
    struct err e = {0};
    buf_printf(imap_client_command(s->c), "%s ", verb);
    imap_client_put_mailbox(s->c, b->here);
    if (imap_client_run(s->c, NULL, NULL, &e) == RC_OK)
        return CLI_FINE;
    return dsync_fail(s, b->name, verb, &e);
}

static int subscribe(const struct dsync *d, const struct dsync_side *to, const struct dsync_box *there,
                     bool wanted)
{
    if (!d->from.knows_subscriptions || !d->to.knows_subscriptions || wanted == there->subscribed ||
        (!wanted && d->way != DSYNC_BACKUP))
        return CLI_FINE;
    return tell(to, wanted ? "SUBSCRIBE" : "UNSUBSCRIBE", there);
}

/* Of a mailbox that `to` has not. */
static int create(struct dsync *d, struct dsync_side *to, const struct dsync_box *like, struct dsync_box *ret)
{
    *ret = (struct dsync_box){.name = like->name, .here = name_here(to, like->name)};
    int status = ret->here.n ? tell(to, "CREATE", ret) : cli_fail("%s: a name is too long", to->label);
    return status == CLI_FINE ? subscribe(d, to, ret, like->subscribed) : status;
}

static bool is_meant(const struct dsync *d, const struct dsync_box *b)
{
    return !d->mailbox || str_eq(b->name, common_name(d->to.a, str_c(d->mailbox), d->separator));
}

static int bring(struct dsync *d, const struct dsync_box *b)
{
    struct dsync_box made, *there = find(&d->to, b->name);
    int status = there ? subscribe(d, &d->to, there, b->subscribed) : create(d, &d->to, b, &made);
    if (status == CLI_FINE && there && d->way == DSYNC_MERGE)
        status = subscribe(d, &d->from, b, there->subscribed);
    return status == CLI_FINE ? dsync_messages(d, b, there ? there : &made) : status;
}

/* What `to` has and `from` has not. */
static int bring_back(struct dsync *d, const struct dsync_box *b)
{
    struct dsync_box made;
    if (d->way == DSYNC_ADD)
        return CLI_FINE;
    if (d->way == DSYNC_BACKUP)
        return tell(&d->to, "DELETE", b);
    int status = create(d, &d->from, b, &made);
    return status == CLI_FINE ? dsync_messages(d, &made, b) : status;
}

static int run(struct dsync *d)
{
    int status = list_side(&d->from);
    if (status == CLI_FINE)
        status = list_side(&d->to);
    for (size_t i = 0; i < d->from.n && status == CLI_FINE; i++)
        if (is_meant(d, &d->from.boxes[i]))
            status = bring(d, &d->from.boxes[i]);
    for (size_t i = d->to.n; i > 0 && status == CLI_FINE; i--) { /* what lies below comes first */
        const struct dsync_box *b = &d->to.boxes[i - 1];
        if (!find(&d->from, b->name) && is_meant(d, b))
            status = bring_back(d, b);
    }
    return status;
}

int dsync_run(struct dsync *d)
{
    AUTO(arena_freep) struct arena *from = arena_new(BOXES_BYTES_MAX), *to = arena_new(BOXES_BYTES_MAX);
    d->from.a = from;
    d->to.a = to;
    return run(d);
}
