/* The services of Dovecot that listen: log-in over IMAP and POP3, LMTP, and the sockets of auth. */
#include "conf/dovecot.h"

#include "base/num.h"
#include "conf/report.h"

#include <grp.h>
#include <pwd.h>

static bool has_protocol(const struct dovecot *d, const char *name)
{
    str rest = dovecot_value(d, NULL, "protocols", "imap pop3 lmtp"), word;
    while ((word = folder_word(&rest)).n)
        if (str_eq(word, str_c(name)))
            return true;
    return false;
}

static const struct dovecot_block *find_block(const struct dovecot *d, const struct dovecot_block *parent,
                                              const char *kind, const char *name)
{
    for (size_t i = 0; i < d->conf.block_count; i++) {
        const struct dovecot_block *b = d->conf.blocks[i];
        if (b->parent == parent && str_eq(b->kind, str_c(kind)) && str_eq(b->name, str_c(name)))
            return b;
    }
    return NULL;
}

/* --- TCP --- */

struct tcp {
    const char *service, *protocol; /* "imap-login", "imap" */
    const char *name;               /* of the inet_listener that Dovecot has by itself */
    const char *port;
    bool tls; /* from the first byte */
};

static const struct tcp defaults[] = {
    {"imap-login", "imap", "imap", "143", false},
    {"imap-login", "imap", "imaps", "993", true},
    {"pop3-login", "pop3", "pop3", "110", false},
    {"pop3-login", "pop3", "pop3s", "995", true},
};

static const char *tls_of(const struct dovecot *d, bool implicit)
{
    str ssl = dovecot_value(d, NULL, "ssl", "yes");
    if (implicit)
        return "implicit";
    return str_eq(ssl, S("required")) ? "required" : str_eq(ssl, S("no")) ? "none" : "starttls";
}

/* The service, which listens whatever the setting protocols says, and without TLS. */
static bool is_quota_status(const struct dovecot_block *service)
{
    return str_eq(service->name, S("quota-status"));
}

static void set_tcp(struct dovecot *d, const struct tcp *t, const struct dovecot_block *b)
{
    const struct dovecot_setting *port = b ? dovecot_find(d, b, "port") : NULL;
    const struct dovecot_setting *addresses = b ? dovecot_find(d, b, "address") : NULL;
    const struct dovecot_setting *listen = dovecot_find(d, NULL, "listen");
    str ssl = b ? dovecot_value(d, b, "ssl", t->tls ? "yes" : "no") : t->tls ? S("yes") : S("no");
    bool implicit = str_eq(ssl, S("yes")), off = str_eq(dovecot_value(d, NULL, "ssl", "yes"), S("no"));
    str number = port ? port->value : str_c(t->port);
    if (str_eq(number, S("0")) || (implicit && off))
        return;
    addresses = addresses && addresses->value.n ? addresses : listen;
    struct conf_origin o = dovecot_origin(d, port), at = dovecot_origin(d, addresses);
    struct conf_section l = folder_listener(d->f, o.file, o.line, str_c(t->name));
    folder_set_in(d->f, l, o.file, o.line, "protocol", str_c(t->protocol));
    folder_set_in(d->f, l, o.file, o.line, "port", number);
    bool plain = b && is_quota_status(b->parent);
    folder_set_in(d->f, l, o.file, o.line, "tls", plain ? S("none") : str_c(tls_of(d, implicit)));
    folder_set_in(d->f, l, at.file, at.line, "addresses", addresses ? addresses->value : S("* ::"));
    const struct dovecot_setting *proxy = b ? dovecot_find(d, b, "haproxy") : NULL;
    if (proxy && str_eq(proxy->value, S("yes"))) {
        struct conf_origin by = dovecot_origin(d, proxy);
        folder_set_in(d->f, l, by.file, by.line, "proxy_protocol", S("yes"));
    }
}

static bool is_default(const struct dovecot_block *b)
{
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        if (str_eq(b->parent->name, str_c(defaults[i].service)) && str_eq(b->name, str_c(defaults[i].name)))
            return true;
    return false;
}

static void set_tcp_listeners(struct dovecot *d)
{
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        const struct dovecot_block *service = find_block(d, NULL, "service", defaults[i].service);
        if (has_protocol(d, defaults[i].protocol))
            set_tcp(d, &defaults[i],
                    service ? find_block(d, service, "inet_listener", defaults[i].name) : NULL);
    }
    for (size_t i = 0; i < d->conf.block_count; i++) {
        const struct dovecot_block *b = d->conf.blocks[i];
        if (!b->parent || !str_eq(b->kind, S("inet_listener")) || is_default(b))
            continue;
        struct tcp own = {.name = arena_str(d->f->a, b->name).p, .port = "0"};
        own.protocol = str_eq(b->parent->name, S("imap-login"))   ? "imap"
                       : str_eq(b->parent->name, S("pop3-login")) ? "pop3"
                       : str_eq(b->parent->name, S("lmtp"))       ? "lmtp"
                       : is_quota_status(b->parent)               ? "quota-status"
                                                                  : NULL;
        if (is_quota_status(b->parent) && b->name.n == 0)
            own.name = "quota-status";
        if (own.protocol && (is_quota_status(b->parent) || has_protocol(d, own.protocol)))
            set_tcp(d, &own, b);
        else if (!own.protocol)
            conf_warning(d->f->b->report, arena_str(d->f->b->conf->arena, b->file).p, b->line,
                         "malle does not listen for the service " STR_FMT, STR_ARG(b->parent->name));
    }
}

/* --- Unix sockets --- */

static str socket_path(struct dovecot *d, str name)
{
    str base = dovecot_value(d, NULL, "base_dir", "/var/run/dovecot");
    if (str_starts(name, S("/")))
        return name;
    return arena_printf(d->f->a, STR_FMT "/" STR_FMT, STR_ARG(base), STR_ARG(name));
}

/* A name that this machine does not know is no reason not to start: the socket is root's then. */
static void set_owner(struct dovecot *d, struct conf_section l, const struct dovecot_block *b,
                      const char *key)
{
    const struct dovecot_setting *s = dovecot_find(d, b, key);
    struct conf_origin o = dovecot_origin(d, s);
    uint32_t number;
    if (!s || !s->value.n || num_parse_u32(s->value, INT32_MAX, &number) == RC_OK) {
        if (s && s->value.n)
            folder_set_in(d->f, l, o.file, o.line, key, s->value);
        return;
    }
    const char *name = arena_str(d->f->a, s->value).p;
    bool known = strcmp(key, "user") == 0 ? getpwnam(name) != NULL : getgrnam(name) != NULL;
    if (known)
        folder_set_in(d->f, l, o.file, o.line, key, s->value);
    else
        conf_warning(d->f->b->report, o.file, o.line, "there is no %s %s here: the socket belongs to root",
                     key, name);
}

/* A listener of this protocol in the place of the unix_listener; its name is the path's with dashes. */
static void set_socket(struct dovecot *d, str path, const struct dovecot_block *b, const char *protocol)
{
    const struct dovecot_setting *mode = dovecot_find(d, b, "mode");
    struct conf_origin o = dovecot_origin(d, mode);
    o = mode ? o : (struct conf_origin){arena_str(d->f->b->conf->arena, b->file).p, b->line};
    str name = arena_str(d->f->a, str_from(path, str_starts(path, S("/"))));
    for (size_t i = 0; i < name.n; i++)
        if (!ascii_alnum(name.p[i]))
            ((char *)name.p)[i] = '-';
    struct conf_section l = folder_listener(d->f, o.file, o.line, name);
    folder_set_in(d->f, l, o.file, o.line, "protocol", str_c(protocol));
    folder_set_in(d->f, l, o.file, o.line, "socket", path);
    folder_set_in(d->f, l, o.file, o.line, "mode", mode ? mode->value : S("0600"));
    set_owner(d, l, b, "user");
    set_owner(d, l, b, "group");
}

/* For postfix_rules.c, which looks whether Postfix delivers there. */
static void note_lmtp(struct dovecot *d, str path, const struct dovecot_block *b)
{
    struct folder *f = d->f;
    if (f->n_lmtp_sockets == FOLDER_SOCKETS_MAX)
        return;
    f->lmtp_sockets[f->n_lmtp_sockets].path = path;
    f->lmtp_sockets[f->n_lmtp_sockets].file = arena_str(f->b->conf->arena, b->file).p;
    f->lmtp_sockets[f->n_lmtp_sockets++].line = b->line;
}

/* As in Dovecot the name says who speaks there: those who look users up at *-userdb and *-master, else those
 * who log in. */
static void set_auth_socket(struct dovecot *d, str path, const struct dovecot_block *b)
{
    struct folder *f = d->f;
    if (str_ends(path, S("login")) || str_ends(path, S("token-login")))
        return; /* between parts of Dovecot */
    bool userdb = str_ends(path, S("userdb")) || str_ends(path, S("-master"));
    set_socket(d, path, b, userdb ? "auth-userdb" : "auth-client");
    if (!userdb && f->n_auth_sockets < FOLDER_SOCKETS_MAX)
        f->auth_sockets[f->n_auth_sockets++] = path;
}

static void set_sockets(struct dovecot *d)
{
    for (size_t i = 0; i < d->conf.block_count; i++) {
        const struct dovecot_block *b = d->conf.blocks[i];
        if (!b->parent || !str_eq(b->kind, S("unix_listener")))
            continue;
        str service = b->parent->name, path = socket_path(d, b->name);
        if (str_eq(service, S("lmtp")) && has_protocol(d, "lmtp")) {
            set_socket(d, path, b, "lmtp");
            note_lmtp(d, path, b);
        } else if (str_eq(service, S("auth"))) {
            set_auth_socket(d, path, b);
        } else if (is_quota_status(b->parent)) {
            set_socket(d, path, b, "quota-status");
        }
    }
}

void dovecot_set_services(struct dovecot *d)
{
    set_tcp_listeners(d);
    set_sockets(d);
}
