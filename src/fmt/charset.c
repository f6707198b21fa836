/* Charsets to UTF-8; see charset.h. The only file that includes iconv.h. Names are those of the IANA registry
 * and of mail in the wild; each maps to the widest glibc converter that agrees with it (RFC 2978 names, cp932
 * for Shift_JIS). */
#include "fmt/charset.h"

#include "base/utf8.h"

#include <errno.h>
#include <iconv.h>

static const char *const converters[] = {
    "ISO-8859-1",  "ISO-8859-2",    "ISO-8859-3",  "ISO-8859-4",  "ISO-8859-5",  "ISO-8859-6",  "ISO-8859-7",
    "ISO-8859-8",  "ISO-8859-9",    "ISO-8859-10", "ISO-8859-11", "ISO-8859-13", "ISO-8859-14", "ISO-8859-15",
    "ISO-8859-16", "CP1250",        "CP1251",      "CP1252",      "CP1253",      "CP1254",      "CP1256",
    "CP1257",      "CP437",         "CP850",       "CP852",       "CP866",       "CP874",       "KOI8-R",
    "KOI8-U",      "MACINTOSH",     "CP1255",      "CP1258",      "GB18030",     "BIG5-HKSCS",  "EUC-JP-MS",
    "CP932",       "ISO-2022-JP-2", "UHC",         "ISO-2022-KR", "UTF-16",      "UTF-16BE",    "UTF-16LE",
    "UTF-32",      "UTF-32BE",      "UTF-32LE",    "UTF-7",
};
enum {
    CONVERTERS = sizeof converters / sizeof converters[0],
    EIGHT_BIT = 30, /* of them, the first, are ASCII and one character for each byte from UPPER on */
    UPPER = 0x80,
    UNKNOWN = 0xfffd
};

/* Made by charset_preload: a loaded converter is five mappings, which every process that is forked copies. */
static struct {
    bool made;
    uint16_t to[UPPER];
} eight_bit[EIGHT_BIT];

static const struct {
    str alias;
    const char *converter;
} aliases[] = {
    {S("latin1"), "ISO-8859-1"},
    {S("iso8859-1"), "ISO-8859-1"},
    {S("iso_8859-1"), "ISO-8859-1"},
    {S("latin2"), "ISO-8859-2"},
    {S("iso8859-2"), "ISO-8859-2"},
    {S("iso-8859-8-i"), "ISO-8859-8"},
    {S("latin9"), "ISO-8859-15"},
    {S("iso8859-15"), "ISO-8859-15"},
    {S("iso_8859-15"), "ISO-8859-15"},
    {S("cp-850"), "CP850"},
    {S("ibm437"), "CP437"},
    {S("ibm850"), "CP850"},
    {S("ibm852"), "CP852"},
    {S("ibm866"), "CP866"},
    {S("tis-620"), "CP874"},
    {S("x-mac-roman"), "MACINTOSH"},
    {S("koi8-ru"), "KOI8-U"},
    {S("gb2312"), "GB18030"},
    {S("gbk"), "GB18030"},
    {S("x-gbk"), "GB18030"},
    {S("cp936"), "GB18030"},
    {S("euc-cn"), "GB18030"},
    {S("big5"), "BIG5-HKSCS"},
    {S("cp950"), "BIG5-HKSCS"},
    {S("euc-jp"), "EUC-JP-MS"},
    {S("x-euc-jp"), "EUC-JP-MS"},
    {S("shift_jis"), "CP932"},
    {S("shift-jis"), "CP932"},
    {S("sjis"), "CP932"},
    {S("x-sjis"), "CP932"},
    {S("windows-31j"), "CP932"},
    {S("iso-2022-jp"), "ISO-2022-JP-2"},
    {S("iso-2022-jp-1"), "ISO-2022-JP-2"},
    {S("euc-kr"), "UHC"},
    {S("cp949"), "UHC"},
    {S("ks_c_5601-1987"), "UHC"},
    {S("ksc5601"), "UHC"},
    {S("unicode-1-1-utf-7"), "UTF-7"},
};

/* Index into converters, or CONVERTERS. */
static size_t find_converter(str name)
{
    size_t i = 0;
    while (i < CONVERTERS && !str_ieq(name, str_c(converters[i])))
        i++;
    return i;
}

static const char *converter_of(str name)
{
    size_t i = find_converter(name);
    if (i < CONVERTERS)
        return converters[i];
    if (str_istarts(name, S("windows-"))) { /* windows-1252, windows-874: the code page of that number */
        for (i = 0; i < CONVERTERS; i++)
            if (str_starts(str_c(converters[i]), S("CP")) &&
                str_eq(str_from(name, strlen("windows-")), str_c(converters[i] + strlen("CP"))))
                return converters[i];
    }
    for (i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        if (str_ieq(name, aliases[i].alias))
            return aliases[i].converter;
    return NULL;
}

size_t charset_count(void)
{
    return CONVERTERS;
}

static bool make_eight_bit(size_t i)
{
    iconv_t cd = iconv_open("UTF-8", converters[i]);
    if (cd == (iconv_t)-1)
        return false;
    for (size_t b = 0; b < UPPER; b++) {
        char byte = (char)(UPPER + b), utf8[4], *from = &byte, *to = utf8;
        size_t left = 1, room = sizeof utf8;
        uint32_t cp = UNKNOWN;
        if (iconv(cd, &from, &left, &to, &room) != (size_t)-1)
            must(utf8_decode(str_mem(utf8, sizeof utf8 - room), &cp) > 0 && cp <= UINT16_MAX);
        eight_bit[i].to[b] = (uint16_t)cp;
    }
    iconv_close(cd);
    return true;
}

size_t charset_preload(void)
{
    static iconv_t opened[CONVERTERS]; /* zero: not yet */
    size_t there = 0;
    for (size_t i = 0; i < EIGHT_BIT; i++) {
        eight_bit[i].made = eight_bit[i].made || make_eight_bit(i);
        there += eight_bit[i].made;
    }
    for (size_t i = EIGHT_BIT; i < CONVERTERS; i++) {
        if (!opened[i])
            opened[i] = iconv_open("UTF-8", converters[i]);
        there += opened[i] != (iconv_t)-1;
    }
    return there;
}

bool charset_is_known(str name)
{
    return converter_of(str_trim(name)) != NULL;
}

void charset_init(struct charset_decoder *d, str name)
{
    const char *converter = converter_of(str_trim(name));
    *d = (struct charset_decoder){.unit = 1};
    if (!converter)
        return;
    size_t i = find_converter(str_c(converter));
    if (i < EIGHT_BIT && eight_bit[i].made) {
        d->upper = eight_bit[i].to;
        return;
    }
    if (str_starts(str_c(converter), S("UTF-16")))
        d->unit = 2;
    else if (str_starts(str_c(converter), S("UTF-32")))
        d->unit = 4;
    iconv_t cd = iconv_open("UTF-8", converter);
    d->iconv = cd == (iconv_t)-1 ? NULL : cd;
}

void charset_deinit(struct charset_decoder *d)
{
    if (d->iconv)
        iconv_close(d->iconv);
    d->iconv = NULL;
}

static void hold(struct charset_decoder *d, str rest)
{
    must(rest.n <= sizeof d->held);
    memmove(d->held, rest.p, rest.n);
    d->held_n = rest.n;
}

/* Length of an unfinished character at the end of UTF-8 text, 0 to 3. */
static size_t utf8_unfinished(str s)
{
    for (size_t back = 1; back <= 3 && back <= s.n; back++) {
        unsigned char c = (unsigned char)s.p[s.n - back];
        if (c < 0x80)
            return 0;
        if (c >= 0xc0) {
            size_t whole = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
            return back < whole ? back : 0;
        }
    }
    return 0;
}

/* Converts all of in but what hold() keeps; returns when the rest is too short to tell. */
static void convert(struct charset_decoder *d, struct buf *out, str in)
{
    char *from = (char *)in.p; /* iconv takes char ** but does not write */
    size_t left = in.n;
    while (left) {
        char chunk[4096], *to = chunk;
        size_t room = sizeof chunk;
        size_t rc = iconv(d->iconv, &from, &left, &to, &room);
        int error = rc == (size_t)-1 ? errno : 0;
        buf_put(out, chunk, sizeof chunk - room);
        if (error == 0 || error == E2BIG)
            continue;
        if (error == EINVAL && left <= sizeof d->held) {
            hold(d, str_mem(from, left));
            return;
        }
        size_t skip = d->unit < left ? d->unit : left;
        buf_puts(out, S("\xef\xbf\xbd"));
        from += skip;
        left -= skip;
    }
}

static void put_eight_bit(const uint16_t *upper, struct buf *out, str in)
{
    while (in.n) {
        size_t ascii = utf8_ascii_run(in);
        buf_put(out, in.p, ascii);
        in = str_from(in, ascii);
        for (; in.n && (unsigned char)in.p[0] >= UPPER; in = str_from(in, 1))
            utf8_put(out, upper[(unsigned char)in.p[0] - UPPER]);
    }
}

static void feed_whole(struct charset_decoder *d, struct buf *out, str in)
{
    if (d->upper) {
        put_eight_bit(d->upper, out, in);
        return;
    }
    if (d->iconv) {
        convert(d, out, in);
        return;
    }
    size_t tail = utf8_unfinished(in);
    utf8_put_clean(out, str_sub(in, 0, in.n - tail));
    hold(d, str_from(in, in.n - tail));
}

void charset_feed(struct charset_decoder *d, struct buf *out, str in)
{
    while (d->held_n && in.n) { /* a byte at a time until the held character is whole */
        char joined[CHARSET_HELD_MAX + 1];
        size_t n = d->held_n;
        if (n == CHARSET_HELD_MAX) { /* no character is that long: give the first byte up */
            buf_puts(out, S("\xef\xbf\xbd"));
            hold(d, str_mem(d->held + 1, --n));
        }
        memcpy(joined, d->held, n);
        joined[n++] = in.p[0];
        in = str_from(in, 1);
        d->held_n = 0;
        feed_whole(d, out, str_mem(joined, n));
    }
    if (in.n)
        feed_whole(d, out, in);
}

void charset_finish(struct charset_decoder *d, struct buf *out)
{
    if (d->held_n)
        buf_puts(out, S("\xef\xbf\xbd"));
    d->held_n = 0;
    if (d->iconv) { /* some converters hold a last character themselves */
        char chunk[64], *to = chunk;
        size_t room = sizeof chunk;
        (void)iconv(d->iconv, NULL, NULL, &to, &room);
        buf_put(out, chunk, sizeof chunk - room);
    }
}

void charset_to_utf8(struct buf *out, str name, str in)
{
    struct charset_decoder d;
    charset_init(&d, name);
    charset_feed(&d, out, in);
    charset_finish(&d, out);
    charset_deinit(&d);
}
