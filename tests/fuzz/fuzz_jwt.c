/* fmt/jwt: any bytes as a token and as a set of keys. */
#include "fmt/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    str in = str_mem(data, size);
    struct jwk keys[8];
    struct jwt t;
    size_t n;
    if (jwt_parse(in, a, &t) == RC_OK)
        must(t.alg.n > 0 && t.claims->kind == JSON_OBJECT && t.signed_text.n < size);
    if (jwk_read_set(in, a, 8, keys, &n) == RC_OK)
        must(n <= 8);
    return 0;
}
