/* Encoded words (RFC 2047 §2).
 *
 * encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?="
 * encoding     = "Q" / "B"
 *
 * The bytes of adjacent words of one charset are collected before they are converted, because senders split
 * characters at the 75-byte limit although §5 forbids it. */
#include "fmt/rfc2047.h"

#include "base/enc.h"
#include "base/utf8.h"
#include "fmt/charset.h"
#include "fmt/transfer.h"

struct word {
    str charset, text;
    char encoding; /* 'q' or 'b' */
    size_t size;   /* of the whole word */
};

struct decoder {
    struct buf *out;
    struct buf bytes; /* decoded, in charset, not yet converted */
    str charset;
};

/* A part of a word up to the next "?", without white space; false when there is none. */
static bool take_part(str *rest, str *ret)
{
    ptrdiff_t end = str_chr(*rest, '?');
    if (end < 0)
        return false;
    *ret = str_sub(*rest, 0, (size_t)end);
    for (size_t i = 0; i < ret->n; i++)
        if (ret->p[i] == ' ' || ret->p[i] == '\t' || ret->p[i] == '\r' || ret->p[i] == '\n')
            return false;
    *rest = str_from(*rest, (size_t)end + 1);
    return true;
}

static bool parse_word(str s, struct word *ret)
{
    str rest = str_from(s, 2), encoding;
    if (!str_starts(s, S("=?")) || !take_part(&rest, &ret->charset) || !take_part(&rest, &encoding) ||
        !take_part(&rest, &ret->text) || !str_starts(rest, S("=")))
        return false;
    str charset = ret->charset;
    ret->charset = str_take(&charset, '*');
    if (ret->charset.n == 0 || encoding.n != 1)
        return false;
    ret->encoding = ascii_lower(encoding.p[0]);
    ret->size = s.n - rest.n + 1;
    return ret->encoding == 'q' || ret->encoding == 'b';
}

static int hex_value(char c)
{
    c = ascii_lower(c);
    return ascii_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 2047 §4.2: "_" is a space, "=XX" a byte. */
static void decode_q(struct buf *out, str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '=' && i + 2 < text.n && hex_value(text.p[i + 1]) >= 0 && hex_value(text.p[i + 2]) >= 0) {
            c = (char)(hex_value(text.p[i + 1]) << 4 | hex_value(text.p[i + 2]));
            i += 2;
        } else if (c == '_') {
            c = ' ';
        }
        buf_putc(out, c);
    }
}

static void decode_b(struct buf *out, str text)
{
    struct transfer_decoder d;
    transfer_init(&d, TRANSFER_BASE64);
    transfer_feed(&d, out, text);
    transfer_finish(&d, out);
}

static void flush_words(struct decoder *d)
{
    if (d->bytes.n)
        charset_to_utf8(d->out, d->charset, buf_str(&d->bytes));
    buf_reset(&d->bytes);
}

static void add_word(struct decoder *d, const struct word *word)
{
    if (!str_ieq(word->charset, d->charset))
        flush_words(d);
    d->charset = word->charset;
    if (word->encoding == 'q')
        decode_q(&d->bytes, word->text);
    else
        decode_b(&d->bytes, word->text);
}

/* Text outside of words, which may be UTF-8 (RFC 6532) or rubbish. */
static void add_text(struct decoder *d, str text)
{
    flush_words(d);
    while (text.n) {
        size_t n = 0;
        while (n < text.n && text.p[n] != '\r' && text.p[n] != '\n')
            n++;
        utf8_put_clean(d->out, str_sub(text, 0, n));
        text = str_from(text, n + 1);
    }
}

/* Offset of the next encoded word, which is parsed to *ret; value.n when there is none. */
static size_t find_word(str value, struct word *ret)
{
    size_t pos = 0;
    while (pos < value.n) {
        const char *eq = memchr(value.p + pos, '=', value.n - pos);
        if (!eq)
            return value.n;
        pos = (size_t)(eq - value.p);
        if (parse_word(str_from(value, pos), ret))
            return pos;
        pos++;
    }
    return value.n;
}

void rfc2047_decode(struct buf *out, str value)
{
    struct decoder d = {.out = out, .bytes = BUF_INIT(value.n)};
    bool after_word = false;
    while (value.n) {
        struct word word;
        size_t before = find_word(value, &word);
        str text = str_sub(value, 0, before);
        bool found = before < value.n;
        if (!(after_word && found && str_trim(text).n == 0))
            add_text(&d, text);
        if (!found)
            break;
        add_word(&d, &word);
        after_word = true;
        value = str_from(value, before + word.size);
    }
    flush_words(&d);
    buf_deinit(&d.bytes);
}

/* --- encoding --- */

enum { PIECE_MAX = 45 }; /* bytes that make 60 of base64 */

static size_t piece_size(str utf8)
{
    size_t n = utf8.n < PIECE_MAX ? utf8.n : PIECE_MAX;
    for (size_t whole = n; whole > n - 4 && whole < utf8.n; whole--)
        if (((unsigned char)utf8.p[whole] & 0xc0) != 0x80)
            return whole;
    return n;
}

void rfc2047_encode(struct buf *out, str utf8)
{
    for (bool first = true; utf8.n > 0; first = false) {
        size_t n = piece_size(utf8);
        buf_puts(out, first ? S("=?utf-8?b?") : S("\n =?utf-8?b?"));
        enc_base64(out, str_sub(utf8, 0, n));
        buf_puts(out, S("?="));
        utf8 = str_from(utf8, n);
    }
}
