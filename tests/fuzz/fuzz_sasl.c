/* PLAIN and the wire form of responses: what is accepted is written back as the same bytes. */
#include "fmt/sasl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = str_mem(data, size);
    struct sasl_plain plain;
    AUTO(buf_deinit) struct buf again = BUF_INIT(SASL_RESPONSE_MAX);
    if (sasl_plain_parse(in, &plain) == RC_OK) {
        sasl_plain_put(&again, &plain);
        must(str_eq(buf_str(&again), in));
        must(sasl_login_check(plain.authcid, SASL_NAME_MAX) == RC_OK);
    }
    AUTO(buf_deinit) struct buf response = BUF_INIT(SASL_RESPONSE_MAX);
    if (sasl_external_check(in) == RC_OK)
        must(str_chr(in, '\0') < 0);
    if (sasl_response_decode(in, size % 2, &response) != RC_OK)
        must(response.n == 0);
    return 0;
}
