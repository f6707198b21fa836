/* Reading ENVELOPE texts: any bytes are harmless; what envelope.c writes is read. */
#include "fmt/envelope.h"
#include "fmt/envelope_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *a = arena_new(8 << 20);
    AUTO(buf_deinit) struct buf text = BUF_INIT(8 << 20);
    struct envelope_fields f;
    envelope_read(str_mem(data, size), a, &f);
    arena_reset(a);
    envelope_put(&text, str_mem(data, size), a);
    if (text.overflow || arena_exhausted(a))
        return 0;
    AUTO(arena_freep) struct arena *b = arena_new(8 << 20);
    envelope_read(buf_str(&text), b, &f);
    must(arena_exhausted(b) || !str_starts(buf_str(&text), S("(\"")) || f.date.p);
    return 0;
}
