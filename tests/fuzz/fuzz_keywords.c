/* dovecot-keywords: every name that is read is a keyword, and what is written reads back the same. */
#include "fmt/keywords.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str names[MAILDIR_KEYWORDS], again[MAILDIR_KEYWORDS], text = str_mem(data, size);
    struct buf out = BUF_INIT(65536);
    keywords_parse(text, names);
    keywords_format(&out, names);
    must(!out.overflow && out.n <= size + 26);
    keywords_parse(buf_str(&out), again);
    for (int i = 0; i < MAILDIR_KEYWORDS; i++) {
        must(str_eq(names[i], again[i]) && (names[i].n == 0 || keyword_valid(names[i])));
        must(names[i].n == 0 || (names[i].p >= text.p && names[i].p + names[i].n <= text.p + text.n));
    }
    if (keyword_valid(text)) {
        str one[MAILDIR_KEYWORDS] = {[25] = text};
        buf_reset(&out);
        keywords_format(&out, one);
        keywords_parse(buf_str(&out), again);
        must(str_eq(again[25], text));
    }
    buf_deinit(&out);
    return 0;
}
