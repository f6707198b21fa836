/* dovecot-uidlist: whatever parses must come out the same after formatting. */
#include "fmt/uidlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_record(const struct uidlist_record *r)
{
    struct buf b = BUF_INIT(16 << 20);
    struct uidlist_record again;
    uidlist_format_record(&b, r->uid, r->fields, r->base);
    str text = buf_str(&b);
    must(uidlist_parse_record(&text, 3, &again) == RC_OK);
    must(again.uid == r->uid && str_eq(again.base, r->base) && str_eq(again.fields, r->fields));
    buf_deinit(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str text = str_mem(data, size);
    struct uidlist_header h = {.version = 3};
    struct uidlist_record r;
    if (uidlist_parse_header(&text, &h) != RC_OK)
        h.version = 3;
    for (enum rc rc; (rc = uidlist_parse_record(&text, h.version, &r)) != RC_GONE;)
        if (rc == RC_OK && h.version == 3)
            check_record(&r);
    return 0;
}
