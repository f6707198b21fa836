/* Address keys: folding is stable, and a name that passes as safe never leaves its folder. */
#include "account/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct address_key key, again;
    if (address_parse(str_mem(data, size), &key) != RC_OK)
        return 0;
    must(key.n <= ADDRESS_MAX && key.local_n <= key.n && key.text[key.n] == '\0');
    must(address_join(address_local(&key), address_domain(&key), &again) == RC_OK);
    must(str_eq(address_text(&again), address_text(&key)));
    if (!address_is_safe_name(&key))
        return 0;
    must(str_chr(address_text(&key), '/') < 0 && !str_eq(address_local(&key), S("..")));
    must(address_parse(address_text(&key), &again) == RC_OK);
    must(str_eq(address_text(&again), address_text(&key)));
    return 0;
}
