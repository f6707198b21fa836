/* Right-hand sides of header_checks(5). */
#include "fmt/check_result.h"

#include "fmt/access_result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str value = str_mem(data, size);
    struct check_result r;
    check_result_parse(value, &r);
    must(r.text.n <= value.n);
    must((r.action == CHECK_REJECT) == (r.enhanced[0] == '4' || r.enhanced[0] == '5'));
    must(r.enhanced[0] == '\0' ||
         access_status_size(str_c(r.enhanced)) == strnlen(r.enhanced, sizeof r.enhanced));
    must(check_result_fault(&r, true) || !check_result_fault(&r, false));
    return 0;
}
