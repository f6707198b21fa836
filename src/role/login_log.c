/* The login role's log lines, word for word in the shape of Dovecot 2.3, because fail2ban's filters and
 * logwatch look for it: "imap-login: Login: user=<a@b>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.9, TLS,
 * session=<...>". */
#include "base/log.h"
#include "role/login_impl.h"

/* A name that a stranger gave must not end the field it stands in. */
static void put_name(struct buf *b, const char *name)
{
    for (; *name; name++)
        buf_putc(b, *name == '<' || *name == '>' || *name == ' ' ? '?' : *name);
}

static void put_connection(struct buf *b, const struct login_conn *c)
{
    buf_puts(b, S("user=<"));
    put_name(b, c->user);
    buf_puts(b, S(">, "));
    if (c->method[0])
        buf_printf(b, "method=%s, ", c->method);
    buf_printf(b, "rip=%s, lip=%s, ", c->remote_ip, c->local_ip);
    if (c->session_pid)
        buf_printf(b, "mpid=%u, ", c->session_pid);
    if (c->tls_state[0])
        buf_printf(b, "%s%s, ", c->tls_state, c->tls_failure);
    buf_printf(b, "session=<%s>", c->session_id);
}

static void put_line(const struct login_conn *c, const char *what)
{
    struct buf b = BUF_INIT(1900);
    put_connection(&b, c);
    log_info_of(LOG_AS_DOVECOT, "%s: %s: " STR_FMT, c->protocol->service, what, STR_ARG(buf_str(&b)));
    buf_deinit(&b);
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
