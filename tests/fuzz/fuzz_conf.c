/* The native dialect: no text may do harm, and whatever is accepted must read back from its own
 * serialization. */
#include "conf/conf.h"

#define INPUT_MAX (64 << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX)
        return 0;
    struct conf_report report = {0};
    struct buf first = BUF_INIT(16 << 20), second = BUF_INIT(16 << 20);
    struct conf *c = conf_parse(str_mem(data, size), "fuzz", &report), *again = NULL;
    must((c == NULL) == (report.errors > 0));
    conf_report_format(&report, &first);
    buf_reset(&first);
    if (c && conf_serialize(c, &first) == RC_OK) {
        again = conf_parse(buf_str(&first), "again", &report);
        must(again && conf_serialize(again, &second) == RC_OK);
        must(str_eq(buf_str(&first), buf_str(&second)));
    }
    conf_free(c);
    conf_free(again);
    buf_deinit(&first);
    buf_deinit(&second);
    conf_report_deinit(&report);
    return 0;
}
