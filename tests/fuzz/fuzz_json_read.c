/* fmt/json_read: any bytes; a string that was read is read the same when it is written again. */
#include "fmt/json.h"
#include "fmt/json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    const struct json_value *v, *again;
    if (json_read(str_mem(data, size), a, &v) != RC_OK || v->kind != JSON_STRING)
        return 0;
    AUTO(buf_deinit) struct buf out = BUF_INIT(6 * v->text.n + 2);
    json_quote(&out, v->text);
    must(json_read(buf_str(&out), a, &again) == RC_OK && str_eq(v->text, again->text));
    return 0;
}
