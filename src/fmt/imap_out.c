/* imap_out: atoms, names and lists of IMAP responses (RFC 9051 §9: astring, mailbox, flag-list, text). */
#include "fmt/imap_out.h"

#include "base/utf8.h"
#include "fmt/imap_lex.h"
#include "fmt/imapstring.h"
#include "fmt/mutf7.h"

void imap_put_astring(struct buf *out, str s)
{
    bool atom = s.n > 0 && !str_ieq(s, S("NIL"));
    for (size_t i = 0; i < s.n && atom; i++)
        atom = imap_is_astring_char(s.p[i]);
    if (atom)
        buf_puts(out, s);
    else
        imapstring_put(out, s);
}

void imap_put_mailbox(struct buf *out, str utf8)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(8 * utf8.n + 16);
    /* a name that is no UTF-8 came from a foreign tool: shown as it is rather than not at all */
    imap_put_astring(out, mutf7_encode(utf8, &name) ? utf8 : buf_str(&name));
}

void imap_put_mailbox_utf8(struct buf *out, str utf8)
{
    if (utf8_is_ascii(utf8) || !utf8_valid(utf8)) {
        imap_put_astring(out, utf8);
        return;
    }
    buf_putc(out, '"');
    for (size_t i = 0; i < utf8.n; i++) {
        if (utf8.p[i] == '"' || utf8.p[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, utf8.p[i]);
    }
    buf_putc(out, '"');
}

void imap_put_flag_list(struct buf *out, const str *names, size_t n)
{
    buf_putc(out, '(');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_putc(out, ' ');
        buf_puts(out, names[i]);
    }
    buf_putc(out, ')');
}

void imap_put_text(struct buf *out, str s)
{
    if (s.n == 0)
        buf_putc(out, '?');
    for (size_t i = 0; i < s.n; i++)
        buf_putc(out, s.p[i] < ' ' || s.p[i] >= 0x7f ? '?' : s.p[i]);
}
