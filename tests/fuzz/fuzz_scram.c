/* All four SCRAM messages and names: views stay inside the input, names survive a round trip. */
#include "fmt/scram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(str view, str in)
{
    must(view.n == 0 || (view.p >= in.p && view.p + view.n <= in.p + in.n));
}

static void round_trip(str escaped)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(SCRAM_MESSAGE_MAX), again = BUF_INIT(3 * SCRAM_MESSAGE_MAX);
    if (scram_name_decode(escaped, &name) != RC_OK)
        return;
    scram_name_put(&again, buf_str(&name));
    must(str_eq(buf_str(&again), escaped));
}

static void fuzz_client(str in)
{
    struct scram_client_first first;
    if (scram_client_first_parse(in, &first) == RC_OK) {
        must(first.gs2_header.n + first.bare.n == in.n && first.name.n > 0 && first.nonce.n > 0);
        must((first.binding == SCRAM_BINDING_USED) == (first.binding_type.n > 0));
        inside(first.authzid, in);
        round_trip(first.name);
    }
    struct scram_client_final final;
    if (scram_client_final_parse(in, &final) == RC_OK) {
        must(final.without_proof.n + 3 + final.proof.n == in.n);
        inside(final.binding, in);
        inside(final.nonce, in);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = str_mem(data, size);
    fuzz_client(in);
    struct scram_server_first first;
    if (scram_server_first_parse(in, &first) == RC_OK) {
        must(first.iterations > 0 && first.iterations <= SCRAM_ITERATIONS_MAX);
        inside(first.nonce, in);
        inside(first.salt, in);
    }
    struct scram_server_final final;
    if (scram_server_final_parse(in, &final) == RC_OK)
        must((final.verifier.n > 0) != (final.error.n > 0));
    return 0;
}
