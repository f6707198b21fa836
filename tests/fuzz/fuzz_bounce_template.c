/* A file of templates: what it says is written and read again as the same, and its text expands or not. */
#include "fmt/bounce_template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void note(void *ctx, int line, const char *text)
{
    must(line > 0 && text[0]);
}

static bool find(void *ctx, str name, str *ret)
{
    *ret = S("value");
    return name.n > 0 && name.p[0] == 'a';
}

static bool find_seconds(void *ctx, str name, int64_t *ret)
{
    *ret = 1000000;
    return name.n > 0 && name.p[0] == 't';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bounce_template_env env = {find, find_seconds, NULL};
    struct bounce_template t[BOUNCE_TEMPLATES];
    memcpy(t, bounce_template_own, sizeof t);
    if (size > 100000 || bounce_template_parse(str_mem(data, size), t, note, NULL) != RC_OK)
        return 0;
    for (size_t i = 0; i < BOUNCE_TEMPLATES; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 20), text = BUF_INIT(1 << 20);
        str line = STR_NONE;
        bounce_template_put(&out, (enum bounce_template_kind)i, &t[i]);
        must(!out.overflow &&
             str_starts(buf_str(&out), str_c(bounce_template_name((enum bounce_template_kind)i))));
        if (bounce_template_expand(t[i].text, &env, &text, &line) == RC_INVALID)
            must(line.n <= t[i].text.n);
    }
    return 0;
}
