/* What tables say of fields and lines, and what becomes of them. */
#include "smtp/checks.h"

#include "base/log.h"
#include "conf/checks.h"
#include "conf/key.h"
#include "smtp/check_edit.h"
#include "smtp/rules.h"
#include "smtp/session_impl.h"
#include "table/settings.h"

enum {
    ARENA_MAX = 4 << 20, /* for one look-up */
    OUT_MAX = 128 << 10, /* a longer text of REPLACE or PREPEND refuses the message */
    LOGGED_MAX = 200     /* bytes of a field or line in the log */
};

struct smtp_checks {
    struct smtp_session *s;
    struct check_stream stream;
    struct table_list *tables[CONF_CHECKS];
    struct arena *arena;
    struct check_edit edit;
    bool active; /* nothing has ended the looking yet */
    struct buf out;
    bool keeps_out; /* it is not for smtp_message_store */
    uint64_t bytes, lines;
};

static const char *setting_of(void *ctx, enum check_stream_kind kind)
{
    return conf_options.v[conf_checks_option(kind)].name;
}

bool smtp_checks_wanted(const struct smtp_session *s)
{
    bool any = false;
    for (int i = 0; i < CONF_CHECKS; i++)
        any = any || conf_checks(s->conf, (enum check_stream_kind)i).n > 0;
    return any && !smtp_is_lmtp(s) && !smtp_overrides(s, S("no_header_body_checks"));
}

/* --- what goes on --- */

static uint64_t count_lines(str text)
{
    uint64_t n = 0;
    for (ptrdiff_t at; (at = str_chr(text, '\n')) >= 0; n++)
        text = str_from(text, (size_t)at + 1);
    return n;
}

static void drain(struct smtp_checks *k)
{
    if (k->out.overflow)
        smtp_message_fail(k->s, 451, "4.3.5", "Server configuration error");
    k->bytes += k->out.n;
    k->lines += count_lines(buf_str(&k->out));
    smtp_message_store(k->s, buf_str(&k->out), k->bytes + k->lines);
    buf_reset(&k->out);
}

static void put(void *ctx, str text, bool ends_line)
{
    struct smtp_checks *k = ctx;
    if (!k->keeps_out && k->out.n + text.n + 1 > OUT_MAX)
        drain(k);
    buf_puts(&k->out, text);
    if (ends_line)
        buf_putc(&k->out, '\n');
}

/* --- actions --- */

/* In Postfix's shape; `text` may be empty. */
static void log_check(void *ctx, const char *what, const struct check_stream_unit *u, str text)
{
    const struct smtp_checks *k = ctx;
    AUTO(buf_deinit) struct buf line = BUF_INIT(8192);
    const struct smtp_session *s = k->s;
    buf_printf(&line, STR_FMT ": %s: %s " STR_FMT " from ", STR_ARG(s->tx.id), what,
               u->kind == CHECK_STREAM_BODY ? "body" : "header", STR_ARG(str_sub(u->text, 0, LOGGED_MAX)));
    if (s->p->local)
        buf_puts(&line, S("local;"));
    else
        buf_printf(&line, SMTP_CLIENT_FMT ";", SMTP_CLIENT_ARG(s));
    buf_printf(&line, " from=<" STR_FMT "> to=<" STR_FMT ">", STR_ARG(s->tx.sender),
               STR_ARG(s->tx.rcpts[s->tx.n - 1].address));
    if (!s->p->local)
        buf_printf(&line, " proto=" STR_FMT, STR_ARG(smtp_protocol(s)));
    if (!s->p->local && s->helo.n)
        buf_printf(&line, " helo=<" STR_FMT ">", STR_ARG(s->helo));
    if (text.n)
        buf_printf(&line, ": " STR_FMT, STR_ARG(str_sub(text, 0, SMTP_REASON_MAX)));
    log_info_of(LOG_AS_CLEANUP, "%s", buf_cstr(&line));
}

static void reject(struct smtp_checks *k, const struct check_stream_unit *u, const struct check_result *r)
{
    char text[SMTP_REASON_MAX];
    str why = r->text.n || r->bad_status ? r->text : S("message content rejected");
    if (r->bad_status)
        log_warn("bad status in REJECT " STR_FMT " of %s: it must be 4.x.x or 5.x.x", STR_ARG(r->text),
                 setting_of(k, u->kind));
    snprintf(text, sizeof text, "%s " STR_FMT, r->enhanced, STR_ARG(why));
    log_check(k, "reject", u, str_c(text));
    snprintf(text, sizeof text, STR_FMT, STR_ARG(why));
    smtp_message_fail(k->s, r->enhanced[0] == '4' ? 451 : 550, r->enhanced, text);
    k->s->tx.msg.logged = true;
    k->active = false;
}

static void send_elsewhere(struct smtp_checks *k, const struct check_stream_unit *u,
                           const struct check_result *r)
{
    bool bcc = r->action == CHECK_BCC;
    enum rc rc = bcc ? smtp_action_bcc(k->s, r->text) : smtp_action_redirect(k->s, r->text);
    if (rc != RC_OK) { /* it must not go on without, or to others */
        log_warn("%s map: " STR_FMT " cannot be a recipient", setting_of(k, u->kind),
                 STR_ARG(str_sub(r->text, 0, 100)));
        smtp_message_fail(k->s, 451, "4.3.5", "Server configuration error");
        k->active = false;
        return;
    }
    log_check(k, bcc ? "bcc" : "redirect", u, r->text);
    k->active = bcc;
}

static void decide(void *ctx, const struct check_stream_unit *u, const struct check_result *r)
{
    struct smtp_checks *k = ctx;
    struct smtp_actions *a = &k->s->tx.actions;
    switch (r->action) {
    case CHECK_REJECT:
        reject(k, u, r);
        return;
    case CHECK_BCC:
    case CHECK_REDIRECT:
        send_elsewhere(k, u, r);
        return;
    case CHECK_DISCARD:
        log_check(k, "discard", u, r->text);
        a->discard = true;
        k->active = false;
        return;
    case CHECK_HOLD:
        if (!a->hold && !a->discard)
            log_check(k, "hold", u, r->text);
        a->hold = true;
        return;
    case CHECK_FILTER:
        log_check(k, "filter", u, r->text);
        a->filter = arena_str(k->s->tx.arena, r->text);
        return;
    default:
        must(r->action == CHECK_PASS);
        log_check(k, "pass", u, r->text);
        k->active = false;
    }
}

/* --- units --- */

static bool is_looked_at(const struct smtp_checks *k, const struct check_stream_unit *u)
{
    uint64_t limit = k->s->conf->body_checks_size_limit;
    return k->active && k->tables[u->kind] &&
           (u->kind != CHECK_STREAM_BODY || limit == 0 || u->offset < limit);
}

static enum rc find(void *ctx, const struct check_stream_unit *u, str *ret)
{
    struct smtp_checks *k = ctx;
    struct err e = {0};
    if (!is_looked_at(k, u))
        return RC_GONE;
    arena_reset(k->arena);
    enum rc rc = table_list_find(k->tables[u->kind], TABLE_WHOLE_KEY, u->text, k->arena, ret, &e);
    if (rc == RC_OK || rc == RC_GONE)
        return rc;
    log_warn(STR_FMT ": %s map lookup problem -- message not accepted, try again later: %s",
             STR_ARG(k->s->tx.id), setting_of(k, u->kind), err_text(&e));
    smtp_message_fail(k->s, 451, "4.3.0", "Error: queue file write error");
    k->active = false;
    return RC_GONE;
}

static const struct check_edit_ops ops = {
    .find = find, .setting = setting_of, .log = log_check, .put = put, .decide = decide};

/* --- a message --- */

struct smtp_checks *smtp_checks_new(struct smtp_session *s)
{
    if (!smtp_checks_wanted(s))
        return NULL;
    struct smtp_checks *k = calloc(1, sizeof *k);
    must(k);
    k->s = s;
    k->active = true;
    k->arena = arena_new(ARENA_MAX);
    buf_init(&k->out, OUT_MAX);
    for (int i = 0; i < CONF_CHECKS; i++)
        k->tables[i] = table_settings_find(s->p->tables, conf_checks(s->conf, (enum check_stream_kind)i));
    k->edit = (struct check_edit){.ops = &ops, .ctx = k};
    check_stream_init(&k->stream, check_edit_take, &k->edit);
    return k;
}

void smtp_checks_free(struct smtp_checks **k)
{
    if (!*k)
        return;
    check_stream_deinit(&(*k)->stream);
    arena_freep(&(*k)->arena);
    buf_deinit(&(*k)->out);
    free(*k);
    *k = NULL;
}

void smtp_checks_feed(struct smtp_checks *k, str content)
{
    check_stream_feed(&k->stream, content);
    if (k->out.n > 0)
        drain(k);
}

void smtp_checks_finish(struct smtp_checks *k)
{
    check_stream_finish(&k->stream);
    drain(k);
}

void smtp_checks_trace(struct smtp_checks *k, struct buf *trace)
{
    struct check_stream lines;
    k->keeps_out = true;
    check_stream_init(&lines, check_edit_take, &k->edit);
    check_stream_feed(&lines, buf_str(trace));
    check_stream_finish(&lines);
    check_stream_deinit(&lines);
    buf_reset(trace);
    buf_puts(trace, buf_str(&k->out));
    if (trace->overflow || k->out.overflow)
        smtp_message_fail(k->s, 451, "4.3.5", "Server configuration error");
    buf_reset(&k->out);
    k->keeps_out = false;
}

uint64_t smtp_checks_bytes(const struct smtp_checks *k)
{
    return k->bytes;
}

uint64_t smtp_checks_lines(const struct smtp_checks *k)
{
    return k->lines;
}
