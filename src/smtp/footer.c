/* What is put behind refusals: smtpd_reject_footer and its tables. */
#include "base/log.h"
#include "fmt/macro.h"
#include "smtp/session_impl.h"
#include "table/settings.h"

#include <time.h>

enum { TIME_SIZE = 32, PORT_SIZE = 8 };

struct names {
    const struct smtp_session *s;
    char time[TIME_SIZE], port[PORT_SIZE];
};

static bool find_name(void *ctx, str name, str *ret)
{
    const struct names *n = ctx;
    const struct {
        const char *name;
        str value;
    } names[] = {
        {"client_address", n->s->p->client_address},
        {"client_port", str_c(n->port)},
        {"localtime", str_c(n->time)},
        {"server_name", str_c(n->s->conf->hostname)},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(name, str_c(names[i].name))) {
            *ret = names[i].value;
            return true;
        }
    return false;
}

static void fill_names(const struct smtp_session *s, struct names *n)
{
    struct tm tm;
    time_t now = (time_t)clock_seconds();
    *n = (struct names){.s = s};
    snprintf(n->port, sizeof n->port, "%u", s->p->client_port);
    if (localtime_r(&now, &tm))
        strftime(n->time, sizeof n->time, "%b %d %H:%M:%S", &tm);
}

/* The text of a footer for the whole refusal; empty: none. */
static str template_of(const struct smtp_session *s, str refusal, struct arena *a)
{
    struct table_list *l = smtp_tables(s, TABLES_REJECT_FOOTER);
    struct err e = {0};
    str value;
    enum rc rc = l ? table_list_find(l, TABLE_WHOLE_KEY, refusal, a, &value, &e) : RC_GONE;
    if (rc != RC_OK && rc != RC_GONE)
        log_warn("smtpd_reject_footer_maps: %s", err_text(&e));
    return rc == RC_OK ? value : str_c(s->conf->smtpd_reject_footer);
}

/* "\c" in front: on the same line; "\n": a line break. */
static void put_text(str text, struct buf *out)
{
    if (str_starts(text, S("\\c")))
        text = str_from(text, 2);
    else
        buf_putc(out, '\n');
    for (ptrdiff_t at; (at = str_find(text, S("\\n"))) >= 0; text = str_from(text, (size_t)at + 2)) {
        buf_puts(out, str_sub(text, 0, (size_t)at));
        buf_putc(out, '\n');
    }
    buf_puts(out, text);
}

void smtp_put_footer(const struct smtp_session *s, int code, const char *enhanced, struct buf *text)
{
    bool none = !s->conf->smtpd_reject_footer[0] && !s->conf->smtpd_reject_footer_maps[0];
    if (none || smtp_is_lmtp(s))
        return;
    AUTO(arena_freep) struct arena *a = arena_new(2 * TABLE_VALUE_MAX);
    AUTO(buf_deinit) struct buf footer = BUF_INIT(SMTP_FOOTER_MAX);
    struct names names;
    fill_names(s, &names);
    const struct macro_env env = {.find = find_name, .ctx = &names};
    str key = arena_printf(a, "%d %s%s" STR_FMT, code, enhanced ? enhanced : "", enhanced ? " " : "",
                           STR_ARG(buf_str(text)));
    str found = template_of(s, key, a);
    if (found.n == 0)
        return;
    if (macro_expand(found, &env, &footer, NULL) != RC_OK)
        log_warn("a footer of refusals does not expand: " STR_FMT, STR_ARG(str_sub(found, 0, 100)));
    else
        put_text(buf_str(&footer), text);
}
