/* What is told of capabilities stays one line of words; nothing that was hidden by its name is among them. */
#include "fmt/capability_list.h"
#include "fmt/imap_response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const str all = S("IMAP4rev1 LITERAL+ IDLE SORT SORT=DISPLAY AUTH=PLAIN");
    AUTO(buf_deinit) struct buf out = BUF_INIT(200 + size);
    str setting = str_mem(data, size);
    if (!capability_list_is_valid(setting))
        return 0;
    capability_list_put(&out, all, setting);
    must(!out.overflow && str_chr(buf_str(&out), '\r') < 0 && str_chr(buf_str(&out), '\n') < 0);
    must(str_chr(buf_str(&out), ']') < 0);
    if (str_starts(setting, S("-")))
        must(!imap_capability_has(buf_str(&out), S("IDLE")) || !str_ieq(setting, S("-IDLE")));
    return 0;
}
