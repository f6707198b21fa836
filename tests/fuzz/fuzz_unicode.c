/* Normal forms: UTF-8 in, UTF-8 out, nothing else is taken, a form is its own form, and case is gone from the
 * folded ones. */
#include "base/utf8.h"
#include "fmt/unicode.h"

enum { GROWTH_MAX = 32 }; /* bytes out for one in: U+FDFA alone becomes 18 letters */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef enum rc normal_form(str s, struct buf *out);

static void check_form(normal_form *form, str in)
{
    struct buf once = BUF_INIT(GROWTH_MAX * in.n), twice = BUF_INIT(GROWTH_MAX * in.n), tiny = BUF_INIT(4);
    enum rc rc = form(in, &once);
    must(rc == (utf8_valid(in) ? RC_OK : RC_INVALID));
    if (rc == RC_OK) {
        must(utf8_valid(buf_str(&once)) && (once.n > 0) == (in.n > 0));
        must(form(buf_str(&once), &twice) == RC_OK && str_eq(buf_str(&once), buf_str(&twice)));
        must(form(in, &tiny) == (once.n <= 4 ? RC_OK : RC_LIMIT));
    }
    buf_deinit(&once);
    buf_deinit(&twice);
    buf_deinit(&tiny);
}

static void check_ascii_case(normal_form *fold, str in)
{
    struct buf upper = BUF_INIT(in.n), lower = BUF_INIT(in.n), a = BUF_INIT(in.n), b = BUF_INIT(in.n);
    for (size_t i = 0; i < in.n; i++) {
        buf_putc(&upper, ascii_upper(in.p[i]));
        buf_putc(&lower, ascii_lower(in.p[i]));
    }
    must(fold(buf_str(&upper), &a) == RC_OK && fold(buf_str(&lower), &b) == RC_OK);
    must(str_eq(buf_str(&a), buf_str(&b)) && str_eq(buf_str(&a), buf_str(&lower)));
    buf_deinit(&upper);
    buf_deinit(&lower);
    buf_deinit(&a);
    buf_deinit(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = str_mem(data, size);
    uint32_t cp = 0;
    static bool loaded;
    if (!loaded)
        unicode_preload();
    loaded = true;
    check_form(unicode_nfkc, in);
    check_form(unicode_casefold, in);
    check_form(unicode_searchfold, in);
    if (utf8_is_ascii(in)) {
        check_ascii_case(unicode_casefold, in);
        check_ascii_case(unicode_searchfold, in);
    }
    memcpy(&cp, data, size < sizeof cp ? size : sizeof cp);
    must(cp <= 0x10ffff || !unicode_is_assigned(cp));
    must(unicode_direction('a') == UNICODE_DIR_LEFT && unicode_direction(cp) <= UNICODE_DIR_OTHER);
    return 0;
}
