/* Guest sessions: starting them, and passing on what they say. */
#include "imap/shared_impl.h"

#include "base/log.h"

enum {
    GUESTS_MAX = 8, /* for one session; the role mailbox knows the limit too */
    ANSWER_MS = 60000,
    RESPONSE_EXTRA = 1 << 20,
    LINE_BYTES = 2 << 20
};

bool shared_is_name(const struct imap_session *s, str name)
{
    return shared_owner(s, name).n > 0;
}

str shared_owner(const struct imap_session *s, str name)
{
    str prefix = s->start->shared_prefix;
    if (prefix.n == 0 || !str_starts(name, prefix))
        return STR_NONE;
    name = str_from(name, prefix.n);
    return str_take(&name, s->start->separator);
}

struct shared_guest *shared_selected(const struct imap_session *s)
{
    struct shared_guest *g = s->guests;
    while (g && !g->selected)
        g = g->next;
    return g;
}

bool shared_is_selected(const struct imap_session *s)
{
    return shared_selected(s) != NULL;
}

/* --- beginning and end --- */

static void guest_free(struct shared_guest *g)
{
    imap_client_free(g->client);
    imap_reader_deinit(&g->reader);
    str_freep(&g->owner);
    str_freep(&g->selected);
    free(g);
}

static void unlist(struct imap_session *s, const struct shared_guest *g)
{
    struct shared_guest **at = &s->guests;
    while (*at != g)
        at = &(*at)->next;
    *at = g->next;
}

void shared_close(struct imap_session *s)
{
    while (s->guests) {
        struct shared_guest *g = s->guests;
        s->guests = g->next;
        guest_free(g);
    }
}

void shared_lose(struct imap_session *s, struct shared_guest *g)
{
    bool selected = g->selected != NULL;
    if (g->within) /* nothing can be said behind half a literal */
        s->closing = s->lost = true;
    unlist(s, g);
    guest_free(g);
    if (selected && !s->closing)
        imap_reply_bye(s, "The selected mailbox was deleted, or its owner closed it.");
}

/* Those that were used last stay. */
static void make_room(struct imap_session *s)
{
    struct shared_guest *g = s->guests, *oldest = NULL;
    unsigned n = 0;
    for (; g; g = g->next, n++)
        if (!g->selected)
            oldest = g;
    if (n < GUESTS_MAX || !oldest)
        return;
    unlist(s, oldest);
    guest_free(oldest);
}

static struct shared_guest *start(struct imap_session *s, str owner)
{
    static const struct imap_reader_limits limits = {
        .line_max = LINE_BYTES, .literal_max = 0, .command_max = LINE_BYTES, .literals_max = 0};
    const struct imap_ops *ops = &s->start->ops;
    struct err e = {0};
    int fd = ops->open_shared(ops->ctx, owner);
    if (fd < 0)
        return NULL;
    struct shared_guest *g = calloc(1, sizeof *g);
    must(g);
    g->owner = str_dup(owner);
    g->client =
        imap_client_new(stream_new(fd, IMAP_CLIENT_IN_MAX), s->start->append_max + RESPONSE_EXTRA, ANSWER_MS);
    imap_reader_init(&g->reader, &limits);
    if (imap_client_greet(g->client, &e) == RC_OK)
        return g;
    log_debug("no session for mailboxes of " STR_FMT ": %s", STR_ARG(owner), err_text(&e));
    guest_free(g);
    return NULL;
}

/* --- asking --- */

struct asking {
    struct imap_session *s;
    const struct shared_guest *g;
    shared_take *take;
    void *ctx;
};

static enum rc take_or_pass(void *ctx, const struct imap_response *r, struct imap_lex *lex)
{
    const struct asking *a = ctx;
    enum rc rc = RC_OK;
    if (a->take(a->ctx, r, lex, &rc) || !a->g->selected)
        return rc;
    stream_write(a->s->io, lex->text);
    stream_write(a->s->io, S("\r\n"));
    return RC_OK;
}

enum rc shared_ask_client(struct imap_session *s, struct shared_guest *g, shared_take *take, void *ctx,
                          struct err *e)
{
    struct asking a = {.s = s, .g = g, .take = take, .ctx = ctx};
    return imap_client_run(g->client, take_or_pass, &a, e);
}

static bool take_enabled(void *ctx, const struct imap_response *r, struct imap_lex *lex, enum rc *ret)
{
    (void)ctx, (void)lex, (void)ret;
    return str_ieq(r->word, S("ENABLED"));
}

/* What the client switched on holds there as well. */
static bool enable(struct imap_session *s, struct shared_guest *g)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {{IMAP_CONDSTORE, " CONDSTORE"}, {IMAP_QRESYNC, " QRESYNC"},  {IMAP_UIDONLY, " UIDONLY"},
                 {IMAP_REV2, " IMAP4rev2"},      {IMAP_UTF8, " UTF8=ACCEPT"}, {IMAP_METADATA, " METADATA"}};
    AUTO(buf_deinit) struct buf added = BUF_INIT(200);
    struct err e = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (s->enabled & ~g->enabled & names[i].bit)
            buf_puts(&added, str_c(names[i].name));
    g->enabled = s->enabled;
    if (added.n == 0)
        return true;
    buf_printf(imap_client_command(g->client), "ENABLE" STR_FMT, STR_ARG(buf_str(&added)));
    return shared_ask_client(s, g, take_enabled, NULL, &e) == RC_OK;
}

struct shared_guest *shared_guest(struct imap_session *s, str owner)
{
    struct shared_guest *g = s->guests;
    while (g && !str_eq(str_c(g->owner), owner))
        g = g->next;
    if (g) {
        unlist(s, g);
    } else {
        make_room(s);
        g = start(s, owner);
    }
    if (!g)
        return NULL;
    g->next = s->guests;
    s->guests = g;
    if (enable(s, g))
        return g;
    shared_lose(s, g);
    return NULL;
}

/* --- passing on --- */

static bool take_tag(str *line, str tag)
{
    if (tag.n == 0 || !str_starts(*line, tag) || line->n <= tag.n || line->p[tag.n] != ' ')
        return false;
    *line = str_from(*line, tag.n + 1);
    return true;
}

static enum imap_condition condition_of(str line)
{
    return str_istarts(line, S("OK"))   ? IMAP_SAYS_OK
           : str_istarts(line, S("NO")) ? IMAP_SAYS_NO
                                        : IMAP_SAYS_BAD;
}

/* A line that begins a response, and is all of it. True: it is passed on. */
static bool passes(struct shared_guest *g, struct shared_relay *r, str line, bool *ret_done)
{
    str rest = line;
    if (take_tag(&rest, r->tag)) {
        r->said = condition_of(rest);
        *ret_done = true;
        return !r->hides;
    }
    if (str_starts(line, S("+"))) {
        r->said = IMAP_SAYS_CONTINUE;
        *ret_done = r->continues;
        return !r->continues && !r->silent;
    }
    if (str_istarts(line, S("* OK [CLOSED]"))) /* by SELECT or DELETE */
        str_freep(&g->selected);
    if (!str_istarts(line, S("* BYE")))
        return true;
    g->ending = true; /* this session says that itself, where it is so */
    return false;
}

static void take_event(struct imap_session *s, struct shared_guest *g, struct shared_relay *r,
                       enum imap_event ev, bool *ret_done)
{
    str text = ev == IMAP_READ_CHUNK ? g->reader.chunk : buf_str(&g->reader.text);
    if (ev == IMAP_READ_STREAMED)
        return;
    if (ev == IMAP_READ_COMMAND && !g->within && !passes(g, r, text, ret_done))
        return;
    stream_write(s->io, text);
    if (ev == IMAP_READ_COMMAND)
        stream_write(s->io, S("\r\n"));
    g->within = ev != IMAP_READ_COMMAND;
    if (ev == IMAP_READ_LITERAL)
        imap_reader_stream(&g->reader);
}

enum rc shared_relay_some(struct imap_session *s, struct shared_guest *g, struct shared_relay *r,
                          bool *ret_done)
{
    struct stream *io = imap_client_stream(g->client);
    str in;
    stream_set_deadline(io, STREAM_NO_DEADLINE);
    if (stream_read(io, &in) != RC_OK)
        return RC_GONE;
    stream_set_deadline(s->io, clock_mono() + s->limits.idle_ms); /* for the client to take it */
    for (str rest = in;;) {
        enum imap_event ev = *ret_done ? IMAP_READ_MORE : imap_reader_feed(&g->reader, &rest);
        if (ev == IMAP_READ_MORE) {
            stream_consume(io, in.n - rest.n);
            return RC_OK;
        }
        if (ev == IMAP_READ_TOO_LONG)
            return RC_GONE;
        take_event(s, g, r, ev, ret_done);
    }
}

enum rc shared_relay(struct imap_session *s, struct shared_guest *g, struct shared_relay *r)
{
    bool done = false;
    stream_set_deadline(imap_client_stream(g->client), STREAM_NO_DEADLINE);
    enum rc rc = stream_flush(imap_client_stream(g->client)) == RC_OK ? RC_OK : RC_GONE;
    while (rc == RC_OK && !done)
        rc = shared_relay_some(s, g, r, &done);
    return rc;
}
