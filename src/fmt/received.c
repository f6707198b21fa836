/* received: formatting of trace lines, in the layout of Postfix, whose lines every tool knows.
 *
 *   Time-stamp-line = "Received:" FWS From-domain By-domain Opt-info [CFWS] ";" FWS date-time CRLF   ; RFC
 * 5321 §4.4
 *
 * What the client said goes into the line only with bytes that cannot end a comment or a line. */
#include "fmt/received.h"

/* Bytes of a domain, an address literal or a UTF-8 name; no parenthesis, quote, space or control. */
static bool is_name_byte(char c)
{
    return ascii_alnum(c) || (unsigned char)c >= 0x80 || (c && strchr("-._:[]+=@/!#$%&'*^`{|}~", c));
}

static void put_clean(struct buf *out, str s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_putc(out, is_name_byte(s.p[i]) ? s.p[i] : '?');
}

/* LMTP has had no extended form but itself; UTF8 forms are always extended. */
str received_with_keyword(struct received_with w)
{
    static const char *const names[2][2][4] = {
        /* plain     S          A          SA */
        {{"ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA"}, {"UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA"}},
        {{"LMTP", "LMTPS", "LMTPA", "LMTPSA"}, {"UTF8LMTP", "UTF8LMTPS", "UTF8LMTPA", "UTF8LMTPSA"}},
    };
    if (!w.lmtp && !w.extended)
        return S("SMTP");
    return str_c(names[w.lmtp][w.utf8][(w.tls ? 1 : 0) + (w.authenticated ? 2 : 0)]);
}

/* qtext of RFC 5322 without what could end the comment around it; spaces are frequent in names. */
static void put_quoted(struct buf *out, str s)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool fits = c == ' ' || (is_name_byte(c) && c != '"') || c == ',';
        buf_putc(out, fits ? c : '?');
    }
    buf_putc(out, '"');
}

static void put_ccert(struct buf *out, const struct received *r)
{
    if (!r->ccert_present) {
        buf_puts(out, S("\n\t(Client did not present a certificate)"));
        return;
    }
    buf_puts(out, S("\n\t(Client CN "));
    put_quoted(out, r->ccert_subject);
    buf_puts(out, S(", Issuer "));
    put_quoted(out, r->ccert_issuer);
    buf_puts(out, r->ccert_trusted ? S(" (verified OK))") : S(" (not verified))"));
}

static void put_tls(struct buf *out, const struct received *r)
{
    buf_puts(out, S("\n\t(using "));
    buf_puts(out, r->tls_version);
    buf_puts(out, S(" with cipher "));
    buf_puts(out, r->tls_cipher);
    buf_puts(out, S(" ("));
    buf_put_u64(out, (uint64_t)r->tls_bits);
    buf_putc(out, '/');
    buf_put_u64(out, (uint64_t)r->tls_alg_bits);
    buf_puts(out, S(" bits))"));
    if (r->ccert_asked)
        put_ccert(out, r);
}

static void put_client(struct buf *out, const struct received *r)
{
    buf_puts(out, S("from "));
    put_clean(out, r->helo.n ? r->helo : S("unknown"));
    buf_puts(out, S(" ("));
    put_clean(out, r->name);
    buf_puts(out, str_chr(r->address, ':') >= 0 ? S(" [IPv6:") : S(" ["));
    put_clean(out, r->address);
    buf_puts(out, S("])"));
    if (r->tls_version.n)
        put_tls(out, r);
    if (r->login.n) {
        buf_puts(out, S("\n\t(Authenticated sender: "));
        put_clean(out, r->login);
        buf_putc(out, ')');
    }
    buf_puts(out, S("\n\t"));
}

void received_put(struct buf *out, const struct received *r)
{
    buf_puts(out, S("Received: "));
    if (r->local_user.n == 0)
        put_client(out, r);
    buf_puts(out, S("by "));
    put_clean(out, r->by);
    buf_puts(out, S(" (malle"));
    if (r->local_user.n) {
        buf_puts(out, S(", from user "));
        put_clean(out, r->local_user);
        buf_puts(out, S(", uid "));
        buf_put_u64(out, r->local_uid);
        buf_puts(out, S(")\n\t"));
    } else {
        buf_puts(out, S(") with "));
        buf_puts(out, r->with);
        buf_putc(out, ' ');
    }
    buf_puts(out, S("id "));
    buf_puts(out, r->id);
    if (r->has_priority)
        buf_printf(out, " PRIORITY %d", r->priority);
    if (r->recipient.n) {
        buf_puts(out, S("\n\tfor <"));
        buf_puts(out, r->recipient);
        buf_putc(out, '>');
    }
    buf_puts(out, r->recipient.n ? S("; ") : S(";\n\t"));
    date_format_mail(out, r->date);
    buf_putc(out, '\n');
}

void received_put_return_path(struct buf *out, str sender)
{
    buf_puts(out, S("Return-Path: <"));
    buf_puts(out, sender);
    buf_puts(out, S(">\n"));
}

void received_put_delivered_to(struct buf *out, str address)
{
    buf_puts(out, S("Delivered-To: "));
    buf_puts(out, address);
    buf_putc(out, '\n');
}
