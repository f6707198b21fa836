/* Names of message files: base and info tile the name, flags and keywords that are written are read back and
 * what other programs wrote stays, and the names that we make are names. The first bytes of the name serve as
 * numbers too. */
#include "fmt/maildir_name.h"

enum { ALL_KEYWORDS = (1 << MAILDIR_KEYWORDS) - 1 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_change(const struct maildir_name *m, unsigned flags, uint32_t keywords)
{
    struct buf name = BUF_INIT(1024), again = BUF_INIT(1024);
    struct maildir_name got;
    buf_puts(&name, m->base);
    maildir_info_format(&name, m->info, flags, keywords);
    must(!name.overflow && str_chr(buf_str(&name), '/') < 0);
    if (maildir_name_parse(buf_str(&name), &got) == RC_OK) {
        must(str_eq(got.base, m->base) && got.flags == flags && got.keywords == keywords);
        maildir_info_format(&again, got.info, flags, keywords);
        must(str_eq(buf_str(&again), got.info));
    } else {
        must(name.n > MAILDIR_NAME_MAX);
    }
    buf_deinit(&name);
    buf_deinit(&again);
}

static void check_made(const uint64_t numbers[2], str host)
{
    struct maildir_unique u = {.now = (usec)(numbers[0] >> 8),
                               .id = numbers[1],
                               .number = (unsigned)numbers[0],
                               .host = host,
                               .size = numbers[0] >> 1,
                               .crlf_size = numbers[1] >> 1};
    struct buf name = BUF_INIT(1024);
    struct maildir_name got;
    maildir_base_format(&name, &u);
    must(maildir_name_parse(buf_str(&name), &got) == RC_OK && str_eq(got.base, buf_str(&name)));
    must(got.has_size && got.size == u.size && got.has_crlf_size && got.crlf_size == u.crlf_size);
    maildir_info_format(&name, STR_NONE, MAILDIR_FLAGS, ALL_KEYWORDS);
    must(maildir_name_parse(buf_str(&name), &got) == RC_OK && got.flags == MAILDIR_FLAGS);
    must(got.keywords == ALL_KEYWORDS && got.info.n == sizeof ":2,DFPRST" - 1 + MAILDIR_KEYWORDS);
    buf_deinit(&name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t numbers[2] = {0};
    struct maildir_name m;
    str name = str_mem(data, size);
    memcpy(numbers, data, size < sizeof numbers ? size : sizeof numbers);
    check_made(numbers, name);
    if (maildir_name_parse(name, &m) != RC_OK)
        return 0;
    must(m.base.p == name.p && m.base.n > 0 && m.base.n + m.info.n == name.n);
    must(m.flags <= MAILDIR_FLAGS && m.keywords <= ALL_KEYWORDS);
    must(m.size <= INT64_MAX && m.crlf_size <= INT64_MAX);
    check_change(&m, m.flags, m.keywords);
    check_change(&m, (unsigned)numbers[0] & MAILDIR_FLAGS, (uint32_t)numbers[1] & ALL_KEYWORDS);
    return 0;
}
