/* Surrogates: any message gives one in bounds, with headers that need none themselves. */
#include "base/utf8.h"
#include "fmt/surrogate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *a = arena_new(MIME_TREE_BYTES);
    AUTO(buf_deinit) struct buf whole = BUF_INIT(2 * size + SURROGATE_ROOM);
    AUTO(buf_deinit) struct buf head = BUF_INIT(2 * size + SURROGATE_ROOM);
    str raw = str_mem(data, size);
    const struct mime_part *root = mime_tree(raw, a);
    str header = str_sub(raw, 0, root->header.end);
    bool needed = surrogate_is_needed(raw, root);
    surrogate_put(&whole, raw, root);
    must(!whole.overflow && (needed || str_eq(buf_str(&whole), raw)));
    surrogate_put_header(&head, header);
    must(!head.overflow && !surrogate_differs(buf_str(&head)));
    must(surrogate_differs(header) || str_eq(buf_str(&head), header));
    return 0;
}
