/* Sequence sets: the invariants of a set, and that its text means the same set. */
#include "fmt/uidset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct uidset s = {0}, again = {0};
    struct buf b = BUF_INIT(16 << 20);
    if (uidset_parse(str_mem(data, size), 1000, 100000, &s) == RC_OK) {
        for (size_t i = 0; i < s.n; i++)
            must(s.r[i].first > 0 && s.r[i].first <= s.r[i].last &&
                 (i == 0 || s.r[i].first > s.r[i - 1].last + 1));
        uidset_format(&s, &b);
        must(s.n == 0 || (uidset_parse(buf_str(&b), 1, 100000, &again) == RC_OK && again.n == s.n));
        uid32 max = uidset_max(&s);
        must(uidset_rank(&s, max) == uidset_count(&s) && uidset_select(&s, uidset_count(&s)) == max);
        uidset_subtract(&again, &s);
        must(again.n == 0);
    }
    uidset_deinit(&s);
    uidset_deinit(&again);
    buf_deinit(&b);
    return 0;
}
