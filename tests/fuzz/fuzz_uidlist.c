/* dovecot-uidlist: every line is taken off the front, bases are names of files that stay in their folder, and
 * what is written reads back the same. */
#include "fmt/maildir_name.h"
#include "fmt/uidlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_header(const struct uidlist_header *h, size_t max)
{
    struct buf out = BUF_INIT(max);
    struct uidlist_header got;
    must(h->uidvalidity > 0 && h->uidnext > 0 && (h->version == 1 || h->version == 3));
    uidlist_format_header(&out, h);
    str text = buf_str(&out);
    must(!out.overflow && uidlist_parse_header(&text, &got) == RC_OK && text.n == 0 && got.version == 3);
    must(got.uidvalidity == h->uidvalidity && got.uidnext == h->uidnext);
    must(str_eq(got.guid, h->guid) && str_eq(got.other, h->other));
    buf_deinit(&out);
}

static void check_record(const struct uidlist_record *r, size_t max)
{
    struct buf out = BUF_INIT(max);
    struct uidlist_record got;
    must(r->uid > 0 && r->uid < UINT32_MAX && r->base.n > 0 && r->base.p[0] != '.');
    must(str_chr(r->base, '/') < 0 && str_chr(r->base, ':') < 0 && str_chr(r->base, '\n') < 0);
    must(str_eq(r->pop3_uidl, uidlist_field(r->fields, 'P')));
    uidlist_format_record(&out, r->uid, r->fields, r->base);
    str text = buf_str(&out);
    must(!out.overflow && uidlist_parse_record(&text, 3, &got) == RC_OK && text.n == 0);
    must(got.uid == r->uid && str_eq(got.base, r->base) && str_eq(got.fields, r->fields));
    must(got.has_size == r->has_size && got.size == r->size && got.crlf_size == r->crlf_size);
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str text = str_mem(data, size);
    struct uidlist_header h;
    struct uidlist_record r;
    size_t left, max = size + 64;
    if (uidlist_parse_header(&text, &h) != RC_OK)
        h.version = 3;
    else
        check_header(&h, max);
    must(text.n < size || size == 0);
    do {
        left = text.n;
        enum rc rc = uidlist_parse_record(&text, h.version, &r);
        must((rc == RC_GONE) == (left == 0) && (text.n < left || left == 0));
        if (rc == RC_OK)
            check_record(&r, max);
    } while (left > 0);
    return 0;
}
