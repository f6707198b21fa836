/* fmt/mta_sts: the first half of the input as a TXT record, all of it as a policy, which is read again as it
 * was written. */
#include "fmt/mta_sts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(MTA_STS_TEXT_MAX);
    struct mta_sts_policy p, again;
    char id[MTA_STS_ID_MAX + 1] = "";
    str all = str_mem(data, size), records[] = {str_sub(all, 0, size / 2), str_from(all, size / 2)};
    if (mta_sts_record(records, 2, id) == RC_OK)
        must(id[0]);
    if (mta_sts_parse(all, &p) != RC_OK)
        return 0;
    must(p.max_age <= MTA_STS_AGE_MAX && (p.n_mx > 0 || p.mode == MTA_STS_NONE));
    mta_sts_format(&p, &text);
    must(!text.overflow && mta_sts_parse(buf_str(&text), &again) == RC_OK);
    must(again.mode == p.mode && again.max_age == p.max_age && again.n_mx == p.n_mx);
    for (size_t i = 0; i < p.n_mx; i++)
        must(str_eq(p.mx[i], again.mx[i]) && (p.mx[i].p[0] == '*' || mta_sts_has_mx(&p, p.mx[i])));
    return 0;
}
