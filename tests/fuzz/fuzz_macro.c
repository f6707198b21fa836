/* Settings with $-expansions, and values that strangers choose: the first line is the value, the rest the
 * text. Nothing of a value is expanded, and with a filter nothing else of it gets through. */
#include "fmt/macro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool find(void *ctx, str name, str *ret)
{
    must(name.n > 0);
    if (name.p[0] == 'n')
        return false;
    *ret = *(const str *)ctx;
    return true;
}

static void check_plain(str value)
{
    struct buf out = BUF_INIT(4096);
    const struct macro_env env = {.find = find, .ctx = &value};
    bool undefined = false;
    if (macro_expand(S("$x"), &env, &out, &undefined) == RC_OK)
        must(str_eq(buf_str(&out), value) && undefined == (value.n == 0));
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str text = str_mem(data, size), value = str_take(&text, '\n');
    struct buf out = BUF_INIT(4096);
    const struct macro_env env = {.find = find, .ctx = &value, .safe = "ab1"};
    enum rc rc = macro_expand(text, &env, &out, NULL);
    must(rc == RC_OK || rc == RC_INVALID || rc == RC_LIMIT);
    must(rc != RC_OK || !out.overflow);
    buf_reset(&out);
    macro_put_safe(&out, value, "ab1");
    for (size_t i = 0; i < out.n; i++)
        must(out.p[i] && strchr("ab1_", out.p[i]));
    buf_deinit(&out);
    check_plain(value);
    return 0;
}
