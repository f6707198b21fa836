#include "imap/client.h"

#include "fmt/imap_out.h"
#include "fmt/imap_reader.h"
#include "fmt/mutf7.h"

enum { ARENA_MAX = 8 << 20, LINE_MAX_BYTES = 64 << 20, COMMAND_MAX = 1 << 20, WORDS_MAX = 8192 };

struct imap_client {
    struct stream *io;
    struct imap_reader reader;
    struct arena *arena; /* of the response being read */
    struct buf out;      /* the command being written, as far as it was not sent */
    struct buf capabilities, code;
    msec timeout_ms;
    unsigned number; /* of the command: its tag */
    bool utf8;       /* enabled */
};

struct imap_client *imap_client_new(struct stream *io, size_t response_max, msec timeout_ms)
{
    struct imap_client *c = calloc(1, sizeof *c);
    must(c);
    const struct imap_reader_limits limits = {.line_max = LINE_MAX_BYTES,
                                              .literal_max = response_max,
                                              .command_max = response_max + LINE_MAX_BYTES,
                                              .literals_max = 1000};
    c->io = io;
    c->arena = arena_new(ARENA_MAX);
    c->timeout_ms = timeout_ms;
    buf_init(&c->out, COMMAND_MAX);
    buf_init(&c->capabilities, WORDS_MAX);
    buf_init(&c->code, WORDS_MAX);
    imap_reader_init(&c->reader, &limits);
    return c;
}

struct imap_client *imap_client_free(struct imap_client *c)
{
    if (!c)
        return NULL;
    stream_free(c->io);
    imap_reader_deinit(&c->reader);
    arena_free(c->arena);
    buf_deinit(&c->out);
    buf_deinit(&c->capabilities);
    buf_deinit(&c->code);
    free(c);
    return NULL;
}

struct stream *imap_client_stream(struct imap_client *c)
{
    return c->io;
}

str imap_client_code(const struct imap_client *c)
{
    str code = buf_str(&c->code);
    return str_take(&code, ' ');
}

str imap_client_code_arguments(const struct imap_client *c)
{
    str code = buf_str(&c->code);
    (void)str_take(&code, ' ');
    return code;
}

str imap_client_capabilities(const struct imap_client *c)
{
    return buf_str(&c->capabilities);
}

void imap_client_forget_capabilities(struct imap_client *c)
{
    buf_reset(&c->capabilities);
}

/* --- reading --- */

static enum rc lost(enum rc rc, struct err *e)
{
    return err_set(e, rc, 0, "", "%s",
                   rc == RC_TEMP    ? "the server does not answer"
                   : rc == RC_LIMIT ? "the server's answer is too long"
                                    : "the connection ended");
}

static void begin_wait(struct imap_client *c)
{
    stream_set_deadline(c->io, c->timeout_ms ? clock_mono() + c->timeout_ms : STREAM_NO_DEADLINE);
}

/* One response into the reader's text; literals are part of it. */
static enum rc read_response(struct imap_client *c, struct err *e)
{
    for (str in = STR_NONE;;) {
        str rest = in;
        enum imap_event ev = imap_reader_feed(&c->reader, &rest);
        if (in.n > 0)
            stream_consume(c->io, in.n - rest.n); /* a view stays readable until the next read */
        in = STR_NONE;
        if (ev == IMAP_READ_COMMAND)
            return RC_OK;
        if (ev == IMAP_READ_TOO_LONG || (ev == IMAP_READ_LITERAL && imap_reader_gather(&c->reader)))
            return lost(RC_LIMIT, e);
        if (ev == IMAP_READ_LITERAL)
            continue;
        begin_wait(c);
        enum rc rc = stream_read(c->io, &in);
        if (rc)
            return lost(rc == RC_TEMP ? RC_TEMP : RC_GONE, e);
    }
}

static void keep_capabilities(struct imap_client *c, str words)
{
    buf_reset(&c->capabilities);
    buf_puts(&c->capabilities, str_trim(words));
}

static enum rc broken(struct err *e)
{
    return err_set(e, RC_INVALID, 0, "", "the server does not speak IMAP");
}

/* The next response; what it says of capabilities is kept. */
static enum rc next(struct imap_client *c, struct imap_response *ret, struct imap_lex *lex, struct err *e)
{
    enum rc rc = read_response(c, e);
    if (rc)
        return rc;
    arena_reset(c->arena);
    imap_lex_init(lex, buf_str(&c->reader.text), c->arena);
    lex->utf8_names = c->utf8;
    if (imap_response_parse(lex, ret))
        return broken(e);
    if (str_istarts(ret->code, S("CAPABILITY ")))
        keep_capabilities(c, str_from(ret->code, 11));
    if (ret->condition == IMAP_SAYS_DATA && str_ieq(ret->word, S("CAPABILITY")))
        keep_capabilities(c, imap_rest(lex));
    return RC_OK;
}

/* The server's words for a refusal, printable. */
static enum rc refused(enum rc rc, str text, struct err *e)
{
    AUTO(buf_deinit) struct buf words = BUF_INIT(sizeof e->peer);
    imap_put_text(&words, str_sub(text, 0, sizeof e->peer - 1));
    return err_set(e, rc, 0, "", STR_FMT, STR_ARG(buf_str(&words)));
}

static enum rc tagged(struct imap_client *c, const struct imap_response *r, struct err *e)
{
    buf_reset(&c->code);
    buf_puts(&c->code, r->code);
    if (r->condition == IMAP_SAYS_OK)
        return RC_OK;
    return refused(r->condition == IMAP_SAYS_NO ? RC_PERM : RC_INVALID, r->text, e);
}

/* Reads up to the tagged response, or with stops to the first "+". */
static enum rc finish(struct imap_client *c, bool stops, imap_client_data *fn, void *ctx, struct err *e)
{
    char tag[16];
    enum rc result = RC_OK, rc;
    bool bye = false; /* why the connection ends, unless this is LOGOUT */
    struct imap_response r;
    struct imap_lex lex;
    snprintf(tag, sizeof tag, "m%u", c->number);
    for (;;) {
        if ((rc = next(c, &r, &lex, bye ? NULL : e)))
            return rc;
        bye |= r.condition == IMAP_SAYS_BYE;
        if (r.condition == IMAP_SAYS_BYE)
            (void)refused(RC_GONE, r.text, e);
        if (r.tag.n && str_ieq(r.tag, str_c(tag))) {
            rc = tagged(c, &r, e);
            return rc ? rc : stops ? broken(e) : result;
        }
        if (r.tag.n)
            return broken(e);
        if (stops && r.condition == IMAP_SAYS_CONTINUE)
            return RC_OK;
        if (r.condition == IMAP_SAYS_DATA && fn && result == RC_OK)
            result = fn(ctx, &r, &lex);
        if (result && e && e->rc == RC_OK)
            (void)broken(e);
    }
}

enum rc imap_client_greet(struct imap_client *c, struct err *e)
{
    struct imap_response r;
    struct imap_lex lex;
    enum rc rc = next(c, &r, &lex, e);
    if (rc)
        return rc;
    if (r.condition == IMAP_SAYS_OK || r.condition == IMAP_SAYS_PREAUTH)
        return RC_OK;
    return r.condition == IMAP_SAYS_DATA ? broken(e) : refused(RC_TEMP, r.text, e);
}

/* --- writing --- */

struct buf *imap_client_command(struct imap_client *c)
{
    buf_reset(&c->out);
    buf_printf(&c->out, "m%u ", ++c->number);
    return &c->out;
}

static bool is_quotable(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return s.n < 1000;
}

void imap_client_put_mailbox(struct imap_client *c, str name)
{
    AUTO(buf_deinit) struct buf wire = BUF_INIT(4 * IMAP_MAILBOX_MAX);
    bool encoded = !c->utf8 && mutf7_encode(name, &wire) == RC_OK;
    imap_client_put_string(c, encoded ? buf_str(&wire) : name); /* what is no name is refused */
}

void imap_client_put_string(struct imap_client *c, str s)
{
    if (!is_quotable(s)) {
        imap_client_put_literal(c, s);
        return;
    }
    buf_putc(&c->out, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_putc(&c->out, '\\');
        buf_putc(&c->out, s.p[i]);
    }
    buf_putc(&c->out, '"');
}

void imap_client_put_literal(struct imap_client *c, str bytes)
{
    begin_wait(c);
    buf_printf(&c->out, "{%zu+}\r\n", bytes.n);
    stream_write(c->io, buf_str(&c->out));
    stream_write(c->io, bytes);
    buf_reset(&c->out);
}

static enum rc flush(struct imap_client *c, struct err *e)
{
    if (c->out.overflow)
        return err_set(e, RC_LIMIT, 0, "", "the command is too long");
    begin_wait(c);
    stream_write(c->io, buf_str(&c->out));
    stream_write(c->io, S("\r\n"));
    buf_reset(&c->out);
    enum rc rc = stream_flush(c->io);
    return rc ? lost(rc == RC_TEMP ? RC_TEMP : RC_GONE, e) : RC_OK;
}

enum rc imap_client_run(struct imap_client *c, imap_client_data *fn, void *ctx, struct err *e)
{
    enum rc rc = flush(c, e);
    return rc ? rc : finish(c, false, fn, ctx, e);
}

enum rc imap_client_start(struct imap_client *c, struct err *e)
{
    enum rc rc = flush(c, e);
    return rc ? rc : finish(c, true, NULL, NULL, e);
}

enum rc imap_client_answer(struct imap_client *c, str line, struct err *e)
{
    buf_puts(&c->out, line);
    return imap_client_run(c, NULL, NULL, e);
}

enum rc imap_client_enable_utf8(struct imap_client *c, struct err *e)
{
    if (!imap_capability_has(imap_client_capabilities(c), S("UTF8=ACCEPT")))
        return RC_OK;
    buf_puts(imap_client_command(c), S("ENABLE UTF8=ACCEPT"));
    enum rc rc = imap_client_run(c, NULL, NULL, e);
    c->utf8 = rc == RC_OK;
    return rc;
}
