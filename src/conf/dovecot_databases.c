/* The blocks passdb and userdb: PAM with passwd alone are malle's own users of the system; all else becomes
 * the options passdb and userdb. */
#include "conf/dovecot.h"

#include "conf/conf.h"
#include "conf/dovecot_24.h"
#include "conf/report.h"
#include "fmt/authdb.h"

#include <unistd.h>

static const char *const settings[] = {
    "args",           "default_fields", "override_fields",     "mechanisms", "username_filter", "skip",
    "result_success", "result_failure", "result_internalfail", "deny",       "master",          "pass"};
enum { SETTINGS = sizeof settings / sizeof *settings, OPTION_MAX = 10000 };

static str driver_of(const struct dovecot *d, const struct dovecot_block *b)
{
    const struct dovecot_setting *driver = dovecot_find(d, b, "driver");
    return driver ? driver->value : b->name;
}

static bool is_one(const struct dovecot_block *b, const char *kind)
{
    return !b->parent && str_eq(b->kind, str_c(kind));
}

/* The PAM service: the last argument that is no option. */
static void set_pam(struct dovecot *d, const struct dovecot_block *passdb)
{
    bool is_24 = d->conf.version.n > 0;
    const struct dovecot_setting *args = dovecot_find(d, passdb, is_24 ? "service_name" : "args");
    if (is_24 && !args)
        args = dovecot_find(d, passdb, "passdb_pam_service_name");
    str rest = args ? args->value : S(""), word, name = S("dovecot");
    while ((word = folder_word(&rest)).n)
        if (str_chr(word, '=') < 0 && !str_starts(word, S("%")) && !str_eq(word, S("*")))
            name = word;
    if (access(arena_printf(d->f->a, "/etc/pam.d/" STR_FMT, STR_ARG(name)).p, R_OK) == 0)
        dovecot_set(d, args, "pam_service", name);
}

/* --- users of the system alone --- */

static bool is_plain_block(const struct dovecot *d, const struct dovecot_block *b)
{
    str driver = driver_of(d, b);
    for (size_t i = 1; i < SETTINGS; i++)
        if (dovecot_find(d, b, settings[i]))
            return false;
    for (size_t i = 0; i < d->conf.block_count; i++)
        if (d->conf.blocks[i]->parent == b) /* fields of 2.4 */
            return false;
    return str_eq(driver, S("pam")) || str_eq(driver, S("passwd")) || str_eq(driver, S("shadow"));
}

static bool is_plain(const struct dovecot *d)
{
    size_t passdbs = 0, userdbs = 0;
    for (size_t i = 0; i < d->conf.block_count; i++) {
        const struct dovecot_block *b = d->conf.blocks[i];
        passdbs += is_one(b, "passdb");
        userdbs += is_one(b, "userdb");
        if ((is_one(b, "passdb") || is_one(b, "userdb")) && !is_plain_block(d, b))
            return false;
    }
    return passdbs <= 1 && userdbs <= 1 && dovecot_value(d, NULL, "auth_default_realm", "").n == 0 &&
           str_eq(dovecot_value(d, NULL, "auth_username_format", "%Lu"), S("%Lu"));
}

/* --- others --- */

/* mail_uid and mail_gid are those of users for whom the userdb says none. */
static str default_fields(struct dovecot *d, const struct dovecot_block *b, str own)
{
    str uid = dovecot_value(d, NULL, "mail_uid", ""), gid = dovecot_value(d, NULL, "mail_gid", "");
    if (str_eq(b->kind, S("passdb")))
        return own;
    return str_trim(arena_printf(d->f->a, STR_FMT " %s" STR_FMT " %s" STR_FMT, STR_ARG(own),
                                 uid.n ? "uid=" : "", STR_ARG(uid), gid.n ? "gid=" : "", STR_ARG(gid)));
}

static bool put_block(struct dovecot *d, const struct dovecot_block *b, struct buf *out)
{
    bool fine = authdb_put_setting(out, true, S("driver"), driver_of(d, b)) == RC_OK;
    for (size_t i = 0; i < SETTINGS && fine; i++) {
        const struct dovecot_setting *s = dovecot_find(d, b, settings[i]);
        bool fields = strcmp(settings[i], "default_fields") == 0;
        str value = fields ? default_fields(d, b, s ? s->value : S("")) : s ? s->value : S("");
        if (value.n > 0)
            fine = authdb_put_setting(out, false, str_c(settings[i]), value) == RC_OK;
    }
    buf_puts(out, S("} "));
    return fine && !out->overflow;
}

struct putting {
    struct dovecot *d;
    const struct dovecot_block *b;
    struct buf *out;
    bool fine, has_defaults;
};

static void put_setting(void *ctx, str name, str value)
{
    struct putting *p = ctx;
    bool defaults = str_eq(name, S("default_fields"));
    str whole = defaults ? default_fields(p->d, p->b, value) : value;
    p->has_defaults |= defaults;
    p->fine = p->fine && authdb_put_setting(p->out, false, name, whole) == RC_OK;
}

static void mark(void *ctx, const struct dovecot_setting *s)
{
    dovecot_mark(ctx, s);
}

/* --- tokens: in 2.4 their mechanisms need no passdb --- */

static bool takes_tokens(struct dovecot *d)
{
    struct dovecot_24 x = {.conf = &d->conf, .a = d->f->a};
    bool offered = false;
    for (str rest = dovecot_value(d, NULL, "auth_mechanisms", ""), word; (word = folder_word(&rest)).n;)
        offered |= str_ieq(word, S("oauthbearer")) || str_ieq(word, S("xoauth2"));
    return offered && d->conf.version.n > 0 && dovecot_24_has_oauth2(&x);
}

static bool put_tokens(struct dovecot *d, struct buf *out)
{
    AUTO(buf_deinit) struct buf place = BUF_INIT(4096);
    struct dovecot_24 x = {.conf = &d->conf, .a = d->f->a, .asked = mark, .ctx = d};
    struct err e = {0};
    if (dovecot_24_oauth2_place(&x, d->file, &place, &e) != RC_OK) {
        struct conf_origin o = dovecot_origin(d, x.last);
        conf_error(d->f->b->report, o.file, o.line, "oauth2: %s", err_text(&e));
    }
    bool fine = authdb_put_setting(out, true, S("driver"), S("oauth2")) == RC_OK &&
                authdb_put_setting(out, false, S("mechanisms"), S("oauthbearer xoauth2")) == RC_OK &&
                authdb_put_setting(out, false, S("args"), buf_str(&place)) == RC_OK;
    buf_puts(out, S("} "));
    return fine && !out->overflow;
}

static bool put_block_24(struct dovecot *d, const struct dovecot_block *b, struct buf *out)
{
    struct dovecot_24 x = {.conf = &d->conf, .a = d->f->a, .asked = mark, .ctx = d};
    struct putting p = {d, b, out, .fine = true};
    struct err e = {0};
    p.fine = authdb_put_setting(out, true, S("driver"), driver_of(d, b)) == RC_OK;
    if (dovecot_24_block(&x, b, d->file, put_setting, &p, &e) != RC_OK) {
        struct conf_origin o = dovecot_origin(d, x.last);
        conf_error(d->f->b->report, o.file, o.line, STR_FMT " " STR_FMT ": %s", STR_ARG(b->kind),
                   STR_ARG(b->name), err_text(&e));
    }
    if (!p.has_defaults && default_fields(d, b, S("")).n > 0)
        put_setting(&p, S("default_fields"), S(""));
    buf_puts(out, S("} "));
    return p.fine && !out->overflow;
}

static void set_kind(struct dovecot *d, const char *kind)
{
    AUTO(buf_deinit) struct buf option = BUF_INIT(OPTION_MAX);
    const struct dovecot_setting *first = NULL;
    for (size_t i = 0; i < d->conf.block_count; i++) {
        const struct dovecot_block *b = d->conf.blocks[i];
        const struct dovecot_setting *driver = dovecot_find(d, b, "driver");
        struct conf_origin o = dovecot_origin(d, driver);
        if (!is_one(b, kind))
            continue;
        first = first ? first : driver;
        if (!(d->conf.version.n ? put_block_24 : put_block)(d, b, &option))
            conf_error(d->f->b->report, o.file, o.line, "%s: it is too long, or its braces do not match",
                       kind);
        if (str_eq(driver_of(d, b), S("pam")))
            set_pam(d, b);
    }
    if (strcmp(kind, "passdb") == 0 && takes_tokens(d) && !put_tokens(d, &option))
        conf_error(d->f->b->report, d->file, 0, "oauth2: it is too long");
    if (option.n > 0)
        dovecot_set(d, first, kind, str_trim(buf_str(&option)));
}

static bool has(const struct dovecot *d, const char *kind, str driver)
{
    for (size_t i = 0; i < d->conf.block_count; i++)
        if (is_one(d->conf.blocks[i], kind) && (!driver.n || str_eq(driver_of(d, d->conf.blocks[i]), driver)))
            return true;
    return false;
}

void dovecot_set_databases(struct dovecot *d)
{
    bool plain = is_plain(d) && !takes_tokens(d);
    if (!plain) {
        set_kind(d, "passdb");
        set_kind(d, "userdb");
    }
    for (size_t i = 0; plain && i < d->conf.block_count; i++)
        if (is_one(d->conf.blocks[i], "passdb") && str_eq(driver_of(d, d->conf.blocks[i]), S("pam")))
            set_pam(d, d->conf.blocks[i]);
    bool system = plain ? has(d, "passdb", S("")) || has(d, "userdb", S("")) : has(d, "userdb", S("passwd"));
    dovecot_set(d, NULL, "system_users", system ? S("yes") : S("no"));
}
