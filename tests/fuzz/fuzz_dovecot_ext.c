/* Settings of a database of users: each is one line's, and reading ends. */
#include "fmt/dovecot_ext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dovecot_ext x = {.rest = str_mem(data, size)};
    struct buf joined = BUF_INIT(DOVECOT_EXT_LINE_MAX);
    str name, value;
    enum rc rc;
    while ((rc = dovecot_ext_next(&x, &joined, &name, &value)) != RC_GONE) {
        must(rc == RC_OK || rc == RC_INVALID);
        if (rc == RC_OK)
            must(name.n > 0 && str_chr(name, '=') < 0 && str_chr(value, '\n') < 0 &&
                 str_chr(value, '\0') < 0);
    }
    must(x.rest.n == 0);
    buf_deinit(&joined);
    return 0;
}
