/* Surrogates: any message gives one in bounds, with headers that need none themselves. */
#include "base/utf8.h"
#include "fmt/header.h"
#include "fmt/surrogate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *a = arena_new(MIME_TREE_BYTES);
    AUTO(buf_deinit) struct buf whole = BUF_INIT(2 * size + SURROGATE_ROOM);
    str raw = str_mem(data, size);
    const struct mime_part *root = mime_tree(raw, a);
    bool needed = surrogate_is_needed(raw, root);
    surrogate_put(&whole, raw, root);
    str made = buf_str(&whole);
    must(!whole.overflow && (needed || str_eq(made, raw)));
    must(!surrogate_differs(str_sub(made, 0, header_size(made))));
    return 0;
}
