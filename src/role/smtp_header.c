/* What is changed of a message as it leaves by SMTP: its header by smtp_header_checks, then the addresses in
 * it and in the envelope by smtp_generic_maps. The queue keeps the message as it came; what goes to a filter
 * does not leave yet. */
#include "base/log.h"
#include "fmt/check_result.h"
#include "fmt/check_stream.h"
#include "fmt/header_rewrite.h"
#include "fmt/mailaddr.h"
#include "queue/site_name.h"
#include "role/smtp_impl.h"
#include "table/maps.h"
#include "table/settings.h"

enum { LOGGED_MAX = 200, LOOKUP_ARENA = 4 << 20 };

struct change {
    const struct smtp_worker *w;
    struct smtp_job *job;
    struct arena *arena; /* for one look-up */
    struct buf out;
    bool dropping; /* the rest of a field */
    enum rc rc;
};

static enum rc not_now(struct change *c, const char *what, const struct err *e)
{
    log_warn(STR_FMT ": %s: %s", STR_ARG(c->job->envelope.id), what, err_text(e));
    c->rc = RC_TEMP;
    return RC_TEMP;
}

/* --- fields --- */

static void log_field(const struct change *c, const char *what, str field, str text)
{
    log_info(STR_FMT ": %s: header " STR_FMT "%s" STR_FMT, STR_ARG(c->job->envelope.id), what,
             STR_ARG(str_sub(field, 0, LOGGED_MAX)), text.n ? ": " : "", STR_ARG(text));
}

static void put(struct change *c, str text)
{
    buf_puts(&c->out, text);
    buf_putc(&c->out, '\n');
}

/* The field that goes out; p NULL: none. */
static str apply(struct change *c, str field, str value)
{
    struct check_result r;
    check_result_parse(value, &r);
    const char *needs = check_result_fault(&r, true);
    if (needs) {
        log_warn("bad entry in smtp_header_checks map: \"" STR_FMT "\"; need %s",
                 STR_ARG(str_sub(value, 0, 100)), needs);
        return field;
    }
    switch (r.action) {
    case CHECK_DUNNO:
        return field;
    case CHECK_IGNORE:
        return STR_NONE;
    case CHECK_STRIP:
        log_field(c, "strip", field, r.text);
        return STR_NONE;
    case CHECK_REPLACE:
        log_field(c, "replace", field, r.text);
        return r.text;
    case CHECK_PREPEND:
        log_field(c, "prepend", field, r.text);
        put(c, r.text);
        return field;
    case CHECK_INFO:
    case CHECK_WARN:
        log_field(c, r.action == CHECK_INFO ? "info" : "warning", field, r.text);
        return field;
    default:
        log_warn("smtp_header_checks map: \"" STR_FMT "\" is not possible for mail that leaves",
                 STR_ARG(str_sub(value, 0, 100)));
        return field;
    }
}

static void take_field(void *ctx, const struct check_stream_unit *u)
{
    struct change *c = ctx;
    struct err e = {0};
    str value, text = u->text;
    if (u->is_rest || u->kind != CHECK_STREAM_HEADER) {
        buf_puts(&c->out, u->is_rest && c->dropping ? STR_NONE : text);
        buf_puts(&c->out, u->ends_line && !(u->is_rest && c->dropping) ? S("\n") : S(""));
        return;
    }
    arena_reset(c->arena);
    enum rc rc = table_list_find(c->w->server->tables->v[TABLES_SMTP_HEADER], TABLE_WHOLE_KEY, u->text,
                                 c->arena, &value, &e);
    if (rc == RC_OK)
        text = apply(c, u->text, value);
    else if (rc != RC_GONE)
        (void)not_now(c, "smtp_header_checks map lookup problem", &e);
    c->dropping = text.p != u->text.p;
    if (!text.p)
        return;
    buf_puts(&c->out, text);
    if (u->ends_line || c->dropping)
        buf_putc(&c->out, '\n');
}

static void check_header(struct change *c, str header)
{
    struct check_stream s;
    check_stream_init(&s, take_field, c);
    check_stream_feed(&s, header);
    check_stream_finish(&s);
    check_stream_deinit(&s);
}

/* --- addresses --- */

static bool is_ours(void *ctx, str domain)
{
    return conf_has_domain(ctx, domain);
}

/* *address becomes what generic(5) says, in the worker's arena. What that is must be an address. */
static enum rc map_address(struct change *c, str *address)
{
    const struct conf *conf = c->w->conf;
    const struct maps_rules rules = {
        .delimiters = conf->recipient_delimiter, .is_ours = is_ours, .ctx = (void *)(uintptr_t)conf};
    struct maps_found found;
    struct mailaddr parsed;
    struct err e = {0};
    if (address->n == 0)
        return RC_OK;
    arena_reset(c->arena);
    enum rc rc =
        maps_find_address(c->w->server->tables->v[TABLES_GENERIC], *address, &rules, c->arena, &found, &e);
    if (rc != RC_OK)
        return rc == RC_GONE ? RC_OK : not_now(c, "smtp_generic_maps map lookup problem", &e);
    str whole = maps_complete(found.value, *address, c->arena);
    if (mailaddr_parse(whole, c->arena, &parsed) == RC_OK)
        *address = mailaddr_str(c->w->arena, &parsed);
    else
        log_warn("smtp_generic_maps: \"" STR_FMT "\" is no address", STR_ARG(str_sub(found.value, 0, 100)));
    return RC_OK;
}

static enum rc map_envelope(struct change *c)
{
    enum rc rc = map_address(c, &c->job->sender);
    for (size_t i = 0; i < c->job->envelope.n && rc == RC_OK; i++)
        rc = map_address(c, &c->job->rcpts[i]);
    return rc;
}

/* One that has too many addresses goes as it is. */
static enum rc map_header(struct change *c, str *header)
{
    static const struct header_completion none = {.origin = STR_NONE};
    AUTO(arena_freep) struct arena *a = arena_new(LOOKUP_ARENA);
    AUTO(buf_deinit) struct buf out = BUF_INIT(2 * SMTP_HEADER_MAX);
    struct header_addresses list;
    if (header_rewrite_scan(*header, &none, a, &list) != RC_OK) {
        log_warn(STR_FMT ": its header has too many addresses and is not rewritten",
                 STR_ARG(c->job->envelope.id));
        return RC_OK;
    }
    for (size_t i = 0; i < list.n; i++) {
        str to = list.v[i].address;
        if (map_address(c, &to) != RC_OK)
            return RC_TEMP;
        if (!str_eq(to, list.v[i].address))
            list.v[i].to = to;
    }
    header_rewrite_put(&out, *header, &list);
    if (!out.overflow)
        *header = arena_str(c->w->arena, buf_str(&out));
    return RC_OK;
}

/* --- both --- */

static enum rc change_header(struct change *c)
{
    struct smtp_job *job = c->job;
    bool checks = c->w->server->tables->v[TABLES_SMTP_HEADER] != NULL;
    str original = smtp_message_header(job, c->w->arena);
    if (original.n == 0 && job->envelope.size > 0) {
        log_warn(STR_FMT ": its header is too long to be changed", STR_ARG(job->envelope.id));
        return RC_OK;
    }
    str header = arena_printf(c->w->arena, STR_FMT STR_FMT, STR_ARG(job->envelope.trace), STR_ARG(original));
    if (checks) {
        check_header(c, header);
        header = c->out.overflow ? header : arena_str(c->w->arena, buf_str(&c->out));
    }
    if (c->rc == RC_OK && c->w->server->tables->v[TABLES_GENERIC])
        (void)map_header(c, &header);
    job->changed = header;
    job->changed_bytes = original.n;
    return c->rc;
}

enum rc smtp_change(const struct smtp_worker *w, struct smtp_job *job)
{
    const struct table_settings *t = w->server->tables;
    job->sender = job->envelope.sender;
    for (size_t i = 0; i < job->envelope.n; i++)
        job->rcpts[i] = job->envelope.rcpts[i].address;
    bool lmtp = site_name_parse(job->site_name).transport == SITE_LMTP,
         comes_back = str_starts(job->envelope.rcpts[0].via, S("filter:"));
    if (lmtp || comes_back || job->envelope.flags & QUEUE_BINARY || !t ||
        (!t->v[TABLES_GENERIC] && !t->v[TABLES_SMTP_HEADER]))
        return RC_OK;
    AUTO(arena_freep) struct arena *a = arena_new(LOOKUP_ARENA);
    struct change c = {.w = w, .job = job, .arena = a, .out = BUF_INIT(2 * SMTP_HEADER_MAX)};
    enum rc rc = t->v[TABLES_GENERIC] ? map_envelope(&c) : RC_OK;
    if (rc == RC_OK)
        rc = change_header(&c);
    buf_deinit(&c.out);
    return rc;
}
