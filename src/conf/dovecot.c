/* dovecot.conf and what it includes as assignments: who logs in how, where the mail lies, TLS.
 * dovecot_services.c has the listeners. */
#include "conf/dovecot.h"

#include "base/map.h"
#include "base/num.h"
#include "conf/dovecot_24.h"
#include "conf/dovecot_files.h"
#include "conf/params.h"
#include "conf/postfix_names.h"
#include "conf/report.h"
#include "fmt/sasl.h"

#include <unistd.h>

/* --- the files --- */

static void report_problems(const struct dovecot *d)
{
    for (size_t i = 0; i < d->conf.problem_count; i++) {
        const struct dovecot_problem *p = &d->conf.problems[i];
        str file = arena_str(d->f->b->conf->arena, p->file);
        must(file.p);
        conf_report_add(d->f->b->report, p->warning, file.p, p->line, STR_FMT, STR_ARG(p->text));
    }
}

static void say_shipped(void *ctx, str from, str pattern)
{
    struct dovecot *d = ctx;
    conf_warning(d->f->b->report, arena_str(d->f->b->conf->arena, from).p, 0,
                 STR_FMT " is not there; malle reads it as Debian has it: passdb pam, userdb passwd",
                 STR_ARG(pattern));
}

static void mark(void *ctx, const struct dovecot_setting *s)
{
    dovecot_mark(ctx, s);
}

/* What 2.4 says, in the words of 2.3. */
static bool rename_all(struct dovecot *d)
{
    struct dovecot_24 x = {.conf = &d->conf, .a = d->f->a, .asked = mark, .ctx = d};
    struct err e = {0};
    if (dovecot_24_to_23(&x, &d->conf, &e) == RC_OK)
        return true;
    conf_error(d->f->b->report, d->file, x.last ? x.last->line : 0, "%s", err_text(&e));
    return false;
}

static bool read_files(struct dovecot *d)
{
    str text;
    if (folder_text(d->f, "dovecot/dovecot.conf", &text, &d->file) != RC_OK)
        return false;
    if (dovecot_files_read(d->file, text, say_shipped, d, d->f->a, &d->conf) != RC_OK) {
        conf_error(d->f->b->report, d->file, 0, "has too many settings");
        return false;
    }
    report_problems(d);
    return d->conf.version.n == 0 || rename_all(d);
}

/* --- settings --- */

void dovecot_mark(const struct dovecot *d, const struct dovecot_setting *s)
{
    map_put(d->asked, str_mem(&s, sizeof s), (void *)(uintptr_t)d);
}

const struct dovecot_setting *dovecot_find(const struct dovecot *d, const struct dovecot_block *block,
                                           const char *name)
{
    for (size_t i = 0; i < d->conf.count; i++)
        if (d->conf.settings[i].block == block && str_eq(d->conf.settings[i].name, str_c(name))) {
            dovecot_mark(d, &d->conf.settings[i]);
            return &d->conf.settings[i];
        }
    return NULL;
}

str dovecot_value(const struct dovecot *d, const struct dovecot_block *block, const char *name,
                  const char *otherwise)
{
    const struct dovecot_setting *s = dovecot_find(d, block, name);
    return s ? s->value : str_c(otherwise);
}

struct conf_origin dovecot_origin(const struct dovecot *d, const struct dovecot_setting *s)
{
    str file = s ? arena_str(d->f->b->conf->arena, s->file) : str_c(d->file);
    must(file.p);
    return (struct conf_origin){file.p, s ? s->line : 0};
}

void dovecot_set(struct dovecot *d, const struct dovecot_setting *s, const char *option, str value)
{
    struct conf_origin o = dovecot_origin(d, s);
    folder_set(d->f, o.file, o.line, option, value);
}

/* Where main.cf is, malle is Postfix, too. */
static bool is_postfix_too(const struct dovecot *d)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(4096);
    buf_printf(&path, "%s/postfix/main.cf", d->f->path);
    return access(buf_cstr(&path), F_OK) == 0;
}

/* main.cf has the name that counts, otherwise this, or the machine's own. */
static void set_name(struct dovecot *d)
{
    const struct dovecot_setting *name = dovecot_find(d, NULL, "hostname");
    char machine[POSTFIX_NAME_SIZE];
    postfix_machine_name(machine);
    dovecot_set(d, name, "hostname", name && name->value.n ? name->value : str_c(machine));
}

/* Another server takes the mail: it has looked at the domain, at aliases and at .forward files before it
 * hands a message over, and what programs of this machine send is its own, too. */
static void set_place(struct dovecot *d)
{
    if (is_postfix_too(d))
        return;
    set_name(d);
    dovecot_set(d, NULL, "every_domain", S("yes"));
    dovecot_set(d, NULL, "forward_path", S(""));
    dovecot_set(d, NULL, "sendmail_socket", S(""));
}

/* --- who logs in, and how --- */

static void set_mechanisms(struct dovecot *d)
{
    const struct dovecot_setting *s = dovecot_find(d, NULL, "auth_mechanisms");
    AUTO(buf_deinit) struct buf list = BUF_INIT(4096);
    struct conf_origin o = dovecot_origin(d, s);
    str rest = s ? s->value : S("plain"), word;
    while ((word = folder_word(&rest)).n) {
        enum sasl_mech mech;
        if (sasl_mech_parse(word, &mech) == RC_OK)
            buf_printf(&list, STR_FMT " ", STR_ARG(word));
        else
            conf_warning(d->f->b->report, o.file, o.line, "auth_mechanisms: malle does not offer " STR_FMT,
                         STR_ARG(word));
    }
    if (list.n)
        dovecot_set(d, s, "auth_mechanisms", buf_str(&list));
    else
        conf_error(d->f->b->report, o.file, o.line,
                   "auth_mechanisms: nobody could log in: plain and login are usual");
}

/* --- mail --- */

static void set_mail(struct dovecot *d)
{
    const struct dovecot_setting *location = dovecot_find(d, NULL, "mail_location"),
                                 *uid = dovecot_find(d, NULL, "mail_uid");
    struct conf_origin o = dovecot_origin(d, location);
    if (location && location->value.n)
        dovecot_set(d, location, "system_mail_location", location->value);
    else
        conf_error(d->f->b->report, o.file, o.line,
                   "mail_location: malle keeps mail in Maildirs; write mail_location = maildir:~/Maildir");
    bool number =
        uid && uid->value.n && ascii_digit(uid->value.p[0]); /* dovecot_databases.c has use for it */
    if (uid && uid->value.n && !number)
        dovecot_set(d, uid, "mail_user", uid->value);
}

/* "shared/%%u/" (2.4: "shared/$user/"), after which malle looks for the user, without that; STR_NONE:
 * another. */
static str shared_prefix(str prefix)
{
    str user = str_ends(prefix, S("/%%u/")) ? S("%%u/") : S("$user/");
    return str_ends(prefix, user) ? str_sub(prefix, 0, prefix.n - user.n) : STR_NONE;
}

/* namespace { type = shared }: mailboxes of others, whose location malle knows by itself. */
static bool take_shared(struct dovecot *d, const struct dovecot_block *b)
{
    const struct dovecot_setting *type = dovecot_find(d, b, "type"), *prefix = dovecot_find(d, b, "prefix"),
                                 *disabled = dovecot_find(d, b, "disabled");
    str value = prefix ? shared_prefix(prefix->value) : STR_NONE;
    if (!type || !str_eq(type->value, S("shared")) || value.n == 0)
        return false;
    if (!disabled || !str_eq(disabled->value, S("yes")))
        dovecot_set(d, prefix, "shared_prefix", arena_str(d->f->a, value));
    return true;
}

static void set_namespaces(struct dovecot *d)
{
    for (size_t i = 0; i < d->conf.block_count; i++) {
        const struct dovecot_block *b = d->conf.blocks[i];
        if (!str_eq(b->kind, S("namespace")) || b->parent)
            continue;
        const struct dovecot_setting *separator = dovecot_find(d, b, "separator"),
                                     *prefix = dovecot_find(d, b, "prefix"),
                                     *type = dovecot_find(d, b, "type");
        if (separator && separator->value.n)
            dovecot_set(d, separator, "hierarchy_separator", separator->value);
        if (!take_shared(d, b) &&
            ((prefix && prefix->value.n) || (type && !str_eq(type->value, S("private"))))) {
            struct conf_origin o = dovecot_origin(d, prefix && prefix->value.n ? prefix : type);
            conf_error(d->f->b->report, o.file, o.line,
                       "malle has one namespace, the user's own, without a prefix, and that of mailboxes "
                       "that others "
                       "share: type = shared, prefix = shared/%%%%u/");
        }
    }
}

/* --- TLS --- */

static str file_of(struct dovecot *d, const struct dovecot_setting *s)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(4096);
    struct conf_origin o = dovecot_origin(d, s);
    if (s->kind != DOVECOT_FILE) {
        conf_error(d->f->b->report, o.file, o.line, STR_FMT ": malle reads it from a file; write <PATH",
                   STR_ARG(s->name));
        return S("");
    }
    dovecot_conf_path(&path, s->value, s->file);
    return arena_str(d->f->a, buf_str(&path));
}

static void add_certificate(struct dovecot *d, const struct dovecot_block *block)
{
    const struct dovecot_setting *chain = dovecot_find(d, block, "ssl_cert"),
                                 *key = dovecot_find(d, block, "ssl_key");
    struct conf_origin o = dovecot_origin(d, chain);
    if (!chain || !chain->value.n)
        return;
    if (!key || !key->value.n)
        conf_error(d->f->b->report, o.file, o.line, "ssl_cert needs ssl_key");
    else
        folder_certificate(d->f, o.file, o.line, file_of(d, chain), file_of(d, key));
}

static void set_tls(struct dovecot *d)
{
    const struct dovecot_setting *oldest = dovecot_find(d, NULL, "ssl_min_protocol"),
                                 *ciphers = dovecot_find(d, NULL, "ssl_cipher_list"),
                                 *ca = dovecot_find(d, NULL, "ssl_ca");
    if (oldest) {
        bool newest = str_eq(oldest->value, S("TLSv1.3"));
        struct conf_origin o = dovecot_origin(d, oldest);
        if (!newest && !str_eq(oldest->value, S("TLSv1.2")))
            conf_warning(d->f->b->report, o.file, o.line, "ssl_min_protocol: malle speaks TLSv1.2 and newer");
        dovecot_set(d, oldest, "tls_min_version", newest ? S("TLSv1.3") : S("TLSv1.2"));
    }
    if (ciphers)
        dovecot_set(d, ciphers, "tls_ciphers", ciphers->value);
    if (ca && ca->value.n)
        dovecot_set(d, ca, "ssl_ca", file_of(d, ca));
    add_certificate(d, NULL);
    for (size_t i = 0; i < d->conf.block_count; i++)
        if (str_eq(d->conf.blocks[i]->kind, S("local_name")) && !d->conf.blocks[i]->parent)
            add_certificate(d, d->conf.blocks[i]);
}

/* --- the others --- */

/* Digits and a word, of which the beginning counts, in malle's notation: "2 mins", "64 k". */
static str number(struct dovecot *d, enum conf_type type, str text)
{
    size_t n = 0;
    uint64_t weeks;
    while (n < text.n && ascii_digit(text.p[n]))
        n++;
    str digits = str_sub(text, 0, n), word = str_trim(str_from(text, n));
    char letter = word.n ? ascii_lower(word.p[0]) : type == CONF_TYPE_DURATION ? 's' : '\0';
    if (type == CONF_TYPE_DURATION && letter == 'w' && num_parse_u64(digits, 10000, &weeks) == RC_OK)
        return arena_printf(d->f->a, "%llud", (unsigned long long)(7 * weeks));
    if (type == CONF_TYPE_DURATION && (str_istarts(word, S("ms")) || str_istarts(word, S("mil"))))
        return arena_printf(d->f->a, STR_FMT "ms", STR_ARG(digits));
    return arena_printf(d->f->a, STR_FMT "%.1s", STR_ARG(digits), letter ? &letter : "");
}

/* What set_mechanisms, set_tls and dovecot_services.c read, and the name, which is main.cf's. */
static bool is_read_elsewhere(const char *name)
{
    static const char *const names[] = {"auth_mechanisms",           "hostname", "lda_mailbox_autocreate",
                                        "lda_mailbox_autosubscribe", "listen",   "ssl_cipher_list",
                                        "ssl_min_protocol"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void take_same(struct dovecot *d, const struct dovecot_setting *s, const char *option)
{
    enum conf_type type = conf_key_find(conf_options, str_c(option))->type;
    bool counted = type == CONF_TYPE_DURATION || type == CONF_TYPE_SIZE;
    dovecot_set(d, s, option, counted ? number(d, type, s->value) : s->value);
}

/* There 0 means never. */
static void set_hibernation(struct dovecot *d)
{
    const struct dovecot_setting *s = dovecot_find(d, NULL, "imap_hibernate_timeout");
    int64_t ms;
    if (!s)
        return;
    str value = number(d, CONF_TYPE_DURATION, s->value);
    bool never = num_parse_duration_ms(value, &ms) == RC_OK && ms == 0;
    dovecot_set(d, s, "imap_hibernate_timeout", never ? S("never") : value);
}

/* Whatever plugins are loaded. */
static void set_acl(struct dovecot *d)
{
    const struct dovecot_block *plugin = dovecot_plugin_block(d);
    const struct dovecot_setting *acl = plugin ? dovecot_find(d, plugin, "acl") : NULL;
    if (acl && !str_eq(acl->value, S("vfile"))) {
        struct conf_origin o = dovecot_origin(d, acl);
        conf_warning(
            d->f->b->report, o.file, o.line,
            "acl: rights are in the files dovecot-acl of mailboxes alone; there are none for all of them");
    }
    const struct dovecot_setting *s = plugin ? dovecot_find(d, plugin, "acl_anyone") : NULL;
    if (s)
        dovecot_set(d, s, "acl_anyone", str_eq(s->value, S("allow")) ? S("yes") : S("no"));
}

/* Where mailboxes of others lie, and that they are subscribed among one's own, malle knows. */
static bool is_of_shared(struct dovecot *d, const struct dovecot_setting *s)
{
    static const char *const names[] = {"list", "location", "subscriptions"};
    const struct dovecot_setting *type =
        s->block && str_eq(s->block->kind, S("namespace")) ? dovecot_find(d, s->block, "type") : NULL;
    bool shared = type && str_eq(type->value, S("shared"));
    for (size_t i = 0; shared && i < sizeof names / sizeof *names; i++)
        if (str_eq(s->name, str_c(names[i])))
            return true;
    return false;
}

/* executable = quota-status -p postfix: a program that malle has, too; or a script for warnings of quotas. */
static bool is_own_program(struct dovecot *d, const struct dovecot_setting *s)
{
    if (!s->block || !str_eq(s->name, S("executable")))
        return false;
    return (str_eq(s->block->name, S("quota-status")) && str_starts(s->value, S("quota-status"))) ||
           dovecot_runs_for_warnings(d, s->block);
}

static void take(struct dovecot *d, const struct dovecot_setting *s, const char *name)
{
    enum conf_dialect dialect = d->conf.version.n ? CONF_DIALECT_DOVECOT_24 : CONF_DIALECT_DOVECOT;
    const struct conf_param *known = conf_param_find(dialect, str_c(name));
    struct conf_origin o = dovecot_origin(d, s);
    const char *nearest = known ? NULL : conf_param_nearest(dialect, str_c(name));
    if (!known)
        conf_error(d->f->b->report, o.file, o.line, "\"%s\" is no setting of Dovecot%s%s", name,
                   nearest ? "; did you mean " : "", nearest ? nearest : "");
    else if (known->status == CONF_PARAM_SAME && !s->block && !is_read_elsewhere(name))
        take_same(d, s, known->option);
    else if (!is_own_program(d, s) && !is_of_shared(d, s) &&
             (known->status == CONF_PARAM_WARN || known->status == CONF_PARAM_REFUSE) &&
             !conf_param_same(known, s->value, str_c(known->initial)))
        conf_report_add(d->f->b->report, known->status == CONF_PARAM_WARN, o.file, o.line,
                        "%s: malle does not do this%s; Dovecot %s", name,
                        known->status == CONF_PARAM_REFUSE ? ", and does not start without it" : "",
                        known->note);
}

static const struct dovecot_block *find_protocol(const struct dovecot *d, const char *name)
{
    for (size_t i = 0; i < d->conf.block_count; i++)
        if (!d->conf.blocks[i]->parent && str_eq(d->conf.blocks[i]->kind, S("protocol")) &&
            str_eq(d->conf.blocks[i]->name, str_c(name)))
            return d->conf.blocks[i];
    return NULL;
}

/* The settings that may differ between protocols. */
static void set_protocols(struct dovecot *d)
{
    static const struct {
        const char *protocol, *name, *option;
        bool top; /* what stands outside of the block counts for it alone, too */
    } own[] = {
        {"imap", "mail_max_userip_connections", "imap_max_userip_connections", false},
        {"pop3", "mail_max_userip_connections", "pop3_max_userip_connections", false},
        {"imap", "imap_logout_format", "imap_logout_format", false},
        {"pop3", "pop3_logout_format", "pop3_logout_format", false},
        {"lda", "deliver_log_format", "deliver_log_format", false},
        {"lmtp", "deliver_log_format", "deliver_log_format", false},
        {"lda", "lda_mailbox_autocreate", "lda_mailbox_autocreate", true},
        {"lda", "lda_mailbox_autosubscribe", "lda_mailbox_autosubscribe", true},
    };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        const struct dovecot_block *b = find_protocol(d, own[i].protocol);
        const struct dovecot_setting *s = b ? dovecot_find(d, b, own[i].name) : NULL;
        if (!s && own[i].top)
            s = dovecot_find(d, NULL, own[i].name);
        if (s)
            dovecot_set(d, s, own[i].option, s->value);
    }
}

/* Whether a setting stands in a block that says when it counts, and nothing has asked for it there. */
static bool is_passed_over(const struct dovecot *d, const struct dovecot_setting *s,
                           const struct conf_param *known)
{
    if (!s->block || s->block->parent || !dovecot_block_is_filter(s->block->kind) ||
        known->status != CONF_PARAM_SAME || map_find(d->asked, str_mem(&s, sizeof s)))
        return false;
    for (size_t i = 0; i < d->conf.count; i++)
        if (!d->conf.settings[i].block && str_eq(d->conf.settings[i].name, s->name))
            return !conf_param_same(known, d->conf.settings[i].value, s->value);
    return !known->initial || !conf_param_same(known, s->value, str_c(known->initial));
}

/* What nothing asked for has no effect, whatever params.h says it could become. */
static void say_unread(struct dovecot *d)
{
    enum conf_dialect dialect = d->conf.version.n ? CONF_DIALECT_DOVECOT_24 : CONF_DIALECT_DOVECOT;
    AUTO(buf_deinit) struct buf name = BUF_INIT(4096);
    for (size_t i = 0; i < d->conf.count; i++) {
        const struct dovecot_setting *s = &d->conf.settings[i];
        struct conf_origin o = dovecot_origin(d, s);
        buf_reset(&name);
        dovecot_param_name(s, &name);
        const struct conf_param *known = conf_param_find(dialect, buf_str(&name));
        if (known && is_passed_over(d, s, known))
            conf_warning(d->f->b->report, o.file, o.line,
                         "%s has no effect here: malle has it for all protocols and clients alike",
                         buf_cstr(&name));
        if (known && known->status == CONF_PARAM_MAPPED && !map_find(d->asked, str_mem(&s, sizeof s)) &&
            !(known->initial && conf_param_same(known, s->value, str_c(known->initial))))
            conf_warning(d->f->b->report, o.file, o.line, "%s has no effect in malle: %s", buf_cstr(&name),
                         known->note);
    }
}

static void take_all(struct dovecot *d)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(4096);
    for (size_t i = 0; i < d->conf.count; i++) {
        const struct dovecot_setting *s = &d->conf.settings[i];
        buf_reset(&name);
        dovecot_param_name(s, &name);
        take(d, s, buf_cstr(&name));
    }
}

/* Of the whole, else of deliveries. */
static void set_postmaster(struct dovecot *d)
{
    static const char *const protocols[] = {"lda", "lmtp"};
    const struct dovecot_setting *s = dovecot_find(d, NULL, "postmaster_address");
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        const struct dovecot_block *b = find_protocol(d, protocols[i]);
        const struct dovecot_setting *own = b ? dovecot_find(d, b, "postmaster_address") : NULL;
        s = own ? own : s;
    }
    if (s && str_chr(s->value, '%') < 0)
        dovecot_set(d, s, "postmaster_address", s->value);
}

void folder_read_dovecot(struct folder *f)
{
    struct dovecot d = {.f = f, .asked = map_new()};
    if (read_files(&d)) {
        f->has_dovecot = true;
        take_all(&d);
        set_place(&d);
        set_mechanisms(&d);
        dovecot_set_databases(&d);
        set_mail(&d);
        set_namespaces(&d);
        set_tls(&d);
        set_hibernation(&d);
        set_protocols(&d);
        set_postmaster(&d);
        dovecot_set_plugins(&d);
        dovecot_set_quota(&d);
        set_acl(&d);
        dovecot_set_services(&d);
        dovecot_advise(&d);
        say_unread(&d);
    }
    map_free(d.asked);
}
