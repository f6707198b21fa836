/* References: what is put is taken off again as the same ids, none of which holds white space or brackets. */
#include "fmt/references.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buf_deinit) struct buf ids = BUF_INIT(2 * size + 16);
    AUTO(buf_deinit) struct buf again = BUF_INIT(2 * size + 16);
    references_put(&ids, str_mem(data, size));
    str text = buf_str(&ids);
    for (str id; (id = references_take(&text)).p;) {
        must(id.n > 0);
        for (size_t i = 0; i < id.n; i++)
            must(id.p[i] != '<' && id.p[i] != '>' && id.p[i] != ' ' && id.p[i] != '\n');
        buf_printf(&again, "%s<" STR_FMT ">", again.n ? " " : "", STR_ARG(id));
    }
    must(text.n == 0 && str_eq(buf_str(&ids), buf_str(&again)));
    return 0;
}
