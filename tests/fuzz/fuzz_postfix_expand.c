/* Expansions over the parameters of a main.cf, the last of which is expanded: bounded, with a reason when
 * refused, and a text without "$" is its own expansion. */
#include "fmt/postfix_expand.h"
#include "fmt/postfix_main.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool find(void *ctx, str name, str *ret)
{
    const struct postfix_param *p = postfix_main_find(ctx, name);
    must(name.n > 0);
    if (p)
        *ret = p->value;
    return p;
}

/* Each "$" doubled: the expansion gives the text back. */
static void check_escaped(str text)
{
    struct buf escaped = BUF_INIT(1 << 16), out = BUF_INIT(1 << 16);
    const struct postfix_expand_env env = {.find = find};
    for (size_t i = 0; i < text.n; i++)
        buf_puts(&escaped, text.p[i] == '$' ? S("$$") : str_sub(text, i, 1));
    if (!escaped.overflow)
        must(postfix_expand(buf_str(&escaped), &env, &out, NULL) == RC_OK && str_eq(buf_str(&out), text));
    buf_deinit(&escaped);
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(1 << 20);
    struct postfix_main m = {0};
    if (postfix_main_parse(str_mem(data, size), a, &m) == RC_OK && m.n > 0) {
        const struct postfix_expand_env env = {.find = find, .ctx = &m};
        struct buf out = BUF_INIT(4096);
        struct err e = {0};
        str value = m.params[m.n - 1].value;
        enum rc rc = postfix_expand(value, &env, &out, &e);
        must(rc == RC_OK || ((rc == RC_INVALID || rc == RC_LIMIT) && e.peer[0]));
        if (rc == RC_OK && str_chr(value, '$') < 0)
            must(str_eq(buf_str(&out), value));
        check_escaped(value);
        buf_deinit(&out);
    }
    arena_free(a);
    return 0;
}
