/* The lines of an EHLO reply. */
#include "fmt/ehlo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ehlo e = {0};
    str rest = str_mem(data, size);
    while (rest.n)
        ehlo_feed(&e, str_take(&rest, '\n'));
    must(strlen(e.name) <= EHLO_NAME_MAX && e.lines <= EHLO_KEYWORDS_MAX + 1);
    must(e.auth == 0 || ehlo_has(&e, EHLO_AUTH));
    must(e.size_max == 0 || ehlo_has(&e, EHLO_SIZE));
    return 0;
}
