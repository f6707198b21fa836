/* fmt/metadata: any bytes as a file; what is read is written as it was. */
#include "fmt/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buf_deinit) struct buf again = BUF_INIT(size + 32);
    str rest = str_mem(data, size);
    struct metadata m;
    enum rc rc;
    while ((rc = metadata_next(&rest, &m)) == RC_OK) {
        must(metadata_is_name(m.name) && metadata_is_at(m.name, m.name, METADATA_ITSELF));
        must(m.value.n <= METADATA_VALUE_MAX);
        str back;
        struct metadata same;
        buf_reset(&again);
        metadata_put(&again, &m);
        back = buf_str(&again);
        must(metadata_next(&back, &same) == RC_OK && str_eq(same.name, m.name) &&
             str_eq(same.value, m.value));
    }
    must((rc == RC_GONE) == (rest.n == 0));
    return 0;
}
