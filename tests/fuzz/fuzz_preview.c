/* Previews: UTF-8 in one line, never too long. */
#include "base/utf8.h"
#include "fmt/preview.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *a = arena_new(16 << 20);
    AUTO(buf_deinit) struct buf text = BUF_INIT(8 * PREVIEW_CHARACTERS_MAX);
    struct mime_part *root;
    str raw = str_mem(data, size);
    if (mime_parse(raw, a, NULL, &root) != RC_OK)
        return 0;
    preview_put(&text, raw, root);
    must(!text.overflow && utf8_valid(buf_str(&text)));
    size_t characters = 0;
    for (size_t i = 0; i < text.n; i++) {
        must((unsigned char)text.p[i] >= ' ' && text.p[i] != 0x7f);
        characters += ((unsigned char)text.p[i] & 0xc0) != 0x80;
    }
    must(characters <= PREVIEW_CHARACTERS_MAX);
    return 0;
}
