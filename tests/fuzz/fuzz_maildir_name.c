/* File names: base and info make up the name, and formatting what was parsed changes no flag. */
#include "fmt/keywords.h"
#include "fmt/maildir_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = str_mem(data, size), names[MAILDIR_KEYWORDS];
    struct maildir_name m, again;
    keywords_parse(in, names);
    if (maildir_name_parse(in, &m) != RC_OK)
        return 0;
    must(m.base.n > 0 && m.base.n + m.info.n == in.n);
    struct buf b = BUF_INIT(1000);
    buf_puts(&b, S("x"));
    maildir_info_format(&b, m.info, m.flags, m.keywords);
    if (b.n <= MAILDIR_NAME_MAX)
        must(maildir_name_parse(buf_str(&b), &again) == RC_OK && again.flags == m.flags &&
             again.keywords == m.keywords);
    buf_deinit(&b);
    return 0;
}
