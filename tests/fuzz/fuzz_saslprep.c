/* SASLprep is stable: preparing what was prepared changes nothing. */
#include "fmt/saslprep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buf_deinit) struct buf once = BUF_INIT(4096), twice = BUF_INIT(4096);
    if (saslprep(str_mem(data, size), true, &once) != RC_OK)
        return 0;
    /* NFKC may compose to a mapped or right-to-left form; what is accepted a second time must be equal */
    if (saslprep(buf_str(&once), true, &twice) == RC_OK)
        must(str_eq(buf_str(&once), buf_str(&twice)));
    return 0;
}
