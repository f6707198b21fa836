/* What malle makes of Dovecot's configuration, for tests/peers/test_dovecot_conf.py to compare.
 *
 *     dovecot_try conf FILE...
 *     dovecot_try var NAME=VALUE... -- TEXT...
 *
 * conf prints fields that each end in a NUL. For each FILE: "F", its name; "S", blocks, name, "file" or
 * "text", value, file of a setting in force; "E" or "W", file, line, text. The blocks are kind, name and
 * number with 0x1f behind each, the outermost first. var prints the expansion of each text in Dovecot 2.3,
 * "=" in front, or why there is none, "!" in front, and a NUL. */
#include "fmt/dovecot_conf.h"
#include "fmt/dovecot_var.h"
#include "os/file.h"

#include <glob.h>
#include <stdlib.h>

static void put(str s)
{
    fwrite(s.p, 1, s.n, stdout);
    putchar('\0');
}

static void put_number(size_t n)
{
    printf("%zu%c", n, '\0');
}

static void put_blocks_of(const struct dovecot_block *b)
{
    if (!b)
        return;
    put_blocks_of(b->parent);
    printf(STR_FMT "\x1f" STR_FMT "\x1f%zu\x1f", STR_ARG(b->kind), STR_ARG(b->name), b->nth);
}

static void put_path(const struct dovecot_block *b)
{
    put_blocks_of(b);
    putchar('\0');
}

static enum rc include(void *ctx, struct dovecot_reader *r, str pattern, str from, struct err *e)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(4096);
    glob_t found;
    (void)ctx;
    dovecot_conf_path(&path, pattern, from);
    if (glob(buf_cstr(&path), GLOB_BRACE, NULL, &found) != 0)
        return RC_GONE;
    enum rc rc = RC_OK;
    for (size_t i = 0; i < found.gl_pathc && rc == RC_OK; i++) {
        AUTO(buf_deinit) struct buf text = BUF_INIT(DOVECOT_FILE_MAX);
        rc = file_read(found.gl_pathv[i], &text);
        if (rc == RC_OK)
            dovecot_conf_feed(r, str_c(found.gl_pathv[i]), buf_str(&text));
        else
            err_set(e, rc, 0, "", "Couldn't open include file %s", found.gl_pathv[i]);
    }
    globfree(&found);
    return rc;
}

static bool find_env(void *ctx, str name, str *ret)
{
    AUTO(str_freep) char *z = str_dup(name);
    *ret = str_c(getenv(z));
    (void)ctx;
    return ret->p != NULL;
}

static void print(const struct dovecot_conf *conf)
{
    for (size_t i = 0; i < conf->count; i++) {
        const struct dovecot_setting *s = &conf->settings[i];
        put(S("S"));
        put_path(s->block);
        put(s->name);
        put(s->kind == DOVECOT_FILE ? S("file") : S("text"));
        put(s->value);
        put(s->file);
    }
    for (size_t i = 0; i < conf->problem_count; i++) {
        const struct dovecot_problem *p = &conf->problems[i];
        put(p->warning ? S("W") : S("E"));
        put(p->file);
        put_number((size_t)p->line);
        put(p->text);
    }
}

static enum rc print_file(const char *file)
{
    const struct dovecot_env env = {.include = include, .find_env = find_env};
    AUTO(arena_freep) struct arena *a = arena_new(DOVECOT_ARENA_BYTES);
    AUTO(buf_deinit) struct buf text = BUF_INIT(DOVECOT_FILE_MAX);
    struct dovecot_conf conf;
    enum rc rc = file_read(file, &text);
    if (rc == RC_OK)
        rc = dovecot_conf_read(str_c(file), buf_str(&text), &env, a, &conf);
    if (rc == RC_OK)
        rc = dovecot_conf_merge(&conf, a);
    put(S("F"));
    put(str_c(file));
    if (rc == RC_OK)
        print(&conf);
    return rc;
}

/* ctx: the arguments NAME=VALUE up to "--". */
static enum rc find_variable(void *ctx, str name, str *ret, struct err *e)
{
    (void)e;
    for (char **pair = ctx; strcmp(*pair, "--") != 0; pair++) {
        str value = str_c(*pair);
        if (str_eq(str_take(&value, '='), name)) {
            *ret = value;
            return RC_OK;
        }
    }
    return RC_GONE;
}

static void print_expansions(char **variables, char **texts)
{
    const struct dovecot_var_env env = {.find = find_variable, .ctx = variables};
    for (; *texts; texts++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 20);
        struct err e = {0};
        enum rc rc = dovecot_var_expand(str_c(*texts), &env, &out, &e);
        printf("%s%s%c", rc == RC_OK ? "=" : "!", rc == RC_OK ? buf_cstr(&out) : err_text(&e), '\0');
    }
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    if (strcmp(argv[1], "var") == 0) {
        int end = 2;
        while (end < argc && strcmp(argv[end], "--") != 0)
            end++;
        if (end == argc)
            return 2;
        print_expansions(argv + 2, argv + end + 1);
        return 0;
    }
    for (int i = 2; i < argc; i++)
        if (print_file(argv[i]) != RC_OK)
            return 1;
    return 0;
}
