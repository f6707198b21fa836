#include "cli/quota_option.h"

#include "base/num.h"
#include "cli/cli.h"

static bool take(const char *text, bool size, int64_t *ret)
{
    uint64_t n = 0;
    str s = str_c(text);
    if (!text)
        return true;
    if (str_eq(s, S("unlimited"))) {
        *ret = ACCOUNT_UNLIMITED;
        return true;
    }
    enum rc rc = str_eq(s, S("default")) ? RC_OK
                 : size                  ? num_parse_size(s, &n)
                                         : num_parse_u64(s, INT64_MAX, &n);
    if (rc != RC_OK || n > INT64_MAX)
        return false;
    *ret = (int64_t)n;
    return true;
}

int cli_quota_option(const char *bytes, const char *messages, struct account_quota *quota)
{
    if (!take(bytes, true, &quota->bytes))
        return cli_usage("\"%s\" is no size; write it as 500M or 2G, default or unlimited", bytes);
    if (!take(messages, false, &quota->messages))
        return cli_usage("\"%s\" is no number of messages; write it as 10000, default or unlimited",
                         messages);
    return CLI_FINE;
}

static void put(struct buf *out, int64_t n)
{
    if (n > 0)
        buf_put_u64(out, (uint64_t)n);
    else
        buf_puts(out, n == 0 ? S("default") : S("unlimited"));
}

void cli_quota_put(struct buf *out, const struct account_quota *quota)
{
    buf_puts(out, S("bytes: "));
    put(out, quota->bytes);
    buf_puts(out, S(", messages: "));
    put(out, quota->messages);
}

void cli_quota_put_use(struct buf *out, uint64_t use, uint64_t limit, const char *unit)
{
    buf_put_u64(out, use);
    if (limit)
        buf_printf(out, " of %llu", (unsigned long long)limit);
    buf_printf(out, " %s", unit);
}
