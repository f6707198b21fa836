/* SRS and VERP addresses from anybody: what was made comes back, and what we did not make does not. The input
 * is a sender, a recipient and a local part on three lines. */
#include "fmt/mailaddr.h"
#include "fmt/srs.h"
#include "fmt/verp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_srs(str sender, str local)
{
    static const str secrets[] = {S("one"), S("two")};
    struct srs s = {.domain = S("example.com"),
                    .secrets = secrets,
                    .secret_count = 2,
                    .separator = '=',
                    .hash_length = 4,
                    .max_age_days = 21,
                    .now = 1577836860};
    struct buf made = BUF_INIT(400), back = BUF_INIT(400);
    if (srs_forward(&s, sender, &made) == RC_OK && !str_iends(sender, S("@example.com"))) {
        str out = str_sub(buf_str(&made), 0, made.n - S("@example.com").n);
        must(out.n <= MAILADDR_LOCAL_MAX && srs_is_rewritten(out));
        must(srs_reverse(&s, out, &back) == RC_OK);
        ptrdiff_t at = str_rchr(sender, '@');
        must(srs_is_rewritten(str_sub(sender, 0, (size_t)at)) || str_eq(buf_str(&back), sender));
    } else if (made.n) {
        must(str_eq(buf_str(&made), sender));
    }
    buf_reset(&back);
    enum rc rc = srs_reverse(&s, local, &back);
    must(rc != RC_OK || srs_is_rewritten(local));
    must(rc == RC_OK || back.n == 0);
    buf_deinit(&made);
    buf_deinit(&back);
}

static void check_verp(str sender, str recipient)
{
    struct buf made = BUF_INIT(400), back = BUF_INIT(400);
    if (verp_encode(sender, recipient, S("+="), &made) == RC_OK && str_chr(recipient, '=') < 0) {
        must(verp_decode(buf_str(&made), sender, S("+="), &back) == RC_OK);
        must(str_eq(buf_str(&back), recipient));
    }
    buf_reset(&back);
    if (verp_decode(recipient, sender, S("+="), &back) == RC_OK)
        must(str_chr(buf_str(&back), '@') > 0);
    buf_deinit(&made);
    buf_deinit(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str rest = str_mem(data, size), sender = str_take(&rest, '\n'), recipient = str_take(&rest, '\n');
    check_srs(sender, rest);
    check_verp(sender, recipient);
    return 0;
}
