/* fmt/header_edit: the fields of a header tile it, and whatever is added to one leaves a header of as many
 * fields more. The input is a value, a NUL, and a message. */
#include "fmt/header_edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct header_edit *h, size_t fields)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(4 << 20);
    size_t body;
    header_edit_put(h, &out);
    must(!out.overflow && out.n == header_edit_bytes(h));
    must(header_edit_size(buf_str(&out), &body) == out.n);
    AUTO(arena_freep) struct arena *a = arena_new(16 << 20);
    struct header_edit again;
    header_edit_init(&again, a);
    must(header_edit_parse(&again, buf_str(&out)) == RC_OK && again.n == fields);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *a = arena_new(16 << 20);
    str message = str_mem(data, size), value = str_take(&message, '\0'), text;
    struct header_edit h;
    size_t body, n = header_edit_size(message, &body);
    if (size > 100000)
        return 0;
    must(n <= body && body <= message.n && body - n <= 1);
    header_edit_init(&h, a);
    must(header_edit_parse(&h, str_sub(message, 0, n)) == RC_OK);
    size_t fields = h.n;
    check(&h, fields);
    must(header_edit_field_text(a, S("X-Added"), value, &text) == RC_OK);
    must(header_edit_insert(&h, 1, text) == RC_OK);
    check(&h, fields + 1);
    must(header_edit_change(&h, S("X-Added"), 1, text) == RC_OK);
    check(&h, fields + 1);
    for (size_t i = 0; i <= fields; i++)
        header_edit_delete(&h, S("x-added"), 1);
    must(h.n <= fields);
    return 0;
}
