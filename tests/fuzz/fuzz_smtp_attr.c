/* fmt/smtp_attr: every attribute is taken off the arguments, or refused with a reply. */
#include "fmt/smtp_attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(1 << 20);
    for (int command = SMTP_ATTR_XCLIENT; command <= SMTP_ATTR_XFORWARD; command++) {
        str args = str_mem(data, size < 4096 ? size : 4096);
        struct smtp_attr attr;
        struct err e = {0};
        size_t before = args.n;
        enum rc rc;
        while ((rc = smtp_attr_take((enum smtp_attr_command)command, &args, a, &attr, &e)) == RC_OK) {
            must(args.n < before && attr.name < SMTP_ATTR_COUNT);
            must(attr.state != SMTP_ATTR_GIVEN ||
                 (attr.value.n <= SMTP_ATTR_VALUE_MAX && str_chr(attr.value, '\0') < 0));
            before = args.n;
        }
        must(rc == RC_GONE || (rc == RC_INVALID && e.code == 501));
    }
    arena_free(a);
    return 0;
}
