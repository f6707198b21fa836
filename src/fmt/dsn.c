/* Delivery status notifications: the header, the part for programs, and what surrounds the returned message.
 *
 *   per-message-fields  = [Original-Envelope-Id] Reporting-MTA [Received-From-MTA] [Arrival-Date] *extension
 *   per-recipient-fields = [Original-Recipient] Final-Recipient Action Status [Remote-MTA] [Diagnostic-Code]
 *                          [Last-Attempt-Date] [Will-Retry-Until]                   ; RFC 3464 §2.2, §2.3 */
#include "fmt/dsn_impl.h"

#include "base/enc.h"
#include "base/utf8.h"
#include "fmt/header.h"
#include "fmt/xtext.h"

enum { WIDTH = 76, WORD_MAX = 800, ADDRESS_MAX = 900 };

enum dsn_action dsn_about(const struct dsn *d)
{
    enum dsn_action about = DSN_DELIVERED;
    for (size_t i = 0; i < d->rcpt_count; i++) {
        if (d->rcpts[i].action == DSN_FAILED)
            return DSN_FAILED;
        if (d->rcpts[i].action == DSN_DELAYED)
            about = DSN_DELAYED;
    }
    return about;
}

enum dsn_content dsn_content_for(const struct dsn *d, enum smtp_ret ret, uint64_t size_bytes,
                                 uint64_t limit_bytes)
{
    bool full = dsn_about(d) == DSN_FAILED && ret != SMTP_RET_HDRS && size_bytes <= limit_bytes;
    return full ? DSN_CONTENT_FULL : DSN_CONTENT_HEADER;
}

/* status-code = ("2" / "4" / "5") "." 1*3DIGIT "." 1*3DIGIT   (RFC 3464 §2.3.4) */
static bool status_is_valid(str status)
{
    str class = str_take(&status, '.'), subject = str_take(&status, '.');
    if (class.n != 1 || (class.p[0] != '2' && class.p[0] != '4' && class.p[0] != '5'))
        return false;
    for (size_t i = 0; i < subject.n; i++)
        if (!ascii_digit(subject.p[i]))
            return false;
    for (size_t i = 0; i < status.n; i++)
        if (!ascii_digit(status.p[i]))
            return false;
    return subject.n >= 1 && subject.n <= 3 && status.n >= 1 && status.n <= 3;
}

str dsn_status(const struct dsn_rcpt *r)
{
    if (status_is_valid(r->status))
        return r->status;
    return r->action == DSN_FAILED ? S("5.0.0") : r->action == DSN_DELAYED ? S("4.0.0") : S("2.0.0");
}

void dsn_put_clean(struct buf *out, str s, bool utf8)
{
    for (size_t at = 0, n; at < s.n; at += n) {
        unsigned char c = (unsigned char)s.p[at];
        uint32_t cp = 0;
        n = c < 0x80 ? 1 : utf8 ? utf8_decode(str_from(s, at), &cp) : 0;
        if (c < 0x80)
            buf_putc(out, c < ' ' || c == 0x7f ? ' ' : (char)c);
        else if (n && cp > 0x9f) /* U+0080 to U+009F are controls too */
            buf_put(out, s.p + at, n);
        else
            buf_putc(out, '?');
        n = n ? n : 1;
    }
}

/* The first word of s and the space behind it, or as much of it as fits into a line; whole UTF-8 characters.
 */
static size_t word_size(str s)
{
    ptrdiff_t space = str_chr(str_sub(s, 0, WORD_MAX), ' ');
    size_t n = space >= 0 ? (size_t)space : s.n < WORD_MAX ? s.n : WORD_MAX;
    while (space < 0 && n < s.n && n > WORD_MAX - 4 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return n;
}

void dsn_put_wrapped(struct buf *out, str s, size_t column, str indent, bool utf8)
{
    AUTO(buf_deinit) struct buf clean = BUF_INIT(2 * s.n + 1);
    bool starts = true;
    dsn_put_clean(&clean, s, utf8);
    for (str rest = str_trim(buf_str(&clean)); rest.n; rest = str_trim(rest)) {
        size_t n = word_size(rest);
        if (!starts && column + 1 + n > WIDTH) {
            buf_putc(out, '\n');
            buf_puts(out, indent);
            column = indent.n;
        } else if (!starts) {
            buf_putc(out, ' ');
            column++;
        }
        buf_put(out, rest.p, n);
        column += n;
        rest = str_from(rest, n);
        starts = false;
    }
}

static void put_name(struct buf *out, str name)
{
    dsn_put_clean(out, str_sub(name, 0, DSN_NAME_MAX), false);
}

/* "Name: dns; host" (RFC 3464 §2.1.2) */
static void put_mta(struct buf *out, str field, str name)
{
    if (name.n == 0)
        return;
    buf_puts(out, field);
    buf_puts(out, S(": dns; "));
    put_name(out, name);
    buf_putc(out, '\n');
}

static void put_date(struct buf *out, str field, int64_t seconds, const struct dsn *d)
{
    if (seconds == 0)
        return;
    buf_puts(out, field);
    buf_puts(out, S(": "));
    date_format_mail(out, (struct date){seconds, d->now.zone_minutes});
    buf_putc(out, '\n');
}

/* "Name: type; address". An address beyond ASCII has a type of its own, and a form in ASCII where the fields
 * have to be (RFC 6533 §3). */
static void put_address(struct buf *out, str field, str type, str address, const struct dsn *d)
{
    AUTO(buf_deinit) struct buf coded = BUF_INIT(ADDRESS_MAX); /* cut when longer, which no valid one is */
    bool is_utf8 = str_ieq(type, S("utf-8")) || (str_ieq(type, S("rfc822")) && !utf8_is_ascii(address));
    buf_puts(out, field);
    buf_puts(out, S(": "));
    dsn_put_clean(out, is_utf8 ? S("utf-8") : str_sub(type, 0, 80), false);
    buf_puts(out, S("; "));
    if (is_utf8 && !d->utf8)
        xtext_put_utf8_addr(&coded, address);
    else
        dsn_put_clean(&coded, address, d->utf8);
    buf_puts(out, buf_str(&coded));
    buf_putc(out, '\n');
}

/* Where no server spoke, the words are ours, and no reply of SMTP (RFC 3464 §2.3.6). */
static void put_diagnostic(struct buf *out, const struct dsn_rcpt *r, const struct dsn *d)
{
    str type = r->remote_mta.n ? S("Diagnostic-Code: smtp; ") : S("Diagnostic-Code: x-malle; ");
    if (str_trim(r->diagnostic).n == 0)
        return;
    buf_puts(out, type);
    dsn_put_wrapped(out, str_sub(r->diagnostic, 0, DSN_DIAGNOSTIC_MAX), type.n, S("    "), d->utf8);
    buf_putc(out, '\n');
}

static void put_rcpt(struct buf *out, const struct dsn_rcpt *r, const struct dsn *d)
{
    static const char *const actions[] = {"failed", "delayed", "delivered", "relayed", "expanded"};
    buf_putc(out, '\n');
    if (r->orcpt.n)
        put_address(out, S("Original-Recipient"), r->orcpt_type, r->orcpt, d);
    put_address(out, S("Final-Recipient"), S("rfc822"), r->recipient, d);
    buf_printf(out, "Action: %s\nStatus: " STR_FMT "\n", actions[r->action], STR_ARG(dsn_status(r)));
    put_mta(out, S("Remote-MTA"), r->remote_mta);
    put_diagnostic(out, r, d);
    put_date(out, S("Last-Attempt-Date"), r->last_attempt, d);
    put_date(out, S("Will-Retry-Until"), r->action == DSN_DELAYED ? r->will_retry_until : 0, d);
}

/* orig-hold-param-value = ("for;" seconds) / ("until;" date-time)   (RFC 4865 §5.1.2) */
static void put_future_release(struct buf *out, const struct dsn *d)
{
    if (d->hold_for) {
        buf_printf(out, "Future-Release-Request: for;%lld\n", (long long)d->hold_for);
    } else if (d->hold_until) {
        buf_puts(out, S("Future-Release-Request: until;"));
        date_format_internet(out, d->hold_until);
        buf_putc(out, '\n');
    }
}

static void put_fields(struct buf *out, const struct dsn *d)
{
    if (d->envid.n) {
        buf_puts(out, S("Original-Envelope-Id: "));
        dsn_put_clean(out, str_sub(d->envid, 0, SMTP_ENVID_MAX), false);
        buf_putc(out, '\n');
    }
    put_mta(out, S("Reporting-MTA"), d->hostname);
    put_mta(out, S("Received-From-MTA"), d->received_from);
    if (d->arrival.seconds) {
        buf_puts(out, S("Arrival-Date: "));
        date_format_mail(out, d->arrival);
        buf_putc(out, '\n');
    }
    put_date(out, S("Deliver-By-Date"), d->deliver_by, d);
    put_future_release(out, d);
    if (d->id.n) {
        buf_puts(out, S("X-Malle-Queue-Id: "));
        put_name(out, d->id);
        buf_putc(out, '\n');
    }
    for (size_t i = 0; i < d->rcpt_count; i++)
        put_rcpt(out, &d->rcpts[i], d);
}

/* RFC 2045 §6.7: "=_" comes out of no encoder. */
static void put_boundary(struct buf *out, const struct dsn *d)
{
    must(d->seed.n >= DSN_SEED_MIN);
    buf_puts(out, S("=_"));
    enc_hex(out, str_sub(d->seed, 0, DSN_SEED_MIN));
}

static void put_delimiter(struct buf *out, const struct dsn *d, str rest)
{
    buf_puts(out, S("\n--"));
    put_boundary(out, d);
    buf_puts(out, rest);
}

static bool is_message_id(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~')
            return false;
    return s.n > 2 && s.n < DSN_NAME_MAX && s.p[0] == '<' && s.p[s.n - 1] == '>';
}

static bool is_own_from(const struct bounce_template *w)
{
    return str_eq(w->from, bounce_template_own[BOUNCE_TEMPLATE_FAILURE].from);
}

static void put_header(struct buf *out, const struct dsn *d)
{
    const struct bounce_template *w = dsn_words(d);
    str subject = d->postmaster && w->postmaster_subject.n > 0 ? w->postmaster_subject : w->subject;
    must(d->to.n && d->rcpt_count);
    buf_puts(out, S("From: "));
    if (is_own_from(w)) {
        buf_puts(out, S("Mail Delivery System <MAILER-DAEMON@"));
        put_name(out, d->hostname);
        buf_putc(out, '>');
    } else {
        buf_puts(out, w->from);
    }
    buf_puts(out, S("\nTo: <"));
    dsn_put_clean(out, str_sub(d->to, 0, SMTP_ORCPT_MAX), true);
    buf_printf(out, ">\nSubject: " STR_FMT "\nDate: ", STR_ARG(subject));
    date_format_mail(out, d->now);
    buf_printf(out, "\nMessage-ID: <%lld.", (long long)d->now.seconds);
    enc_hex(out, str_sub(d->seed, 0, DSN_SEED_MIN / 2));
    buf_putc(out, '@');
    put_name(out, d->hostname);
    buf_puts(out, S(">\n"));
    if (is_message_id(d->message_id))
        buf_printf(out, "References: " STR_FMT "\n", STR_ARG(d->message_id));
    buf_puts(out, S("Auto-Submitted: auto-replied\nMIME-Version: 1.0\n" /* RFC 3834 §5.1.4 */
                    "Content-Type: multipart/report; report-type=delivery-status;\n boundary=\""));
    put_boundary(out, d);
    bool eight = d->utf8 || (d->content && d->content_8bit) || !str_ieq(dsn_words(d)->charset, S("us-ascii"));
    buf_puts(out, eight ? S("\"\nContent-Transfer-Encoding: 8bit\n") : S("\"\n"));
    buf_puts(out, S("\nThis is a delivery status notification in MIME format.\n"));
}

static void put_content_header(struct buf *out, const struct dsn *d)
{
    bool full = d->content == DSN_CONTENT_FULL;
    if (d->content == DSN_CONTENT_NONE)
        return;
    put_delimiter(out, d, S("\nContent-Description: "));
    buf_puts(out, !full                        ? S("Header of the message")
                  : dsn_about(d) == DSN_FAILED ? S("Undelivered message")
                                               : S("Message"));
    buf_puts(out, S("\nContent-Type: "));
    if (d->utf8)
        buf_puts(out, full ? S("message/global\n") : S("message/global-headers\n"));
    else
        buf_puts(out, full ? S("message/rfc822\n") : S("text/rfc822-headers\n"));
    buf_puts(out, d->content_8bit ? S("Content-Transfer-Encoding: 8bit\n\n") : S("\n"));
}

/* Of the text; a template's own counts, unless the text has addresses in other scripts. */
static void put_charset(struct buf *out, const struct dsn *d)
{
    const struct bounce_template *w = dsn_words(d);
    bool ascii = str_ieq(w->charset, S("us-ascii"));
    if (d->utf8)
        buf_puts(out, S("utf-8\nContent-Transfer-Encoding: 8bit\n\n"));
    else
        buf_printf(out, STR_FMT "\n%s\n", STR_ARG(w->charset),
                   ascii ? "" : "Content-Transfer-Encoding: 8bit\n");
}

void dsn_put_head(struct buf *out, const struct dsn *d)
{
    str eight = d->utf8 ? S("Content-Transfer-Encoding: 8bit\n\n") : S("\n");
    put_header(out, d);
    put_delimiter(out, d, S("\nContent-Description: Notification\nContent-Type: text/plain; charset="));
    put_charset(out, d);
    dsn_put_text(out, d);
    put_delimiter(out, d, S("\nContent-Description: Delivery report\nContent-Type: message/"));
    buf_puts(out, d->utf8 ? S("global-delivery-status\n") : S("delivery-status\n"));
    buf_puts(out, eight);
    put_fields(out, d);
    put_content_header(out, d);
}

void dsn_put_tail(struct buf *out, const struct dsn *d)
{
    put_delimiter(out, d, S("--\n"));
}

/* The header of a message without the empty line that ends it. */
static str header_of(str message)
{
    str header = str_sub(message, 0, header_size(message));
    if (str_ends(header, S("\n\n")) || str_eq(header, S("\n")))
        header.n--;
    return header;
}

void dsn_put(struct buf *out, const struct dsn *d, str message)
{
    struct dsn full = *d;
    str content = d->content == DSN_CONTENT_FULL     ? message
                  : d->content == DSN_CONTENT_HEADER ? header_of(message)
                                                     : STR_NONE;
    full.content_8bit = !utf8_is_ascii(content);
    dsn_put_head(out, &full);
    buf_puts(out, content);
    dsn_put_tail(out, &full);
}
