/* The macros of Sendmail that Postfix has for milters: which are sent, and what they are worth. */
#include "base/num.h"
#include "os/stream.h"
#include "smtp/milter_impl.h"

/* --- values; p NULL: there is none --- */

static str text_or_none(str s)
{
    return s.n > 0 ? s : STR_NONE;
}

static str address_of(const struct smtp_session *s)
{
    return s->p->local ? S("127.0.0.1") : s->p->client_address;
}

static bool has_name(const struct smtp_session *s)
{
    return !str_eq(s->p->client_name, S("unknown"));
}

static str resolved(const struct smtp_session *s)
{
    return has_name(s)                                        ? S("OK")
           : s->p->name_is_uncertain                          ? S("TEMP")
           : !str_eq(s->p->client_reverse_name, S("unknown")) ? S("FORGED")
                                                              : S("FAIL");
}

static str client(const struct smtp_session *s)
{
    bool forged = !str_ieq(s->p->client_name, s->p->client_reverse_name);
    return arena_printf(s->cmd_arena, STR_FMT " [" STR_FMT "]%s", STR_ARG(s->p->client_reverse_name),
                        STR_ARG(address_of(s)), forged ? " (may be forged)" : "");
}

/* As in an address literal (RFC 5321 §4.1.3). */
static str literal(const struct smtp_session *s)
{
    str address = address_of(s);
    return str_chr(address, ':') >= 0 ? arena_printf(s->cmd_arena, "IPv6:" STR_FMT, STR_ARG(address))
                                      : address;
}

static str number(const struct smtp_session *s, unsigned n)
{
    return arena_printf(s->cmd_arena, "%u", n);
}

static str of_tls(const struct smtp_session *s, str name)
{
    const struct tls_info *tls = stream_tls_info(s->io);
    const struct tls_ccert *c = tls && tls->ccert && tls->ccert->trusted ? tls->ccert : NULL;
    if (!tls)
        return STR_NONE;
    if (str_eq(name, S("{tls_version}")))
        return tls->version;
    if (str_eq(name, S("{cipher}")))
        return tls->cipher;
    if (str_eq(name, S("{cipher_bits}")))
        return number(s, (unsigned)tls->bits);
    if (str_eq(name, S("{cert_subject}")) && c)
        return str_c(c->subject);
    return str_eq(name, S("{cert_issuer}")) && c ? str_c(c->issuer) : STR_NONE;
}

/* Which of Postfix's transports an address leads to, and its next hop. */
static str mailer_of(const struct smtp_session *s, str address)
{
    str domain = address;
    (void)str_take(&domain, '@');
    return domain.n > 0 && !conf_has_domain(s->conf, domain) ? S("smtp") : S("virtual");
}

static str host_of(const struct smtp_session *s, str address)
{
    ptrdiff_t at = str_rchr(address, '@');
    return at < 0 ? str_c(s->conf->hostname) : str_from(address, (size_t)at + 1);
}

static str of_sender(const struct smtp_session *s, str name)
{
    if (!s->tx.mail_ok)
        return STR_NONE;
    if (str_eq(name, S("{mail_addr}")))
        return s->tx.sender.n > 0 ? s->tx.sender : S("");
    if (str_eq(name, S("{mail_host}")))
        return host_of(s, s->tx.sender);
    return str_eq(name, S("{mail_mailer}")) ? mailer_of(s, s->tx.sender) : STR_NONE;
}

/* Behind RCPT it is the last one, as in Postfix. */
static str of_recipient(const struct smtp_session *s, str name)
{
    const struct smtp_milters *ms = s->milters;
    bool rejected = ms->rejected.p != NULL;
    str recipient = ms->recipient.p ? ms->recipient
                    : s->tx.n > 0   ? s->tx.rcpts[s->tx.n - 1].address
                                    : STR_NONE;
    if (!recipient.p)
        return STR_NONE;
    if (str_eq(name, S("{rcpt_addr}")))
        return rejected ? ms->rejected : recipient;
    if (str_eq(name, S("{rcpt_host}")))
        return rejected ? str_c(ms->rejected_enhanced) : host_of(s, recipient);
    if (str_eq(name, S("{rcpt_mailer}")))
        return rejected ? S("error") : mailer_of(s, recipient);
    return STR_NONE;
}

static str of_session(const struct smtp_session *s, str name)
{
    const struct smtp_params *p = s->p;
    const struct {
        const char *name;
        str value;
    } values[] = {
        {"{daemon_name}", s->conf->milter_macro_daemon_name[0] ? str_c(s->conf->milter_macro_daemon_name)
                                                               : str_c(s->conf->hostname)},
        {"{v}", s->conf->milter_macro_v[0] ? str_c(s->conf->milter_macro_v) : S("malle")},
        {"{j}", str_c(s->conf->hostname)},
        {"{client_name}", p->client_name},
        {"{client_ptr}", p->client_reverse_name},
        {"{client_resolve}", resolved(s)},
        {"{daemon_addr}", text_or_none(p->server_address)},
        {"{i}", text_or_none(s->tx.id)},
        {"{auth_type}", text_or_none(s->method)},
        {"{auth_authen}", s->method.n > 0 ? s->account : STR_NONE},
        {"{auth_author}", s->tx.mail_ok ? text_or_none(s->tx.mail.auth) : STR_NONE},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (str_eq(name, str_c(values[i].name)))
            return values[i].value;
    if (str_eq(name, S("{_}")))
        return client(s);
    if (str_eq(name, S("{client_addr}")))
        return literal(s);
    if (str_eq(name, S("{client_port}")))
        return number(s, p->client_port);
    if (str_eq(name, S("{client_connections}")))
        return number(s, p->client_connections);
    if (str_eq(name, S("{daemon_port}")) && p->server_address.n > 0)
        return number(s, p->server_port);
    return STR_NONE;
}

static str default_of(const struct smtp_session *s, str name)
{
    str rest = str_c(s->conf->milter_macro_defaults), key, value, inner;
    while (conf_milter_take_default(&rest, &key, &value, NULL) == RC_OK) {
        inner = str_sub(name, 1, name.n - 2);
        if (str_eq(key, name) || str_eq(key, inner))
            return value.p ? value : S("");
    }
    return STR_NONE;
}

/* name: in braces */
static str value_of(const struct smtp_session *s, str name)
{
    static str (*const sources[])(const struct smtp_session *s, str name) = {of_session, of_tls, of_sender,
                                                                             of_recipient, default_of};
    str value = STR_NONE;
    for (size_t i = 0; i < sizeof sources / sizeof *sources && !value.p; i++)
        value = sources[i](s, name);
    return value;
}

/* --- which --- */

static const struct conf_list *list_of(const struct conf *c, int stage)
{
    switch (stage) {
    case MILTER_AT_CONNECT:
        return &c->milter_connect_macros;
    case MILTER_AT_HELO:
        return &c->milter_helo_macros;
    case MILTER_AT_MAIL:
        return &c->milter_mail_macros;
    case MILTER_AT_RCPT:
        return &c->milter_rcpt_macros;
    case MILTER_AT_DATA:
        return &c->milter_data_macros;
    case MILTER_AT_END_OF_BODY:
        return &c->milter_end_of_data_macros;
    case MILTER_AT_END_OF_HEADER:
        return &c->milter_end_of_header_macros;
    default:
        return &c->milter_unknown_command_macros;
    }
}

static size_t add(const struct smtp_session *s, str name, struct milter_part *ret, size_t n)
{
    str braced = str_starts(name, S("{")) ? name : arena_printf(s->cmd_arena, "{" STR_FMT "}", STR_ARG(name));
    str value = value_of(s, braced);
    if (!value.p || n == 2 * MILTER_MACROS_MAX)
        return n;
    ret[1 + n] = (struct milter_part){.bytes = name, .text = true};
    ret[2 + n] = (struct milter_part){.bytes = value, .text = true};
    return n + 2;
}

/* Separated by spaces or commas. */
static str take_name(str *list)
{
    size_t n = 0;
    while (list->n > 0 && (list->p[0] == ' ' || list->p[0] == ',' || list->p[0] == '\t'))
        *list = str_from(*list, 1);
    while (n < list->n && list->p[n] != ' ' && list->p[n] != ',' && list->p[n] != '\t')
        n++;
    str name = str_sub(*list, 0, n);
    *list = str_from(*list, n);
    return name;
}

size_t milter_macros(struct smtp_session *s, const struct milter *m, int stage, struct milter_part *ret)
{
    size_t n = 0;
    if (stage < MILTER_STAGES && m->options.macros[stage].n > 0) { /* to name none is to name those of ours */
        str rest = m->options.macros[stage], name;
        while ((name = take_name(&rest)).n > 0)
            n = add(s, name, ret, n);
        return n;
    }
    const struct conf_list *list = list_of(s->conf, stage);
    for (size_t i = 0; i < list->n; i++)
        n = add(s, list->v[i], ret, n);
    return n;
}
