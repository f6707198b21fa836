/* Rules, warnings and maildirsize: no rule makes a limit out of range, and what is written reads back. */
#include "fmt/maildirsize.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_limits(const struct quota_limits *l)
{
    struct buf out = BUF_INIT(200);
    must(l->bytes <= INT64_MAX && l->messages <= INT64_MAX);
    quota_rule_put(&out, l);
    struct quota_limits again = quota_limits_of(buf_str(&out), STR_NONE, '/');
    must(!out.overflow && again.bytes == l->bytes && again.messages == l->messages);
    buf_reset(&out);
    maildirsize_put_limits(&out, l);
    maildirsize_put_change(&out, INT64_MAX, -1);
    struct maildirsize m;
    must(maildirsize_parse(buf_str(&out), &m) == RC_OK && m.bytes == INT64_MAX && m.messages == -1);
    must(m.limits.bytes == l->bytes && m.limits.messages == l->messages);
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str text = str_mem(data, size), rest = text;
    str mailbox = str_take(&rest, '\n');
    struct quota_limits general = quota_limits_of(rest, STR_NONE, '/'),
                        l = quota_limits_of(rest, mailbox, '/');
    struct quota_warning w;
    struct maildirsize m;
    check_limits(&general);
    check_limits(&l);
    must((l.bytes == 0) == (general.bytes == 0) || l.bytes == 0);
    (void)quota_grace(mailbox, general.bytes);
    if (quota_warning_parse(mailbox, &w) == RC_OK)
        (void)quota_warning_crossed(&w, &general, &(struct quota_use){0, 0},
                                    &(struct quota_use){general.bytes, 1});
    if (maildirsize_parse(text, &m) == RC_OK)
        must(size > 0 && data[size - 1] == '\n');
    return 0;
}
