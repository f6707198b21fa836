/* What is changed of a message as it leaves by SMTP: by smtp_header_checks and its like, then the addresses
 * in its header and in the envelope by smtp_generic_maps. The queue keeps the message as it came; what goes
 * to a filter does not leave yet. */
#include "base/log.h"
#include "conf/key.h"
#include "fmt/crlf.h"
#include "fmt/header.h"
#include "fmt/header_rewrite.h"
#include "fmt/mailaddr.h"
#include "os/file.h"
#include "queue/site_name.h"
#include "role/smtp_impl.h"
#include "smtp/check_edit.h"
#include "table/maps.h"
#include "table/settings.h"

#include <unistd.h>

enum { LOGGED_MAX = 200, LOOKUP_ARENA = 4 << 20, READ_SIZE = 64 << 10, CHECKED_MAX = 256 << 20 };

enum { KINDS = CHECK_STREAM_BODY + 1 };

struct change {
    const struct smtp_worker *w;
    struct smtp_job *job;
    struct arena *arena; /* for one look-up */
    struct table_list *checks[KINDS], *generic;
    struct check_edit edit;
    struct buf *out;
    enum rc rc;
};

static enum rc not_now(struct change *c, const char *what, const struct err *e)
{
    log_warn(STR_FMT ": %s: %s", STR_ARG(c->job->envelope.id), what, err_text(e));
    c->rc = RC_TEMP;
    return RC_TEMP;
}

/* --- fields and lines --- */

static const struct {
    enum table_setting table;
    enum conf_option option;
} checks[KINDS] = {[CHECK_STREAM_HEADER] = {TABLES_SMTP_HEADER, CONF_smtp_header_checks},
                   [CHECK_STREAM_MIME] = {TABLES_SMTP_MIME, CONF_smtp_mime_header_checks},
                   [CHECK_STREAM_NESTED] = {TABLES_SMTP_NESTED, CONF_smtp_nested_header_checks},
                   [CHECK_STREAM_BODY] = {TABLES_SMTP_BODY, CONF_smtp_body_checks}};

static const char *setting_of(void *ctx, enum check_stream_kind kind)
{
    return conf_options.v[checks[kind].option].name;
}

static void log_check(void *ctx, const char *what, const struct check_stream_unit *u, str text)
{
    const struct change *c = ctx;
    log_info(STR_FMT ": %s: %s " STR_FMT "%s" STR_FMT, STR_ARG(c->job->envelope.id), what,
             u->kind == CHECK_STREAM_BODY ? "body" : "header", STR_ARG(str_sub(u->text, 0, LOGGED_MAX)),
             text.n ? ": " : "", STR_ARG(text));
}

static void put(void *ctx, str text, bool ends_line)
{
    struct change *c = ctx;
    buf_puts(c->out, text);
    if (ends_line)
        buf_putc(c->out, '\n');
}

static enum rc find(void *ctx, const struct check_stream_unit *u, str *ret)
{
    struct change *c = ctx;
    struct err e = {0};
    uint64_t limit = c->w->conf->body_checks_size_limit;
    if (!c->checks[u->kind] || (u->kind == CHECK_STREAM_BODY && limit > 0 && u->offset >= limit))
        return RC_GONE;
    arena_reset(c->arena);
    enum rc rc = table_list_find(c->checks[u->kind], TABLE_WHOLE_KEY, u->text, c->arena, ret, &e);
    if (rc == RC_OK || rc == RC_GONE)
        return rc;
    (void)not_now(c, arena_printf(c->w->arena, "%s map lookup problem", setting_of(c, u->kind)).p, &e);
    return RC_GONE;
}

/* Its time and its ways are decided. */
static void decide(void *ctx, const struct check_stream_unit *u, const struct check_result *r)
{
    log_warn("%s map: an action is not possible for mail that leaves: \"" STR_FMT "\"",
             setting_of(ctx, u->kind), STR_ARG(str_sub(u->text, 0, 100)));
}

static const struct check_edit_ops ops = {
    .find = find, .setting = setting_of, .log = log_check, .put = put, .decide = decide};

static void check_header(struct change *c, str header)
{
    struct check_stream s;
    check_stream_init(&s, check_edit_take, &c->edit);
    check_stream_feed(&s, header);
    check_stream_finish(&s);
    check_stream_deinit(&s);
}

/* RC_TEMP: it cannot be read. */
static enum rc feed_content(const struct smtp_job *job, struct check_stream *s)
{
    char room[READ_SIZE];
    if (job->content_fd < 0) {
        check_stream_feed(s, job->content);
        return RC_OK;
    }
    for (uint64_t at = 0; at < job->envelope.size;) {
        ssize_t n = pread(job->content_fd, room, sizeof room, (off_t)at);
        if (n <= 0)
            return RC_TEMP;
        check_stream_feed(s, str_mem(room, (size_t)n));
        at += (uint64_t)n;
    }
    return RC_OK;
}

/* The whole message: it takes the place of the trace and the content. */
static enum rc check_message(struct change *c)
{
    struct smtp_job *job = c->job;
    struct check_stream s;
    struct err e = {0};
    check_stream_init(&s, check_edit_take, &c->edit);
    check_stream_feed(&s, job->envelope.trace);
    enum rc rc = feed_content(job, &s);
    check_stream_finish(&s);
    check_stream_deinit(&s);
    if (rc != RC_OK || c->out->overflow) {
        (void)err_set(&e, RC_TEMP, 451, "4.3.0", "it cannot be read, or is too large");
        return not_now(c, "smtp_body_checks", &e);
    }
    fd_closep(&job->content_fd);
    job->content = buf_str(c->out);
    job->envelope.trace = S("");
    job->envelope.size = c->out->n;
    job->envelope.lines = crlf_lines(job->content);
    return c->rc;
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
    enum rc rc = maps_find_address(c->generic, *address, &rules, c->arena, &found, &e);
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
    AUTO(buf_deinit) struct buf out = BUF_INIT(2 * SMTP_HEADER_MAX);
    str original = smtp_message_header(job, c->w->arena);
    if (original.n == 0 && job->envelope.size > 0) {
        log_warn(STR_FMT ": its header is too long to be changed", STR_ARG(job->envelope.id));
        return RC_OK;
    }
    str header = arena_printf(c->w->arena, STR_FMT STR_FMT, STR_ARG(job->envelope.trace), STR_ARG(original));
    if (!job->checked.n && c->checks[CHECK_STREAM_HEADER]) {
        c->out = &out;
        check_header(c, header);
        header = out.overflow ? header : arena_str(c->w->arena, buf_str(&out));
    }
    if (c->rc == RC_OK && c->generic)
        (void)map_header(c, &header);
    job->changed = header;
    job->changed_bytes = original.n;
    return c->rc;
}

static enum rc change(struct change *c)
{
    bool whole =
        c->checks[CHECK_STREAM_MIME] || c->checks[CHECK_STREAM_NESTED] || c->checks[CHECK_STREAM_BODY];
    enum rc rc = c->generic ? map_envelope(c) : RC_OK;
    c->edit = (struct check_edit){.ops = &ops, .ctx = c};
    c->out = &c->job->checked;
    if (rc == RC_OK && whole)
        rc = check_message(c);
    if (rc == RC_OK && (c->generic || (!whole && c->checks[CHECK_STREAM_HEADER])))
        rc = change_header(c);
    return rc;
}

enum rc smtp_change(const struct smtp_worker *w, struct smtp_job *job)
{
    struct change c = {
        .w = w, .job = job, .generic = table_settings_of(w->server->tables, w->conf, TABLES_GENERIC)};
    bool any = c.generic != NULL;
    job->sender = job->envelope.sender;
    buf_init(&job->checked, CHECKED_MAX);
    for (size_t i = 0; i < job->envelope.n; i++)
        job->rcpts[i] = job->envelope.rcpts[i].address;
    for (size_t i = 0; i < KINDS; i++) {
        c.checks[i] = table_settings_of(w->server->tables, w->conf, checks[i].table);
        any = any || c.checks[i];
    }
    bool lmtp = site_name_parse(job->site_name).transport == SITE_LMTP,
         comes_back = str_starts(job->envelope.rcpts[0].via, S("filter:"));
    if (lmtp || comes_back || job->envelope.flags & QUEUE_BINARY || !any)
        return RC_OK;
    c.arena = arena_new(LOOKUP_ARENA);
    enum rc rc = change(&c);
    arena_free(c.arena);
    return rc;
}
