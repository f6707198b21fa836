/* What several parameters of main.cf say together: names, networks, mailboxes, TLS. */
#include "conf/postfix.h"

#include "conf/report.h"
#include "fmt/ip.h"
#include "os/file.h"

enum { LIST_MAX = 256 << 10, FILE_MAX = 4 << 20, NESTED_MAX = 10 };

static void set(struct postfix *p, const char *option, const struct postfix_value *v, str value)
{
    folder_set(p->f, v->file, v->line, option, value);
}

/* --- names --- */

/* Debian's installer writes the name into a file and the path into main.cf. */
static str of_file(struct postfix *p, const struct postfix_value *v)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(4096);
    if (!str_starts(v->text, S("/")))
        return v->text;
    if (file_read(arena_str(p->f->a, v->text).p, &text) != RC_OK) {
        conf_error(p->f->b->report, v->file, v->line, STR_FMT " cannot be read", STR_ARG(v->text));
        return S("");
    }
    str rest = buf_str(&text);
    return arena_str(p->f->a, str_trim(str_take(&rest, '\n')));
}

/* What has no effect in malle but for some values. */
static void look_at_special_cases(struct postfix *p)
{
    struct postfix_value owner = postfix_value(p, "owner_request_special"),
                         ssl = postfix_value(p, "tls_ssl_options");
    str rest = ssl.text, word;
    if (owner.is_set && !str_ieq(owner.text, S("yes")) &&
        str_chr(postfix_value(p, "recipient_delimiter").text, '-') >= 0)
        conf_warning(p->f->b->report, owner.file, owner.line,
                     "owner_request_special: malle never parts owner-NAME and NAME-request");
    while ((word = folder_word(&rest)).n)
        if (!str_ieq(word, S("NO_COMPRESSION")) && !str_ieq(word, S("NO_RENEGOTIATION")))
            conf_warning(p->f->b->report, ssl.file, ssl.line,
                         "tls_ssl_options: malle does not do " STR_FMT
                         "; Postfix would change that in OpenSSL",
                         STR_ARG(word));
}

static void put_submitters(struct postfix *p, const struct postfix_value *v, str text, bool of_file,
                           struct buf *out)
{
    str word;
    while ((word = folder_word(&text)).n) {
        AUTO(buf_deinit) struct buf names = BUF_INIT(FILE_MAX);
        str name = str_from(word, str_starts(word, S("!")));
        const char *no = name.n < word.n ? "!" : "";
        if (str_istarts(name, S("static:")))
            buf_printf(out, "%s* ", no);
        else if (str_chr(name, ':') >= 0 || (str_starts(name, S("/")) && (of_file || *no)))
            conf_error(
                p->f->b->report, v->file, v->line,
                "authorized_submit_users: malle takes names, files of names and static: here, not " STR_FMT,
                STR_ARG(word));
        else if (!str_starts(name, S("/")))
            buf_printf(out, "%s" STR_FMT " ", no, STR_ARG(name));
        else if (file_read(arena_str(p->f->a, name).p, &names) == RC_OK)
            put_submitters(p, v, buf_str(&names), true, out);
        else
            conf_error(p->f->b->report, v->file, v->line,
                       "authorized_submit_users: " STR_FMT " cannot be read", STR_ARG(name));
    }
}

static void set_submitters(struct postfix *p)
{
    AUTO(buf_deinit) struct buf list = BUF_INIT(LIST_MAX);
    struct postfix_value v = postfix_value(p, "authorized_submit_users");
    put_submitters(p, &v, v.text, false, &list);
    set(p, "authorized_submit_users", &v, list.n > 0 ? buf_str(&list) : S("!*"));
}

void postfix_set_names(struct postfix *p)
{
    struct postfix_value hostname = postfix_value(p, "myhostname"), origin = postfix_value(p, "myorigin"),
                         banner = postfix_value(p, "smtpd_banner");
    if (banner.is_set)
        set(p, "smtpd_banner", &banner, banner.text);
    if (hostname.is_set)
        set(p, "hostname", &hostname, hostname.text);
    set(p, "myorigin", &origin, of_file(p, &origin));
    set(p, "sender_must_be_own", &(struct postfix_value){.file = p->main_file}, S("no"));
    set_submitters(p);
    look_at_special_cases(p);
}

/* --- networks --- */

/* inet_interfaces and inet_protocols as `listen` has them. */
static void set_listen(struct postfix *p)
{
    struct postfix_value names = postfix_value(p, "inet_interfaces"),
                         families = postfix_value(p, "inet_protocols");
    AUTO(buf_deinit) struct buf list = BUF_INIT(64 << 10);
    bool all = str_find(families.text, S("all")) >= 0, v4 = all || str_find(families.text, S("ipv4")) >= 0,
         v6 = all || str_find(families.text, S("ipv6")) >= 0;
    str rest = names.text, word;
    while ((word = folder_word(&rest)).n) {
        str bare = str_starts(word, S("[")) && str_ends(word, S("]")) ? str_sub(word, 1, word.n - 2) : word;
        struct ip_net address;
        bool is_all = str_ieq(word, S("all")), is_loop = str_ieq(word, S("loopback-only"));
        if (is_all || is_loop || str_ieq(word, S("localhost"))) {
            buf_puts(&list, !v4 ? S("") : is_all ? S("* ") : S("127.0.0.1 "));
            buf_puts(&list, !v6 ? S("") : is_all ? S(":: ") : S("::1 "));
        } else if (ip_parse(bare, &address) == RC_OK) {
            if (ip_is_v6(bare) ? v6 : v4)
                buf_printf(&list, STR_FMT " ", STR_ARG(bare));
        } else {
            conf_error(p->f->b->report, names.file, names.line,
                       "inet_interfaces: malle needs the address of " STR_FMT ", not its name",
                       STR_ARG(word));
        }
    }
    const struct postfix_value *by = families.is_set && !names.is_set ? &families : &names;
    set(p, "listen", by, buf_str(&list));
    if (v4 != v6)
        set(p, "smtp_address_preference", &families, v4 ? S("ipv4") : S("ipv6"));
}

struct networks {
    const char *name;
    const struct postfix_value *v;
    struct buf *list, *tables;
    bool warns; /* what is not taken keeps nobody from starting */
};

static void add_networks(struct postfix *p, const struct networks *n, str text, unsigned depth);

/* A file of them: words, behind a # a comment. */
static void add_network_file(struct postfix *p, const struct networks *n, str path, unsigned depth)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(FILE_MAX);
    if (depth > NESTED_MAX || file_read(arena_str(p->f->a, path).p, &text) != RC_OK) {
        conf_report_add(p->f->b->report, n->warns, n->v->file, n->v->line, "%s: " STR_FMT " cannot be read",
                        n->name, STR_ARG(path));
        return;
    }
    for (str rest = buf_str(&text); rest.n > 0;) {
        str line = str_take(&rest, '\n');
        add_networks(p, n, str_take(&line, '#'), depth + 1);
    }
}

static void add_networks(struct postfix *p, const struct networks *n, str text, unsigned depth)
{
    str word;
    while ((word = folder_word(&text)).n) {
        struct ip_net net;
        if (ip_net_parse(word, &net) == RC_OK) {
            for (size_t i = 0; i < word.n; i++)
                if (word.p[i] != '[' && word.p[i] != ']')
                    buf_putc(n->list, word.p[i]);
            buf_putc(n->list, ' ');
        } else if (str_starts(word, S("/"))) {
            add_network_file(p, n, word, depth);
        } else if (str_chr(word, ':') > 0 && ascii_alpha(word.p[0])) {
            buf_printf(n->tables, STR_FMT " ", STR_ARG(word));
        } else {
            conf_report_add(p->f->b->report, n->warns, n->v->file, n->v->line,
                            "%s: malle takes addresses, networks and tables here, not " STR_FMT, n->name,
                            STR_ARG(word));
        }
    }
}

void postfix_set_mynetworks(struct postfix *p, struct conf_section s)
{
    AUTO(buf_deinit) struct buf list = BUF_INIT(LIST_MAX), tables = BUF_INIT(LIST_MAX);
    struct postfix_value v = postfix_value(p, "mynetworks"), style = postfix_value(p, "mynetworks_style"),
                         maps = v;
    const struct networks n = {"mynetworks", &v, &list, &tables, false};
    if (style.is_set && !v.is_set && !str_ieq(style.text, S("host")))
        conf_warning(p->f->b->report, style.file, style.line,
                     "mynetworks_style: malle trusts this machine alone; name other networks in mynetworks");
    add_networks(p, &n, v.text, 0);
    folder_set_in(p->f, s, v.file, v.line, "mynetworks", buf_str(&list));
    maps.text = buf_str(&tables);
    folder_set_in(p->f, s, v.file, v.line, "mynetworks_maps", postfix_tables(p, &maps, "texthash:"));
}

/* Clients for whom something does not hold: networks alone. */
void postfix_set_exceptions(struct postfix *p, struct conf_section s, const char *name)
{
    AUTO(buf_deinit) struct buf list = BUF_INIT(LIST_MAX), tables = BUF_INIT(LIST_MAX);
    struct postfix_value v = postfix_value(p, name);
    add_networks(p, &(struct networks){name, &v, &list, &tables, true}, v.text, 0);
    folder_set_in(p->f, s, v.file, v.line, name, buf_str(&list));
    if (tables.n > 0)
        conf_warning(p->f->b->report, v.file, v.line, "%s: clients that tables name are not excepted", name);
}

void postfix_set_networks(struct postfix *p)
{
    const struct conf_section all = {CONF_SECTION_MAIN, 0};
    set_listen(p);
    postfix_set_exceptions(p, all, "smtpd_client_event_limit_exceptions");
    postfix_set_exceptions(p, all, "smtpd_sasl_exceptions_networks");
    postfix_set_mynetworks(p, all);
}

/* --- mailboxes --- */

/* The parameters that may send mail for mailboxes here elsewhere. */
static const char *const transports[] = {"mailbox_transport", "mailbox_transport_maps", "local_transport",
                                         "virtual_transport", "transport_maps",         "fallback_transport"};

/* A socket below Postfix's folder is there for Postfix alone. */
static void look_at_sockets(struct postfix *p)
{
    str queue = postfix_value(p, "queue_directory").text;
    for (size_t i = 0; i < p->f->n_lmtp_sockets; i++) {
        str path = p->f->lmtp_sockets[i].path;
        bool used = !queue.n || !str_starts(path, queue);
        str below = used ? path : str_from(path, queue.n + 1);
        for (size_t j = 0; j < sizeof transports / sizeof *transports; j++)
            used = used || str_find(postfix_value(p, transports[j]).text, below) >= 0;
        if (!used)
            conf_warning(p->f->b->report, p->f->lmtp_sockets[i].file, p->f->lmtp_sockets[i].line,
                         "nothing sends mail to this socket; remove it, or write mailbox_transport = "
                         "lmtp:unix:" STR_FMT " in main.cf",
                         STR_ARG(below));
    }
}

/* Whether both name the same folder for a user of the system. */
static bool is_same_place(const char *a, const char *b)
{
    AUTO(buf_deinit) struct buf left = BUF_INIT(4096), right = BUF_INIT(4096);
    return conf_expand_location(str_c(a), S("user@example.com"), S("/home/user"), &left) == RC_OK &&
           conf_expand_location(str_c(b), S("user@example.com"), S("/home/user"), &right) == RC_OK &&
           str_eq(buf_str(&left), buf_str(&right));
}

/* The transport of mailboxes here that is none of Postfix's own; line 0 and an empty text: none. */
static struct postfix_value find_transport(struct postfix *p)
{
    static const char *const names[] = {"mailbox_transport", "virtual_transport", "local_transport"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct postfix_value v = postfix_value(p, names[i]);
        if (v.text.n && !str_eq(v.text, S("virtual")) && !str_starts(v.text, S("local")) &&
            !str_starts(v.text, S("error")))
            return v;
    }
    return (struct postfix_value){.text = S(""), .file = p->main_file};
}

/* Whether malle itself serves the LMTP socket: then it is no detour, and the mail goes where Dovecot has it.
 */
static bool goes_to_dovecot(struct postfix *p, str path)
{
    for (size_t i = 0; i < p->f->n_lmtp_sockets; i++)
        if (str_eq(p->f->lmtp_sockets[i].path, path))
            return true;
    return false;
}

str postfix_whole_transport(struct postfix *p, str value)
{
    str path = value, transport = str_take(&path, ':'), unix_socket = S("unix:");
    if (!str_starts(path, unix_socket) || str_starts(path, S("unix:/")))
        return value;
    return arena_printf(p->f->a, STR_FMT ":unix:" STR_FMT "/" STR_FMT, STR_ARG(transport),
                        STR_ARG(postfix_value(p, "queue_directory").text),
                        STR_ARG(str_from(path, unix_socket.n)));
}

/* true: mail goes through the transport, or is read where it lies. */
static bool set_transport(struct postfix *p)
{
    struct postfix_value v = find_transport(p);
    str whole = postfix_whole_transport(p, v.text), path = whole;
    (void)str_take(&path, ':');
    bool is_socket = str_starts(path, S("unix:"));
    path = str_from(path, is_socket ? 5 : 0);
    if (v.text.n == 0 || (is_socket && goes_to_dovecot(p, path)))
        return v.text.n > 0;
    set(p, "mailbox_transport", &v, whole);
    if (is_socket)
        set(p, "lmtp_sockets", &v, path);
    return true;
}

void postfix_set_mailboxes(struct postfix *p)
{
    const char *dovecot = p->f->has_dovecot ? p->f->b->conf->system_mail_location : NULL;
    struct postfix_value home = postfix_value(p, "home_mailbox");
    str location =
        arena_printf(p->f->a, "maildir:~/" STR_FMT, STR_ARG(str_sub(home.text, 0, home.text.n - 1)));
    look_at_sockets(p);
    if (set_transport(p))
        return;
    if (str_ends(home.text, S("/")) && dovecot && is_same_place(dovecot, location.p))
        return;
    if (str_ends(home.text, S("/")) && dovecot)
        conf_error(p->f->b->report, home.file, home.line,
                   "home_mailbox: mail would be delivered to %s, and read from %s (mail_location of Dovecot)",
                   location.p, dovecot);
    else if (str_ends(home.text, S("/")))
        set(p, "system_mail_location", &home, location);
    else
        conf_error(p->f->b->report, home.file, home.line,
                   "home_mailbox: malle keeps mail in Maildirs; write home_mailbox = Maildir/");
}

/* --- TLS --- */

/* The oldest version that "!SSLv2, !TLSv1" or ">=TLSv1.2" leaves. */
static str oldest(str protocols)
{
    str rest = protocols, word;
    bool off = str_ifind(protocols, S("!TLSv1.2")) >= 0;
    while ((word = folder_word(&rest)).n)
        off = off || str_ieq(word, S(">=TLSv1.3"));
    return off ? S("TLSv1.3") : S("TLSv1.2");
}

typedef void take_pair_fn(void *ctx, const struct postfix_value *where, str chain, str key);

/* The certificates of "smtpd", "smtp" or "lmtp". Files with a key and its chain come before the others. */
static void each_pair(struct postfix *p, const char *whose, take_pair_fn *take, void *ctx)
{
    static const char *const kinds[] = {"", "ec"};
    struct postfix_value files = postfix_value(p, arena_printf(p->f->a, "%s_tls_chain_files", whose).p);
    str rest = files.text, word;
    while ((word = folder_word(&rest)).n)
        take(ctx, &files, word, word);
    for (size_t i = 0; i < 2; i++) {
        struct postfix_value chain = postfix_value(
                                 p, arena_printf(p->f->a, "%s_tls_%scert_file", whose, kinds[i]).p),
                             key = postfix_value(
                                 p, arena_printf(p->f->a, "%s_tls_%skey_file", whose, kinds[i]).p);
        if (!files.text.n && chain.text.n && !str_ieq(chain.text, S("none")))
            take(ctx, &chain, chain.text, key.text);
    }
}

static void add_pair(void *ctx, const struct postfix_value *where, str chain, str key)
{
    folder_certificate(ctx, where->file, where->line, chain, key);
}

/* Clients that ask for a name in such a certificate get it, wherever they ask. */
static void add_pairs_of_services(struct postfix *p)
{
    for (size_t i = 0; i < p->master.n; i++) {
        p->service = &p->master.services[i];
        if (!p->service->overridden_by && postfix_runs(p->service, "smtpd") &&
            postfix_overrides(p->service, "smtpd_", "tls_certificates"))
            each_pair(p, "smtpd", add_pair, p->f);
    }
    p->service = NULL;
}

struct client_pairs {
    struct buf list;
    struct postfix_value where; /* of the last one */
};

static void put_pair(void *ctx, const struct postfix_value *where, str chain, str key)
{
    struct client_pairs *c = ctx;
    buf_printf(&c->list, STR_FMT ":" STR_FMT " ", STR_ARG(chain), STR_ARG(key));
    c->where = *where;
}

void postfix_set_client_certificates(struct postfix *p, struct conf_section s, const char *client)
{
    struct client_pairs c = {.list = BUF_INIT(16 << 10), .where = {.file = p->main_file}};
    each_pair(p, client, put_pair, &c);
    if (c.list.n > 0 || s.kind != CONF_SECTION_MAIN)
        folder_set_in(p->f, s, c.where.file, c.where.line, "smtp_tls_certificates", buf_str(&c.list));
    buf_deinit(&c.list);
}

/* Where malle has one answer for all, and another is asked for. */
static void look_at_versions(struct postfix *p, str ours)
{
    static const char *const names[] = {"smtpd_tls_mandatory_protocols", "smtp_tls_protocols",
                                        "smtp_tls_mandatory_protocols"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct postfix_value v = postfix_value(p, names[i]);
        str versions = i == 0 ? ours : S("TLSv1.2");
        if (v.is_set && !str_eq(oldest(v.text), versions))
            conf_warning(p->f->b->report, v.file, v.line, "%s: malle speaks " STR_FMT " and newer here",
                         names[i], STR_ARG(versions));
    }
}

static bool is_cipher_name(str word)
{
    for (size_t i = 0; i < word.n; i++)
        if (!ascii_alpha(word.p[i]) && !ascii_digit(word.p[i]) &&
            (word.p[i] == '\0' || !strchr("-+_", word.p[i])))
            return false;
    return true;
}

/* Out of those that are set already, by Dovecot perhaps. */
static void exclude_ciphers(struct postfix *p, const char *name, const char *option, const char *now)
{
    struct postfix_value v = postfix_value(p, name);
    str rest = v.text, word;
    AUTO(buf_deinit) struct buf list = BUF_INIT(1000);
    buf_puts(&list, now[0] ? str_c(now) : S("DEFAULT"));
    while ((word = folder_word(&rest)).n) {
        if (!is_cipher_name(word))
            conf_error(p->f->b->report, v.file, v.line, "%s: \"" STR_FMT "\" is no name of ciphers", name,
                       STR_ARG(str_sub(word, 0, 60)));
        else
            buf_printf(&list, ":!" STR_FMT, STR_ARG(word));
    }
    if (list.overflow)
        conf_error(p->f->b->report, v.file, v.line, "%s: too many ciphers", name);
    else if (v.text.n)
        set(p, option, &v, buf_str(&list));
}

static bool client_is(struct postfix *p, const char *client, const char *what)
{
    return postfix_is_on(p, arena_printf(p->f->a, "%s_%s", client, what).p);
}

void postfix_set_client_tls(struct postfix *p, struct conf_section s, const char *client)
{
    const char *option = arena_printf(p->f->a, "%s_tls_security_level", client).p;
    struct postfix_value level = postfix_value(p, option);
    bool verifies = client_is(p, client, "tls_enforce_peername"),
         always = client_is(p, client, "enforce_tls"), may = client_is(p, client, "use_tls");
    if (!level.text.n)
        level.text = always ? (verifies ? S("verify") : S("encrypt")) : may ? S("may") : S("none");
    folder_set_in(p->f, s, level.file, level.line, option, level.text);
}

void postfix_set_tls(struct postfix *p)
{
    const struct conf_section all = {CONF_SECTION_MAIN, 0};
    struct postfix_value versions = postfix_value(p, "smtpd_tls_protocols");
    each_pair(p, "smtpd", add_pair, p->f);
    add_pairs_of_services(p);
    postfix_set_client_certificates(p, all, "smtp");
    postfix_set_client_tls(p, all, "smtp");
    postfix_set_client_tls(p, all, "lmtp");
    if (!p->f->has_dovecot || str_eq(oldest(versions.text), S("TLSv1.3")))
        set(p, "tls_min_version", &versions, oldest(versions.text));
    look_at_versions(p, oldest(versions.text));
    const struct conf *c = p->f->b->conf;
    exclude_ciphers(p, "smtpd_tls_exclude_ciphers", "tls_ciphers", c->tls_ciphers);
    exclude_ciphers(p, "smtpd_tls_mandatory_exclude_ciphers", "tls_ciphers", c->tls_ciphers);
    exclude_ciphers(p, "smtp_tls_exclude_ciphers", "smtp_tls_ciphers", c->smtp_tls_ciphers);
    exclude_ciphers(p, "smtp_tls_mandatory_exclude_ciphers", "smtp_tls_ciphers", c->smtp_tls_ciphers);
    struct postfix_value folder = postfix_value(p, "smtp_tls_CApath");
    if (folder.text.n && !str_eq(folder.text, S("/etc/ssl/certs")))
        conf_warning(p->f->b->report, folder.file, folder.line,
                     "smtp_tls_CApath: malle looks in /etc/ssl/certs; smtp_tls_CAfile names other CAs");
}
