/* URLs of messages: what is taken names a message, and what is put fits a response code. */
#include "base/utf8.h"
#include "fmt/imap_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 18);
    AUTO(buf_deinit) struct buf out = BUF_INIT(3 * size + 1);
    struct imap_url url;
    str text = str_mem(data, size);
    imap_url_put(&out, text);
    for (size_t i = 0; i < out.n; i++)
        must(out.p[i] > ' ' && out.p[i] < 0x7f && out.p[i] != ']');
    if (imap_url_parse(text, a, &url) != RC_OK)
        return 0;
    must(size <= IMAP_URL_MAX && url.uid > 0 && utf8_valid(url.mailbox));
    must(!url.absolute || url.mailbox.n > 0);
    must(!url.section.partial || url.section.length > 0);
    for (size_t i = 0; i < url.section.n_path; i++)
        must(url.section.path[i] > 0);
    return 0;
}
