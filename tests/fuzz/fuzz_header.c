/* Header fields tile their block, names hold no colon, finding by name agrees with walking, and of the common
 * fields all are common. */
#include "fmt/header.h"
#include "fmt/header_common.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_find(str block, const struct header_field *f, struct header_field *last)
{
    struct header_field found;
    must(header_find(block, f->name, 0, &found) && found.start <= f->start);
    must(header_find_last(block, f->name, last) && last->start >= f->start);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str raw = str_mem(data, size);
    str block = str_sub(raw, 0, header_size(raw));
    struct arena *a = arena_new(1 << 20);
    struct header_iter it = header_iter(block);
    struct header_field f, last;
    size_t end = 0, checked = 0;
    while (header_next(&it, &f)) {
        must(f.start == end && f.end > f.start && f.end <= block.n);
        must(str_chr(f.name, ':') < 0 && f.value.n <= f.end - f.start);
        str line = header_unfold(a, f.value);
        must(str_chr(line, '\n') < 0 && str_chr(line, '\r') < 0);
        arena_reset(a);
        if (checked++ < 50)
            check_find(block, &f, &last);
        end = f.end;
    }
    must(block.n - end <= 2);
    AUTO(buf_deinit) struct buf others = BUF_INIT(size + 1);
    header_put_others(&others, block, S("From"));
    must(!others.overflow && others.n <= end);
    AUTO(buf_deinit) struct buf common = BUF_INIT(size + 1), again = BUF_INIT(size + 1);
    header_common_put(&common, raw);
    header_common_put(&again, buf_str(&common));
    must(common.n <= end && str_eq(buf_str(&common), buf_str(&again)));
    arena_free(a);
    return 0;
}
