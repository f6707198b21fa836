/* "$name" in values. */
#include "fmt/dovecot_conf_impl.h"

#define TEXT(s) STR_ARG(str_sub((s), 0, 100))

struct replacing {
    struct dovecot_reader *r;
    str name; /* of the setting */
    bool alone;
    enum dovecot_value_kind kind;
};

bool dovecot_default_find(void *ctx, str name, str *ret)
{
    static const struct {
        const char *name, *value;
    } defaults[] = {
        {"auth_mechanisms", "plain"},
        {"auth_realms", ""},
        {"base_dir", "/run/dovecot"},
        {"default_internal_group", "dovecot"},
        {"default_internal_user", "dovecot"},
        {"default_login_user", "dovenull"},
        {"hostname", ""},
        {"info_log_path", ""},
        {"instance_name", "dovecot"},
        {"listen", "*, ::"},
        {"log_path", "syslog"},
        {"mail_gid", ""},
        {"mail_home", ""},
        {"mail_location", ""},
        {"mail_plugins", ""},
        {"mail_uid", ""},
        {"protocols", ""},
        {"recipient_delimiter", "+"},
        {"sendmail_path", "/usr/sbin/sendmail"},
        {"ssl", "yes"},
        {"ssl_ca", ""},
        {"ssl_cert", ""},
        {"ssl_key", ""},
        {"ssl_min_protocol", "TLSv1.2"},
        {"state_dir", "/var/lib/dovecot"},
    };
    (void)ctx;
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        if (str_eq(name, str_c(defaults[i].name))) {
            *ret = str_c(defaults[i].value);
            return true;
        }
    }
    return false;
}

/* The innermost filter from here on outwards; NULL: none. */
static const struct dovecot_block *filter_around(const struct dovecot_block *b)
{
    while (b && !dovecot_block_is_filter(b->kind))
        b = b->parent;
    return b;
}

/* A setting of another name is looked for in the innermost filter alone: so Dovecot does. */
static bool find_setting(struct replacing *x, str name, str *ret)
{
    struct dovecot_reader *r = x->r;
    const struct dovecot_block *b = filter_around(dovecot_reader_block(r));
    for (;; b = filter_around(b->parent)) {
        ptrdiff_t at = dovecot_index_setting(&r->index, b, name);
        if (at >= 0) {
            *ret = r->conf->settings[at].value;
            x->kind = r->conf->settings[at].kind;
            return true;
        }
        if (!b || !str_eq(name, x->name))
            break;
    }
    x->kind = DOVECOT_PLAIN;
    return r->env->find_default ? r->env->find_default(r->env->ctx, name, ret)
                                : dovecot_default_find(NULL, name, ret);
}

static bool find_word(struct replacing *x, str word, str *ret)
{
    struct dovecot_reader *r = x->r;
    bool is_set = r->is_24 && str_starts(word, S("$SET:"));
    if (str_starts(word, S("$ENV:"))) {
        if (!r->env->find_env) {
            dovecot_reader_problem(r, false, "The environment is not known here: " STR_FMT, TEXT(word));
            return false;
        }
        if (!r->env->find_env(r->env->ctx, str_from(word, 5), ret))
            *ret = STR_NONE;
        return true;
    }
    if (!str_starts(word, S("$")) || (r->is_24 && !is_set)) {
        *ret = word;
        return true;
    }
    if (!find_setting(x, str_from(word, is_set ? 5 : 1), ret)) {
        dovecot_reader_problem(r, false, is_set ? "Unknown setting: " STR_FMT : "Unknown variable: " STR_FMT,
                               TEXT(is_set ? str_from(word, 5) : word));
        return false;
    }
    if (x->kind == DOVECOT_FILE && !x->alone) {
        dovecot_reader_problem(r, false, STR_FMT " is the content of a file and must stand alone",
                               TEXT(word));
        return false;
    }
    return true;
}

/* Words end at a space; what follows it up to the next one is white, of which one space stays. */
static bool replace(struct replacing *x, str value, struct buf *out)
{
    x->alone = str_chr(value, ' ') < 0;
    while (value.n > 0) {
        bool last = str_chr(value, ' ') < 0;
        str text, word = str_take(&value, ' ');
        if (!find_word(x, word, &text))
            return false;
        buf_puts(out, text);
        if (!last)
            buf_putc(out, ' ');
        value = dovecot_line_trim(value);
    }
    if (out->overflow)
        dovecot_reader_problem(x->r, false, "Value is too long");
    return !out->overflow;
}

bool dovecot_reader_expand(struct dovecot_reader *r, str name, str *value, enum dovecot_value_kind *kind)
{
    struct replacing x = {.r = r, .name = name};
    if (*kind != DOVECOT_PLAIN || str_chr(*value, '$') < 0 || str_starts(*value, S("'")) ||
        str_starts(*value, S("\"")))
        return true;
    struct buf out = BUF_INIT(DOVECOT_LINE_MAX);
    bool ok = replace(&x, *value, &out);
    if (ok)
        *value = arena_str(r->arena, buf_str(&out));
    if (ok && x.kind == DOVECOT_FILE)
        *kind = DOVECOT_FILE;
    buf_deinit(&out);
    return ok;
}
