/* Replies of policy servers, and requests with any value. */
#include "fmt/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = str_mem(data, size), action;
    size_t used = 0;
    enum rc rc = policy_parse_reply(in, &action, &used);
    must(rc == RC_OK || rc == RC_TEMP || rc == RC_INVALID || rc == RC_LIMIT);
    if (rc == RC_OK) {
        must(used > 0 && used <= in.n && in.p[used - 1] == '\n' && action.n < used);
        must(policy_parse_reply(str_sub(in, 0, used - 1), &action, &used) == RC_TEMP);
    }
    AUTO(buf_deinit) struct buf out = BUF_INIT(size + 10);
    policy_put(&out, "a", in);
    must(!out.overflow && str_chr(buf_str(&out), '\n') == (ptrdiff_t)out.n - 1);
    return 0;
}
