/* Files of Dovecot 2.4, but for databases, in the words of 2.3. */
#include "conf/dovecot_24_impl.h"

#include "conf/dovecot_files.h"
#include "conf/params.h"
#include "fmt/dovecot_var.h"

enum { ADDED_MAX = 32 };

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

/* Those that become others, with the same values but for what is said here. */
static void rewrite_one(struct dovecot_setting *s)
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

struct adding {
    struct dovecot_setting *list;
    size_t n;
};

static void add(struct adding *to, const struct dovecot_setting *from, str name, str value)
{
    struct dovecot_setting s = *from;
    s.block = NULL;
    s.name = name;
    s.value = value;
    s.kind = DOVECOT_PLAIN;
    if (to->n < ADDED_MAX)
        to->list[to->n++] = s;
}

/* "protocols { imap = yes }" is "protocols = imap". */
static void add_list(struct dovecot_24 *x, str name, struct adding *to)
{
    AUTO(buf_deinit) struct buf words = BUF_INIT(DOVECOT_24_VALUE_MAX);
    const struct dovecot_setting *first = NULL;
    for (size_t i = 0; i < x->conf->count; i++) {
        const struct dovecot_setting *s = &x->conf->settings[i];
        if (!s->block || s->block->parent || !str_eq(s->block->kind, name))
            continue;
        first = first ? first : s;
        if (str_eq(s->value, S("yes")))
            buf_printf(&words, "%s" STR_FMT, words.n ? " " : "", STR_ARG(s->name));
    }
    if (first && !dovecot_24_find(x, NULL, name))
        add(to, first, name, arena_str(x->a, buf_str(&words)));
}

/* mail_driver, mail_path and its like are mail_location. */
static void add_location(struct dovecot_24 *x, struct adding *to)
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
    add(to, path, S("mail_location"), arena_str(x->a, buf_str(&location)));
}

enum rc dovecot_24_to_23(struct dovecot_24 *x, struct dovecot_conf *conf, struct err *e)
{
    static const char *const lists[] = {
        "auth_mechanisms", "haproxy_trusted_networks", "listen",       "login_trusted_networks",
        "mail_log_events", "mail_log_fields",          "mail_plugins", "protocols"};
    struct dovecot_setting *all = arena_array(x->a, conf->count + ADDED_MAX, sizeof *all);
    if (!all)
        return RC_LIMIT;
    for (size_t i = 0; i < conf->count; i++) {
        all[i] = conf->settings[i];
        if (!is_in_database(all[i].block)) {
            take_out(x, &all[i]);
            rename_one(&all[i]);
            rewrite_one(&all[i]);
        }
        enum rc rc = rewrite_variables(x, &all[i], e);
        if (rc != RC_OK)
            return rc;
    }
    conf->settings = all;
    struct adding to = {all + conf->count, 0};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        add_list(x, str_c(lists[i]), &to);
    add_location(x, &to);
    conf->count += to.n;
    return arena_exhausted(x->a) ? RC_LIMIT : RC_OK;
}
