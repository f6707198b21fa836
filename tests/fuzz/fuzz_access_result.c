/* Right-hand sides of access(5), from tables and from policy servers. */
#include "fmt/access_result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str value = str_mem(data, size);
    struct access_result r;
    access_result_parse(value, &r);
    must(r.text.n <= value.n && strnlen(r.enhanced, sizeof r.enhanced) < sizeof r.enhanced);
    must((r.action == ACCESS_CODE) == (r.code != 0));
    must(r.code == 0 || (r.code >= 400 && r.code <= 599));
    must(r.enhanced[0] == '\0' ||
         access_status_size(str_c(r.enhanced)) == strnlen(r.enhanced, sizeof r.enhanced));
    return 0;
}
