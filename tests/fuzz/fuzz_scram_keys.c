/* Stored SCRAM keys: what is accepted is written back as the same text, but for the case of the scheme and
 * zeros. */
#include "account/scram_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scram_keys keys, again;
    AUTO(buf_deinit) struct buf text = BUF_INIT(4096);
    if (scram_keys_parse(str_mem(data, size), &keys) != RC_OK)
        return 0;
    scram_keys_put(&text, &keys);
    must(scram_keys_parse(buf_str(&text), &again) == RC_OK);
    must(memcmp(&keys, &again, sizeof keys) == 0);
    return 0;
}
