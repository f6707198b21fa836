/* Dovecot's configuration: all that is read keeps the contract; merged settings are each there once, and are
 * the same when they are written out and read again. The input includes its second half as "half". */
#include "base/map.h"
#include "fmt/dovecot_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum rc include(void *ctx, struct dovecot_reader *r, str pattern, str from, struct err *e)
{
    const str *half = ctx;
    must(pattern.n > 0 && from.n > 0);
    if (!str_eq(pattern, S("half")))
        return str_eq(pattern, S("bad")) ? err_set(e, RC_TEMP, 0, "", "bad") : RC_GONE;
    dovecot_conf_feed(r, S("half"), *half);
    return RC_OK;
}

static bool find_env(void *ctx, str name, str *ret)
{
    *ret = S("value of the environment");
    return str_eq(name, S("HOME"));
}

static void check(const struct dovecot_conf *conf)
{
    must(conf->problem_count <= DOVECOT_PROBLEMS_MAX && conf->count <= DOVECOT_SETTINGS_MAX);
    for (size_t i = 0; i < conf->block_count; i++) {
        const struct dovecot_block *b = conf->blocks[i];
        must(b->id == i && b->kind.n > 0 && b->line > 0 && (!b->parent || b->parent->id < i));
        must(b->nth == 0 || b->name.n == 0);
    }
    for (size_t i = 0; i < conf->count; i++) {
        const struct dovecot_setting *s = &conf->settings[i];
        must((s->name.n > 0 || conf->version.n > 0) && s->line > 0 && s->value.n <= DOVECOT_LINE_MAX);
        must(!s->block || conf->blocks[s->block->id] == s->block);
    }
    for (size_t i = 0; i < conf->problem_count; i++)
        must(conf->problems[i].text.n > 0 && conf->problems[i].file.n > 0);
}

static void put_quoted(struct buf *out, str s)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, s.p[i]);
    }
    buf_putc(out, '"');
}

/* Settings at the top with names that no quotes are needed for; others may be told apart by quotes alone. */
static void check_again(const struct dovecot_conf *conf, struct arena *a)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(DOVECOT_FILE_MAX);
    const struct dovecot_env env = {0};
    struct dovecot_conf again;
    size_t n = 0;
    for (size_t i = 0; i < conf->count; i++) {
        const struct dovecot_setting *s = &conf->settings[i];
        if (s->block || conf->version.n > 0 || s->value.n > 1000 || str_starts(s->name, S("!include")) ||
            str_chr(s->name, '"') >= 0 || str_chr(s->name, '\'') >= 0)
            continue;
        buf_puts(&text, s->name);
        buf_puts(&text, S(" = "));
        put_quoted(&text, s->value);
        buf_putc(&text, '\n');
        n++;
    }
    if (text.overflow)
        return;
    must(dovecot_conf_read(S("again"), buf_str(&text), &env, a, &again) == RC_OK && again.count == n);
    for (size_t i = 0, k = 0; k < n; i++)
        if (str_eq(conf->settings[i].name, again.settings[k].name))
            must(conf->settings[i].block || str_eq(conf->settings[i].value, again.settings[k++].value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str half = str_mem(data + size / 2, size - size / 2);
    const struct dovecot_env env = {.include = include, .find_env = find_env, .ctx = &half};
    struct arena *a = arena_new(64 << 20);
    struct map *seen = map_new();
    struct dovecot_conf conf;
    if (dovecot_conf_read(S("main"), str_mem(data, size), &env, a, &conf) == RC_OK) {
        check(&conf);
        size_t before = conf.count;
        if (dovecot_conf_merge(&conf, a) == RC_OK) {
            check(&conf);
            must(conf.count <= before || conf.version.n > 0);
            for (size_t i = 0; i < conf.count; i++) {
                struct buf key = BUF_INIT(1 << 18);
                buf_printf(&key, "%p ", (const void *)conf.settings[i].block);
                buf_puts(&key, conf.settings[i].name);
                must(!map_put(seen, buf_str(&key), a));
                buf_deinit(&key);
            }
            check_again(&conf, a);
        }
    }
    map_free(seen);
    arena_free(a);
    return 0;
}
