/* Files of Dovecot 2.4, but for databases, in the words of 2.3. */
#include "conf/dovecot_24_impl.h"

#include "conf/dovecot_files.h"
#include "conf/params.h"
#include "fmt/dovecot_var.h"

const struct dovecot_setting *dovecot_24_find(struct dovecot_24 *x, const struct dovecot_block *b, str name)
{
    for (size_t i = 0; i < x->conf->count; i++) {
        const struct dovecot_setting *s = &x->conf->settings[i];
        if (s->block == b && str_eq(s->name, name)) {
            if (x->asked)
                x->asked(x->ctx, s);
            x->last = s;
            return s;
        }
    }
    return NULL;
}

static bool is_in_database(const struct dovecot_block *b)
{
    for (; b; b = b->parent)
        if (!b->parent && (str_eq(b->kind, S("passdb")) || str_eq(b->kind, S("userdb"))))
            return true;
    return false;
}

/* --- names --- */

/* "ssl_server { cert_file = x }" is "ssl_server_cert_file = x". */
static void take_out(struct dovecot_24 *x, struct dovecot_setting *s)
{
    const struct dovecot_block *b = s->block;
    if (!b || b->parent || !str_eq(b->kind, S("ssl_server")))
        return;
    s->block = NULL;
    if (!str_starts(s->name, S("ssl_server_")))
        s->name = arena_printf(x->a, "ssl_server_" STR_FMT, STR_ARG(s->name));
}

static void rename_one(struct dovecot_setting *s)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(4096);
    dovecot_param_name(s, &path);
    str name = buf_str(&path);
    for (str rest = name; dovecot_block_is_filter(str_take(&rest, '/')) && rest.p;)
        name = rest;
    for (size_t i = 0; i < conf_dovecot_renames.n; i++) {
        str current = str_c(conf_dovecot_renames.v[i].current);
        if (str_eq(str_c(conf_dovecot_renames.v[i].name), name))
            s->name = str_from(current, (size_t)(str_rchr(current, '/') + 1));
    }
}

/* "%{message}: %{elements}" is "%$: %s". */
static str older_line(struct dovecot_24 *x, str line)
{
    static const struct {
        str now, then;
    } names[] = {{S("%{message}"), S("%$")}, {S("%{elements}"), S("%s")}};
    AUTO(buf_deinit) struct buf out = BUF_INIT(DOVECOT_24_VALUE_MAX);
    while (line.n > 0) {
        str then = str_sub(line, 0, 1);
        size_t n = 1;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            if (str_starts(line, names[i].now)) {
                then = names[i].then;
                n = names[i].now.n;
            }
        }
        buf_puts(&out, then);
        line = str_from(line, n);
    }
    return arena_str(x->a, buf_str(&out));
}

/* Those that become others, with the same values but for what is said here. */
static void rewrite_one(struct dovecot_24 *x, struct dovecot_setting *s)
{
    static const struct {
        str now, then;
    } files[] = {{S("ssl_server_ca_file"), S("ssl_ca")},
                 {S("ssl_server_cert_file"), S("ssl_cert")},
                 {S("ssl_server_key_file"), S("ssl_key")}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (str_eq(s->name, files[i].now)) {
            s->name = files[i].then;
            s->kind = DOVECOT_FILE;
        }
    }
    if (str_eq(s->name, S("auth_allow_cleartext"))) {
        s->name = S("disable_plaintext_auth");
        s->value = str_eq(s->value, S("yes")) ? S("no") : S("yes");
    }
    if (str_eq(s->name, S("login_log_format")))
        s->value = older_line(x, s->value);
}

/* --- variables --- */

static enum rc rewrite_variables(struct dovecot_24 *x, struct dovecot_setting *s, struct err *e)
{
    static const char *const names[] = {
        "auth_username_format", "login_log_format_elements", "mail_control_path", "mail_home",
        "mail_inbox_path",      "mail_index_path",           "mail_path"};
    AUTO(buf_deinit) struct buf older = BUF_INIT(DOVECOT_24_VALUE_MAX);
    bool has = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        has |= str_eq(s->name, str_c(names[i]));
    if (!has || is_in_database(s->block))
        return RC_OK;
    enum rc rc = dovecot_var_older(s->value, &older, e);
    x->last = s;
    if (rc == RC_OK)
        s->value = arena_str(x->a, buf_str(&older));
    return rc;
}

/* --- what is added --- */

void dovecot_24_add(struct dovecot_24_adding *to, const struct dovecot_block *block,
                    const struct dovecot_setting *from, str name, str value)
{
    struct dovecot_setting s = *from;
    s.block = block;
    s.name = name;
    s.value = value;
    s.kind = DOVECOT_PLAIN;
    if (to->n == DOVECOT_24_ADDED_MAX)
        to->full = true;
    else
        to->list[to->n++] = s;
}

/* "protocols { imap = yes }" is "protocols = imap", here and in protocol, local and their like. */
static void add_list(struct dovecot_24 *x, const struct dovecot_block *list, struct dovecot_24_adding *to)
{
    AUTO(buf_deinit) struct buf words = BUF_INIT(DOVECOT_24_VALUE_MAX);
    const struct dovecot_setting *first = NULL;
    for (size_t i = 0; i < x->conf->count; i++) {
        const struct dovecot_setting *s = &x->conf->settings[i];
        if (s->block != list || !dovecot_24_find(x, list, s->name))
            continue;
        first = first ? first : s;
        if (str_eq(s->value, S("yes")))
            buf_printf(&words, "%s" STR_FMT, words.n ? " " : "", STR_ARG(s->name));
    }
    if (first && !dovecot_24_find(x, list->parent, list->kind))
        dovecot_24_add(to, list->parent, first, list->kind, arena_str(x->a, buf_str(&words)));
}

static void add_lists(struct dovecot_24 *x, struct dovecot_24_adding *to)
{
    static const str names[] = {
        S("auth_mechanisms"), S("haproxy_trusted_networks"), S("listen"),       S("login_trusted_networks"),
        S("mail_log_events"), S("mail_log_fields"),          S("mail_plugins"), S("protocols")};
    for (size_t i = 0; i < x->conf->block_count; i++) {
        const struct dovecot_block *b = x->conf->blocks[i];
        bool outside = !b->parent || dovecot_block_is_filter(b->parent->kind);
        for (size_t k = 0; outside && k < sizeof names / sizeof *names; k++)
            if (str_eq(b->kind, names[k]))
                add_list(x, b, to);
    }
}

/* mail_driver, mail_path and its like are mail_location. */
static void add_location(struct dovecot_24 *x, struct dovecot_24_adding *to)
{
    static const struct {
        str name;
        const char *word;
    } parts[] = {{S("mail_inbox_path"), "INBOX"},
                 {S("mail_index_path"), "INDEX"},
                 {S("mail_control_path"), "CONTROL"}};
    AUTO(buf_deinit) struct buf location = BUF_INIT(DOVECOT_24_VALUE_MAX);
    const struct dovecot_setting *path = dovecot_24_find(x, NULL, S("mail_path")),
                                 *driver = dovecot_24_find(x, NULL, S("mail_driver"));
    if (!path || path->value.n == 0)
        return;
    buf_printf(&location, STR_FMT ":" STR_FMT, STR_ARG(driver ? driver->value : S("maildir")),
               STR_ARG(path->value));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const struct dovecot_setting *s = dovecot_24_find(x, NULL, parts[i].name);
        if (s && s->value.n)
            buf_printf(&location, ":%s=" STR_FMT, parts[i].word, STR_ARG(s->value));
    }
    dovecot_24_add(to, NULL, path, S("mail_location"), arena_str(x->a, buf_str(&location)));
}

enum rc dovecot_24_to_23(struct dovecot_24 *x, struct dovecot_conf *conf, struct err *e)
{
    struct dovecot_setting *all = arena_array(x->a, conf->count + DOVECOT_24_ADDED_MAX, sizeof *all);
    if (!all)
        return RC_LIMIT;
    for (size_t i = 0; i < conf->count; i++) {
        all[i] = conf->settings[i];
        if (!is_in_database(all[i].block)) {
            take_out(x, &all[i]);
            rename_one(&all[i]);
            rewrite_one(x, &all[i]);
        }
        enum rc rc = rewrite_variables(x, &all[i], e);
        if (rc != RC_OK)
            return rc;
    }
    conf->settings = all;
    struct dovecot_24_adding to = {.list = all + conf->count};
    add_lists(x, &to);
    add_location(x, &to);
    enum rc rc = dovecot_24_quota(x, conf, &to, e);
    if (rc == RC_OK && to.full)
        rc = err_set(e, RC_LIMIT, 0, "", "too many mailboxes, warnings and lists");
    if (rc != RC_OK)
        return rc;
    conf->count += to.n;
    return arena_exhausted(x->a) ? RC_LIMIT : RC_OK;
}
