/* Envelope addresses: what is accepted is within its limits, prints to text that parses to the same mailbox,
 * and can stand in a header line. */
#include "base/utf8.h"
#include "fmt/mailaddr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_one_line(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return true;
}

static bool is_view_of(str part, str whole)
{
    return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

static void check_address(const struct mailaddr *addr, struct arena *a)
{
    struct mailaddr again;
    must(addr->local.p && addr->local.n <= MAILADDR_LOCAL_MAX);
    must(addr->domain.n > 0 && addr->domain.n <= MAILADDR_DOMAIN_MAX && utf8_is_ascii(addr->domain));
    must(addr->literal == (addr->domain.p[0] == '['));
    str text = mailaddr_str(a, addr);
    must(text.p && utf8_valid(text) && is_one_line(text) && text.n <= MAILADDR_MAX);
    must(mailaddr_parse(text, a, &again) == RC_OK);
    must(str_eq(again.local, addr->local) && str_eq(again.domain, addr->domain));
    must(again.literal == addr->literal && again.utf8 == !utf8_is_ascii(text));
}

static void check_detail(str local)
{
    str base, detail;
    if (!mailaddr_split_detail(local, S("+-"), &base, &detail))
        return;
    must(base.n > 0 && base.n + 1 + detail.n == local.n && is_view_of(base, local));
    must(str_chr(S("+-"), local.p[base.n]) >= 0 && str_eq(str_from(local, base.n + 1), detail));
    must(str_chr(str_from(base, 1), '+') < 0 && str_chr(str_from(base, 1), '-') < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = str_mem(data, size), rest = in, domain;
    struct arena *a = arena_new(16384);
    struct mailaddr addr;
    if (mailaddr_take(&rest, a, &addr) == RC_OK) {
        must(rest.n < in.n && is_view_of(rest, in));
        must((mailaddr_parse(in, a, &addr) == RC_OK) == (rest.n == 0));
        must(mailaddr_parse(str_sub(in, 0, in.n - rest.n), a, &addr) == RC_OK);
        check_address(&addr, a);
        check_detail(addr.local);
    }
    rest = in;
    if (mailaddr_take_domain(&rest, &domain) == RC_OK)
        must(domain.p == in.p && domain.n > 0 && domain.n + rest.n == in.n && is_one_line(domain));
    arena_free(a);
    return 0;
}
