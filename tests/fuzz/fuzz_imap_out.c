/* What responses are made of, read back by the parser of commands: strings, atoms, names of mailboxes and
 * texts come out as they went in, whatever bytes they hold. */
#include "base/utf8.h"
#include "fmt/imap_lex.h"
#include "fmt/imap_out.h"
#include "fmt/imapstring.h"

#define OUT_MAX (16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool equal_but_nuls(str got, str want)
{
    size_t k = 0;
    for (size_t i = 0; i < want.n; i++)
        if (want.p[i] != '\0' && (k == got.n || got.p[k++] != want.p[i]))
            return false;
    return k == got.n;
}

static void check_strings(str in, struct arena *a, struct buf *out)
{
    struct imap_lex lex;
    str got;
    imapstring_put(out, in);
    buf_putc(out, ' ');
    imap_put_astring(out, in);
    buf_putc(out, ' ');
    imapstring_put_nil(out, in);
    buf_putc(out, ' ');
    imapstring_put_nil8(out, in);
    imap_lex_init(&lex, buf_str(out), a);
    must(imap_string(&lex, &got) == RC_OK && equal_but_nuls(got, in));
    must(imap_sp(&lex) == RC_OK && imap_astring(&lex, &got) == RC_OK && equal_but_nuls(got, in));
    must(imap_sp(&lex) == RC_OK && imap_nstring(&lex, &got) == RC_OK && equal_but_nuls(got, in));
    must((got.p == NULL) == (in.p == NULL));
    must(imap_sp(&lex) == RC_OK && imap_nstring8(&lex, &got) == RC_OK && str_eq(got, in) &&
         imap_at_end(&lex));
}

static void check_mailbox(str in, struct arena *a, struct buf *out)
{
    struct imap_lex lex;
    str got;
    buf_reset(out);
    imap_put_mailbox(out, in);
    imap_lex_init(&lex, buf_str(out), a);
    if (!utf8_valid(in) || in.n == 0 || in.n > IMAP_MAILBOX_MAX / 8)
        return;
    must(imap_mailbox(&lex, &got) == RC_OK && imap_at_end(&lex));
    must(str_ieq(in, S("INBOX")) ? str_eq(got, S("INBOX")) : str_eq(got, in));
}

static void check_text(str in, struct buf *out)
{
    buf_reset(out);
    imap_put_text(out, in);
    must(out->n == (in.n ? in.n : 1));
    for (size_t i = 0; i < out->n; i++)
        must(out->p[i] >= ' ' && out->p[i] < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = size ? str_mem(data, size) : STR_NONE;
    struct arena *a = arena_new(OUT_MAX);
    struct buf out = BUF_INIT(OUT_MAX);
    check_strings(in, a, &out);
    check_mailbox(in, a, &out);
    check_text(in, &out);
    arena_free(a);
    buf_deinit(&out);
    return 0;
}
