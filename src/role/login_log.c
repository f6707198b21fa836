/* The login role's log lines, word for word in the shape of Dovecot 2.3, because fail2ban's filters and
 * logwatch look for it: "imap-login: Login: user=<a@b>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.9, TLS,
 * session=<...>". */
#include "base/log.h"
#include "fmt/login_format.h"
#include "role/login_impl.h"

struct telling {
    const struct login_conn *c;
    struct buf room; /* of the value that was asked for last */
};

/* A name that a stranger gave must not end the field it stands in. */
static void put_name(struct buf *b, const char *name)
{
    for (; *name; name++)
        buf_putc(b, *name == '<' || *name == '>' || *name == ' ' ? '?' : *name);
}

static str find_value(void *ctx, str name)
{
    struct telling *t = ctx;
    const struct login_conn *c = t->c;
    buf_reset(&t->room);
    put_name(&t->room, c->user);
    str user = buf_str(&t->room), domain = user, local = str_take(&domain, '@');
    const struct {
        str name, value;
    } all[] = {{S("user"), user},
               {S("username"), local},
               {S("domain"), domain.p ? domain : S("")},
               {S("service"), str_c(c->protocol->name)},
               {S("mech"), str_c(c->method)},
               {S("rip"), str_c(c->remote_ip)},
               {S("lip"), str_c(c->local_ip)},
               {S("session"), str_c(c->session_id)}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (str_eq(name, all[i].name))
            return all[i].value.p ? all[i].value : S("");
    buf_reset(&t->room);
    if (str_eq(name, S("mpid")) && c->session_pid)
        buf_printf(&t->room, "%u", c->session_pid);
    else if (str_eq(name, S("secured")) && c->tls_state[0])
        buf_printf(&t->room, "%s%s", c->tls_state, c->tls_failure);
    return t->room.n > 0 ? buf_str(&t->room) : S("");
}

static void put_line(const struct login_conn *c, const char *what)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(1900);
    struct telling t = {.c = c, .room = BUF_INIT(1900)};
    struct err e = {0};
    enum rc rc = login_format_put(str_c(c->conf->login_log_format), str_c(c->conf->login_log_format_elements),
                                  str_c(what), find_value, &t, &b, &e);
    if (rc == RC_OK)
        log_info_of(LOG_AS_DOVECOT, "%s: " STR_FMT, c->protocol->service, STR_ARG(buf_str(&b)));
    else
        log_error("%s: %s: the line cannot be made: %s", c->protocol->service, what, err_text(&e));
    buf_deinit(&t.room);
}

void login_log_success(const struct login_conn *c)
{
    put_line(c, "Login");
}

void login_log_text(const struct login_conn *c, const char *text)
{
    put_line(c, text);
}

void login_log_abandoned(const struct login_conn *c, const struct login_outcome *o)
{
    char what[320];
    long long seconds = (clock_mono() - c->since) / 1000;
    if (o->tried_plaintext && c->attempts == 0)
        snprintf(what, sizeof what, "%s%s (tried to use disallowed plaintext auth)", o->reason,
                 c->tls_failure);
    else if (c->attempts == 0 && c->doubt)
        snprintf(what, sizeof what, "%s%s (%s)", o->reason, c->tls_failure, c->doubt);
    else if (c->attempts == 0)
        snprintf(what, sizeof what, "%s%s (no auth attempts in %lld secs)", o->reason, c->tls_failure,
                 seconds);
    else
        snprintf(what, sizeof what, "%s%s (auth failed, %u attempts in %lld secs)", o->reason, c->tls_failure,
                 c->attempts, seconds);
    put_line(c, what);
}
