/* With nothing to replace, a header stays as it is; with something, only the addresses change, no line comes
 * or goes, and reading it again finds the new ones in the old places. */
#include "fmt/header_rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(str s, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == c;
    return n;
}

static void check_order(str raw, const struct header_addresses *list)
{
    size_t at = 0;
    for (size_t i = 0; i < list->n; i++) {
        const struct header_address *one = &list->v[i];
        must(one->start >= at && one->end > one->start && one->end <= one->field_end);
        must(one->start > one->field_start && one->field_end <= raw.n);
        must(str_chr(str_sub(raw, one->start, one->end - one->start), '\n') < 0);
        must(str_chr(one->address, '@') > 0 && str_chr(one->address, '\n') < 0);
        at = one->end;
    }
}

static void check(str raw, const struct header_completion *how)
{
    AUTO(arena_freep) struct arena *a = arena_new(16 << 20);
    AUTO(buf_deinit) struct buf same = BUF_INIT(raw.n + 1), out = BUF_INIT(2 * raw.n + (1 << 20));
    struct header_addresses list, again;
    if (header_rewrite_scan(raw, how, a, &list) != RC_OK)
        return;
    check_order(raw, &list);
    for (size_t i = 0; i < list.n; i++)
        list.v[i].to = STR_NONE;
    header_rewrite_put(&same, raw, &list);
    must(str_eq(buf_str(&same), raw));
    for (size_t i = 0; i < list.n; i++)
        list.v[i].to = S("x@new.example");
    header_rewrite_put(&out, raw, &list);
    must(!out.overflow && count(buf_str(&out), '\n') == count(raw, '\n'));
    must(header_rewrite_scan(buf_str(&out), how, a, &again) == RC_OK && again.n == list.n);
    for (size_t i = 0; i < list.n; i++)
        must(again.v[i].recipient == list.v[i].recipient);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct header_completion none,
        both = {.origin = S("origin.example"), .parent_domain = S("corp.example")};
    str raw = str_mem(data, size);
    check(raw, &none);
    check(raw, &both);
    return 0;
}
