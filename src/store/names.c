/* names: mailbox names (UTF-8, configured separator) and Maildir++ folder names (".A.B" in modified UTF-7),
 * as Dovecot maps them. A part of a name is never empty and holds no dot, slash or control character. */
#include "base/utf8.h"
#include "fmt/mutf7.h"
#include "store/delivery.h"
#include "store/store_priv.h"

enum { NAME_BYTES_MAX = 1000 };

static bool part_allowed(str part)
{
    if (part.n == 0)
        return false;
    for (size_t i = 0; i < part.n; i++) {
        unsigned char c = (unsigned char)part.p[i];
        if (c < 0x20 || c == 0x7f || c == '/' || c == '.')
            return false;
    }
    return true;
}

static bool name_allowed(char separator, str name)
{
    if (name.n == 0 || name.n > NAME_BYTES_MAX || !utf8_valid(name) || name.p[name.n - 1] == separator)
        return false;
    while (name.n)
        if (!part_allowed(str_take(&name, separator)))
            return false;
    return true;
}

enum rc delivery_folder_of(char separator, str name, char ret_dir[DELIVERY_FOLDER_MAX + 1], struct err *e)
{
    if (str_ieq(name, S("INBOX"))) {
        ret_dir[0] = '\0';
        return RC_OK;
    }
    if (!name_allowed(separator, name))
        return store_refuse(e, "Mailbox name is not allowed");
    struct buf b = BUF_INIT(DELIVERY_FOLDER_MAX);
    buf_putc(&b, '.');
    enum rc rc = mutf7_encode(name, &b);
    for (size_t i = 1; i < b.n; i++)
        if (b.p[i] == separator) /* base64 in mailbox names has no slash, so these are separators */
            b.p[i] = '.';
    if (rc == RC_OK && str_istarts(buf_str(&b), S(".INBOX.")))
        memcpy(b.p, ".INBOX", 6);
    if (rc == RC_OK)
        rc = str_copy(ret_dir, DELIVERY_FOLDER_MAX + 1, buf_str(&b));
    buf_deinit(&b);
    return rc == RC_OK ? RC_OK : store_refuse(e, "Mailbox name is too long");
}

enum rc name_to_dir(const struct store *st, str name, char ret_dir[DIR_NAME_MAX + 1], struct err *e)
{
    const struct store_guest *g = st->conf.guest;
    if (g && !str_starts(name, g->prefix))
        return store_refuse(e, "Mailbox name is not allowed");
    return delivery_folder_of(st->conf.separator, str_from(name, g ? g->prefix.n : 0), ret_dir, e);
}

enum rc delivery_name_of(char separator, str dir, struct buf *out)
{
    size_t start = out->n;
    if (dir.n == 0) {
        buf_puts(out, S("INBOX"));
        return RC_OK;
    }
    if (dir.n < 2 || dir.p[0] != '.' || str_ieq(dir, S(".INBOX")))
        return RC_INVALID;
    enum rc rc = mutf7_decode(str_from(dir, 1), out);
    for (size_t i = start; i < out->n; i++)
        if (out->p[i] == '.')
            out->p[i] = separator;
    return rc;
}

enum rc name_from_dir(const struct store *st, str dir, struct buf *out)
{
    size_t start = out->n;
    if (st->conf.guest)
        buf_puts(out, st->conf.guest->prefix);
    size_t own = out->n;
    enum rc rc = delivery_name_of(st->conf.separator, dir, out);
    if (rc == RC_OK && dir.n > 0 && !name_allowed(st->conf.separator, str_mem(out->p + own, out->n - own)))
        rc = RC_INVALID;
    if (rc != RC_OK)
        buf_truncate(out, start);
    return rc;
}

bool name_is_plain(str name)
{
    if (name.n > DIR_NAME_MAX || !utf8_valid(name))
        return false;
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f)
            return false;
    return true;
}

enum special_use name_default_use(str dir)
{
    static const struct {
        const char *dir;
        enum special_use use;
    } rows[] = {
        {".Archive", USE_ARCHIVE}, {".Drafts", USE_DRAFTS}, {".Junk", USE_JUNK},
        {".Sent", USE_SENT},       {".Trash", USE_TRASH},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_ieq(dir, str_c(rows[i].dir)))
            return rows[i].use;
    return USE_NONE;
}
