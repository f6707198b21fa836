/* Listeners: the built-in ones, and what makes a listener whole (addresses, effective port, socket path). */
#include "base/arena.h"
#include "conf/build.h"
#include "fmt/pipe_def.h"

static const struct {
    const char *name;
    enum conf_protocol protocol;
    int port;
    enum conf_tls tls;
    const char *addresses; /* "" for those of `listen` */
} builtin[] = {
    {"smtp", CONF_SMTP, 25, CONF_TLS_STARTTLS, ""},
    {"submission", CONF_SUBMISSION, 587, CONF_TLS_STARTTLS, ""},
    {"submissions", CONF_SUBMISSION, 465, CONF_TLS_IMPLICIT, ""},
    {"imap", CONF_IMAP, 143, CONF_TLS_STARTTLS, ""},
    {"imaps", CONF_IMAP, 993, CONF_TLS_IMPLICIT, ""},
    {"pop3", CONF_POP3, 110, CONF_TLS_STARTTLS, ""},
    {"pop3s", CONF_POP3, 995, CONF_TLS_IMPLICIT, ""},
    {"lmtp", CONF_LMTP, 24, CONF_TLS_NONE, "127.0.0.1, ::1"},
    {"lmtp-socket", CONF_LMTP, 0, CONF_TLS_NONE, ""}, /* its path is the option lmtp_socket */
    {"sendmail", CONF_LOCAL, 0, CONF_TLS_NONE, ""},   /* its path is the option sendmail_socket */
    {CONF_INSPECTION, CONF_LOCAL, 0, CONF_TLS_NONE, ""},
};

/* The last one is there when internal_mail_filter_classes want it. */
const char *conf_builtin_listener(size_t index)
{
    return index + 1 < sizeof builtin / sizeof *builtin ? builtin[index].name : NULL;
}

const char *conf_inspection_socket(const struct conf *c)
{
    const struct conf_listener *l = conf_find_listener(c, S(CONF_INSPECTION));
    return l ? l->socket : NULL;
}

const char *conf_protocol_name(int protocol)
{
    static const char *const names[] = {"smtp",  "submission",  "lmtp",        "imap",         "pop3",
                                        "local", "auth-client", "auth-userdb", "quota-status", "spawn"};
    must(protocol >= 0 && (size_t)protocol < sizeof names / sizeof *names);
    return names[protocol];
}

bool conf_listens(const struct conf *c, enum conf_protocol protocol)
{
    for (size_t i = 0; i < c->listener_count; i++)
        if (c->listeners[i].protocol == (int)protocol)
            return true;
    return false;
}

bool conf_asks_dovecot(const struct conf *c)
{
    if (c->smtpd_sasl_type != CONF_SASL_DOVECOT)
        return false;
    for (size_t i = 0; i < c->listener_count; i++)
        if (c->listeners[i].protocol == CONF_AUTH_CLIENT &&
            str_eq(str_c(c->listeners[i].socket), str_c(c->smtpd_sasl_path)))
            return false;
    return true;
}

void conf_listeners_init(struct conf_build *b)
{
    const struct conf_key *addresses = conf_key_find(conf_listener_keys, S("addresses"));
    for (size_t i = 0; i < sizeof builtin / sizeof *builtin; i++) {
        struct conf_section s = conf_build_section(b, CONF_SECTION_LISTENER, str_c(builtin[i].name), 0);
        struct conf_listener *l = &b->conf->listeners[s.index];
        l->protocol = (int)builtin[i].protocol;
        l->port = builtin[i].port;
        l->tls = (int)builtin[i].tls;
        if (str_eq(str_c(l->name), S("sendmail"))) /* every user of the system may send */
            l->mode = 0666;
        b->listener_lines[s.index].builtin = true;
        must(conf_value_set(b->conf->arena, addresses, l, str_c(builtin[i].addresses), NULL) == RC_OK);
    }
}

static bool key_is_set(const struct conf_section_lines *lines, const char *name)
{
    const struct conf_key *key = conf_key_find(conf_listener_keys, str_c(name));
    must(key);
    return lines->key[key - conf_listener_keys.v] != 0;
}

static const char *below_run_dir(struct conf *c, const char *socket)
{
    if (!socket[0] || socket[0] == '/')
        return socket;
    str path = arena_printf(c->arena, "%s/%s", c->run_dir, socket);
    return path.p ? path.p : "";
}

static const char *builtin_socket(const struct conf *c, const struct conf_listener *l)
{
    if (str_eq(str_c(l->name), S("lmtp-socket")))
        return c->lmtp_socket;
    if (str_eq(str_c(l->name), S(CONF_INSPECTION)))
        return c->internal_mail_filter_classes.n > 0 ? CONF_INSPECTION : "";
    return str_eq(str_c(l->name), S("sendmail")) ? c->sendmail_socket : "";
}

static bool share_address(const struct conf_listener *a, const struct conf_listener *b)
{
    for (size_t i = 0; i < a->addresses.n; i++)
        for (size_t j = 0; j < b->addresses.n; j++)
            if (str_eq(a->addresses.v[i], b->addresses.v[j]))
                return true;
    return false;
}

/* The kernel tells who is at the other end, or the permissions of the file are all that protects it. */
static bool needs_socket(int protocol)
{
    return protocol == CONF_LOCAL || protocol == CONF_AUTH_CLIENT || protocol == CONF_AUTH_USERDB;
}

static void check_way(struct conf_build *b, const struct conf_listener *l,
                      const struct conf_section_lines *lines)
{
    bool socket_only = needs_socket(l->protocol);
    if (!socket_only && !l->port && !l->socket[0])
        conf_error(b->report, lines->file, lines->line, "the listener %s needs `port` or `socket`", l->name);
    if (socket_only && (l->port || !l->socket[0]))
        conf_error(b->report, lines->file, lines->line,
                   "the listener %s needs `socket`, and no port, because only a socket tells who is there",
                   l->name);
    if ((socket_only || l->protocol == CONF_QUOTA_STATUS || l->protocol == CONF_SPAWN) &&
        l->tls != CONF_TLS_NONE)
        conf_error(b->report, lines->file, lines->line, "the listener %s cannot have `tls`", l->name);
    if (l->proxy_protocol && !l->port)
        conf_error(b->report, lines->file, lines->line,
                   "the listener %s has no `port` at which a proxy could connect (proxy_protocol)", l->name);
    if (!l->socket[0] && (l->user[0] || l->group[0]))
        conf_error(b->report, lines->file, lines->line,
                   "the listener %s has no `socket` that `user` and `group` could own", l->name);
}

static void check_program(struct conf_build *b, const struct conf_listener *l,
                          const struct conf_section_lines *lines)
{
    struct pipe_def d;
    if (l->protocol != CONF_SPAWN && l->program[0])
        conf_error(b->report, lines->file, lines->line,
                   "the listener %s has a `program`, which only those of the protocol spawn have", l->name);
    else if (l->protocol == CONF_SPAWN && pipe_def_program(str_c(l->program), &d) != RC_OK)
        conf_error(b->report, lines->file, lines->line,
                   "the listener %s needs `program`: user=USER[:GROUP] argv=/path ARGUMENTS", l->name);
}

/* One listener with its port and addresses resolved; false when it listens nowhere. */
static bool finish_one(struct conf_build *b, struct conf_listener *l, const struct conf_section_lines *lines)
{
    struct conf *c = b->conf;
    if (lines->builtin && !l->socket[0])
        l->socket = builtin_socket(c, l);
    if (!l->enabled || (lines->builtin && !l->port && !l->socket[0]))
        return false;
    if (!lines->builtin && !key_is_set(lines, "protocol"))
        conf_error(b->report, lines->file, lines->line, "the listener %s needs `protocol`", l->name);
    check_way(b, l, lines);
    check_program(b, l, lines);
    if (l->port && l->port + c->port_offset > 65535)
        conf_error(b->report, lines->file, lines->line,
                   "the port of the listener %s is above 65535 with port_offset", l->name);
    if (l->port)
        l->port += c->port_offset;
    if (l->port && !l->addresses.n)
        l->addresses = c->listen;
    l->socket = below_run_dir(c, l->socket);
    return true;
}

static void check_clash(struct conf_build *b, size_t count)
{
    const struct conf_listener *l = b->conf->listeners;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (l[i].port && l[i].port == l[j].port && share_address(&l[i], &l[j]))
                conf_error(b->report, b->listener_lines[i].file, b->listener_lines[i].line,
                           "the listeners %s and %s have the same port %d", l[j].name, l[i].name, l[i].port);
}

/* Mail for other servers would be taken for our own. */
void conf_check_listeners(struct conf_build *b)
{
    const struct conf *c = b->conf;
    const struct conf_origin *o = &c->origin[CONF_every_domain];
    for (size_t i = 0; i < c->listener_count && c->every_domain; i++) {
        const struct conf_listener *l = &c->listeners[i];
        if (l->enabled && (l->protocol == CONF_SMTP || l->protocol == CONF_SUBMISSION ||
                           (l->protocol == CONF_LOCAL && c->sendmail_socket[0])))
            conf_error(b->report, o->file ? o->file : b->file, o->line,
                       "every_domain: the listener %s takes mail for other servers", l->name);
    }
}

void conf_listeners_finish(struct conf_build *b)
{
    struct conf *c = b->conf;
    size_t kept = 0;
    for (size_t i = 0; i < c->listener_count; i++) {
        if (finish_one(b, &c->listeners[i], &b->listener_lines[i])) {
            c->listeners[kept] = c->listeners[i];
            b->listener_lines[kept++] = b->listener_lines[i];
        }
    }
    c->listener_count = kept;
    check_clash(b, kept < 1000 ? kept : 1000);
}
