#include "fmt/mbox.h"

#include "base/num.h"
#include "fmt/date.h"
#include "fmt/header.h"

/* --- writing --- */

void mbox_put_separator(struct buf *out, str sender, int64_t seconds)
{
    static const char *const days[] = {"Thu", "Fri", "Sat", "Sun",
                                       "Mon", "Tue", "Wed"}; /* 1970 began with the first */
    AUTO(buf_deinit) struct buf when = BUF_INIT(64);         /* " 1-Jul-2026 02:44:25 +0000" */
    int64_t day = date_day((struct date){seconds, 0});
    date_format_imap(&when, (struct date){seconds, 0});
    str w = buf_str(&when);
    buf_printf(out, "From " STR_FMT " %s " STR_FMT " " STR_FMT " " STR_FMT " " STR_FMT "\n",
               STR_ARG(sender.n ? sender : S("MAILER-DAEMON")), days[((day % 7) + 7) % 7],
               STR_ARG(str_sub(w, 3, 3)), STR_ARG(str_sub(w, 0, 2)), STR_ARG(str_sub(w, 12, 8)),
               STR_ARG(str_sub(w, 7, 4)));
}

static bool looks_like_separator(str line)
{
    size_t quotes = 0;
    while (quotes < line.n && line.p[quotes] == '>')
        quotes++;
    return str_starts(str_from(line, quotes), S("From "));
}

void mbox_put_message(struct buf *out, str raw)
{
    while (raw.n) {
        ptrdiff_t end = str_chr(raw, '\n');
        str line = str_sub(raw, 0, end < 0 ? raw.n : (size_t)end);
        if (looks_like_separator(line))
            buf_putc(out, '>');
        buf_puts(out, line);
        buf_putc(out, '\n');
        raw = str_from(raw, line.n + 1);
    }
    buf_putc(out, '\n');
}

/* --- separators --- */

static bool is_month(str word)
{
    static const str months = S(" Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec ");
    return word.n == 3 && ascii_alpha(word.p[0]) && str_find(months, word) > 0;
}

static bool is_zone(str word)
{
    return word.n == 5 && (word.p[0] == '+' || word.p[0] == '-');
}

/* "Jan 1 00:00[:00] [ZONE] 1970 [ZONE]" */
static bool parse_when(str month, str rest, int64_t *ret_seconds)
{
    char text[64];
    str day = str_word(&rest), time = str_word(&rest), year = str_word(&rest), zone = S("+0000");
    uint32_t number;
    struct date d;
    if (is_zone(year) || (year.n && ascii_alpha(year.p[0]))) {
        zone = is_zone(year) ? year : zone;
        year = str_word(&rest);
    }
    str last = str_word(&rest);
    zone = is_zone(last) ? last : zone;
    if (!is_month(month) || day.n > 2 || num_parse_u32(day, 31, &number) || year.n != 4 || str_word(&rest).n)
        return false;
    snprintf(text, sizeof text, "%2u-" STR_FMT "-" STR_FMT " " STR_FMT "%s " STR_FMT, number, STR_ARG(month),
             STR_ARG(year), STR_ARG(str_sub(time, 0, 8)), time.n == 5 ? ":00" : "", STR_ARG(zone));
    if (date_parse_imap(str_c(text), &d))
        return false;
    *ret_seconds = d.seconds;
    return true;
}

bool mbox_is_separator(str line, int64_t *ret_seconds)
{
    if (!str_starts(line, S("From ")))
        return false;
    str rest = str_trim(str_from(line, 5));
    while (rest.n) { /* the sender may hold spaces; the day of the week is not looked at */
        str month = str_word(&rest);
        if (is_month(month) && parse_when(month, rest, ret_seconds))
            return true;
    }
    return false;
}

str mbox_unquoted(str line)
{
    return str_starts(line, S(">")) && looks_like_separator(line) ? str_from(line, 1) : line;
}

/* --- flags --- */

static const struct {
    char letter;
    unsigned flag;
    bool extended; /* of X-Status */
} letters[] = {{'R', MAILDIR_SEEN, false},
               {'A', MAILDIR_REPLIED, true},
               {'F', MAILDIR_FLAGGED, true},
               {'T', MAILDIR_DRAFT, true},
               {'D', MAILDIR_TRASHED, true}};
enum { LETTERS = sizeof letters / sizeof *letters };

static void put_letters(struct buf *out, unsigned flags, bool extended)
{
    for (size_t i = 0; i < LETTERS; i++)
        if (letters[i].extended == extended && (flags & letters[i].flag))
            buf_putc(out, letters[i].letter);
}

void mbox_put_flags(struct buf *out, const struct mbox_flags *f)
{
    unsigned extended = f->flags & (MAILDIR_REPLIED | MAILDIR_FLAGGED | MAILDIR_DRAFT | MAILDIR_TRASHED);
    if (f->flags & MAILDIR_SEEN)
        buf_puts(out, S("Status: RO\n"));
    if (extended) {
        buf_puts(out, S("X-Status: "));
        put_letters(out, extended, true);
        buf_putc(out, '\n');
    }
    if (f->keywords.n)
        buf_printf(out, "X-Keywords: " STR_FMT "\n", STR_ARG(f->keywords));
}

static void take_letters(str value, bool extended, unsigned *flags)
{
    for (size_t i = 0; i < LETTERS; i++)
        if (letters[i].extended == extended && str_chr(value, letters[i].letter) >= 0)
            *flags |= letters[i].flag;
}

static bool belongs_to_file(str name)
{
    static const str names[] = {S("X-UID"), S("X-IMAPbase"), S("Content-Length")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_ieq(name, names[i]))
            return true;
    return false;
}

enum rc mbox_take_flags(str raw, struct arena *a, struct buf *out, struct mbox_flags *ret)
{
    struct mbox_flags flags = {0};
    struct header_iter it = header_iter(raw);
    struct header_field f;
    size_t end = 0;
    for (; header_next(&it, &f); end = f.end) {
        if (str_ieq(f.name, S("X-IMAP")))
            return RC_GONE;
        if (str_ieq(f.name, S("Status")))
            take_letters(f.value, false, &flags.flags);
        else if (str_ieq(f.name, S("X-Status")))
            take_letters(f.value, true, &flags.flags);
        else if (str_ieq(f.name, S("X-Keywords")))
            flags.keywords = str_trim(header_unfold(a, f.value));
        else if (!belongs_to_file(f.name))
            buf_puts(out, str_sub(raw, f.start, f.end - f.start));
    }
    buf_puts(out, str_from(raw, end));
    flags.keywords = arena_str(a, flags.keywords);
    if (out->overflow || arena_exhausted(a))
        return RC_LIMIT;
    *ret = flags;
    return RC_OK;
}
