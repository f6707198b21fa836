/* Domain names: what is accepted is ASCII in lower case, stays what it is when converted again, and its form
 * for display leads back to it. */
#include "base/utf8.h"
#include "fmt/idn.h"

#define LABELS_MAX (4 * DOMAIN_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_display(str ascii)
{
    struct buf shown = BUF_INIT(LABELS_MAX), again = BUF_INIT(LABELS_MAX);
    must(idn_put_unicode(&shown, ascii) == RC_OK && utf8_valid(buf_str(&shown)));
    must(idn_put_ascii(&again, buf_str(&shown)) == RC_OK);
    must(str_eq(buf_str(&again), ascii));
    buf_deinit(&shown);
    buf_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str domain = str_mem(data, size), name;
    struct buf ascii = BUF_INIT(LABELS_MAX), again = BUF_INIT(LABELS_MAX), tiny = BUF_INIT(8);
    bool plain = utf8_is_ascii(domain);
    enum rc rc = idn_put_ascii(&ascii, domain);
    name = buf_str(&ascii);
    must(rc == RC_OK || (ascii.n == 0 && (rc == RC_INVALID || rc == RC_LIMIT)));
    if (rc == RC_OK) {
        must(utf8_is_ascii(name) && name.n <= DOMAIN_MAX);
        for (size_t i = 0; i < name.n; i++)
            must(name.p[i] == ascii_lower(name.p[i]) && (plain || !strchr(" /@<>:,;", name.p[i])));
        must(idn_put_ascii(&again, name) == RC_OK && str_eq(buf_str(&again), name));
        must(!plain || str_ieq(name, domain));
        must((idn_put_ascii(&tiny, domain) == RC_OK) == (name.n <= 8));
        if (!plain)
            check_display(name);
    }
    buf_reset(&again);
    (void)!idn_put_unicode(&again, domain);
    buf_deinit(&ascii);
    buf_deinit(&again);
    buf_deinit(&tiny);
    return 0;
}
