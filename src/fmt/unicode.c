/* libunistring's normalisation, case folding and character properties behind str and buf. */
#include "fmt/unicode.h"

#include "base/utf8.h"

#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>

enum { CODE_POINT_MAX = 0x10ffff }; /* the library calls what is beyond assigned */

/* Puts libunistring's malloc'ed result into out and frees it. */
static enum rc take_result(uint8_t *p, size_t n, struct buf *out)
{
    must(p);
    buf_put(out, p, n);
    free(p);
    return out->overflow ? RC_LIMIT : RC_OK;
}

enum rc unicode_nfkc(str s, struct buf *out)
{
    if (!utf8_valid(s))
        return RC_INVALID;
    if (s.n == 0)
        return RC_OK;
    size_t n = 0;
    uint8_t *p = u8_normalize(UNINORM_NFKC, (const uint8_t *)s.p, s.n, NULL, &n);
    return take_result(p, n, out);
}

enum rc unicode_casefold(str s, struct buf *out)
{
    if (!utf8_valid(s))
        return RC_INVALID;
    if (s.n == 0)
        return RC_OK;
    size_t n = 0;
    uint8_t *p = u8_casefold((const uint8_t *)s.p, s.n, NULL, UNINORM_NFC, NULL, &n);
    return take_result(p, n, out);
}

static enum rc searchfold(str s, struct buf *out)
{
    uint8_t room[512]; /* most words fit: no allocation */
    size_t n = sizeof room;
    uint8_t *p = u8_casefold((const uint8_t *)s.p, s.n, NULL, UNINORM_NFKD, room, &n);
    if (p != room)
        return take_result(p, n, out);
    buf_put(out, p, n);
    return out->overflow ? RC_LIMIT : RC_OK;
}

/* What the characters fold to that mail is full of: letters of two bytes, dashes and quotation marks. The
 * library takes a microsecond for each word. A character whose folding begins with a mark is not in the
 * table, because marks change places; all others fold each by itself. */
enum {
    LETTERS_END = 0x800,
    PUNCTUATION = 0x2000,
    PUNCTUATION_END = 0x2100,
    FOLDED = LETTERS_END + PUNCTUATION_END - PUNCTUATION,
    FOLDED_BYTES = 11
};

struct folded {
    uint8_t n; /* 0: not in the table */
    char p[FOLDED_BYTES];
};

static struct folded folded[FOLDED]; /* empty until unicode_preload */

static const struct folded *find_folded(uint32_t cp)
{
    if (cp < LETTERS_END)
        return &folded[cp];
    if (cp >= PUNCTUATION && cp < PUNCTUATION_END)
        return &folded[LETTERS_END + cp - PUNCTUATION];
    return NULL;
}

void unicode_preload(void)
{
    AUTO(buf_deinit) struct buf from = BUF_INIT(4), to = BUF_INIT(FOLDED_BYTES);
    for (uint32_t i = 0x80; i < FOLDED; i++) {
        uint32_t first;
        buf_reset(&from);
        buf_reset(&to);
        utf8_put(&from, i < LETTERS_END ? i : i - LETTERS_END + PUNCTUATION);
        if (searchfold(buf_str(&from), &to) != RC_OK || !utf8_decode(buf_str(&to), &first) ||
            uc_combining_class(first) != UC_CCC_NR)
            continue;
        folded[i].n = (uint8_t)to.n;
        memcpy(folded[i].p, to.p, to.n);
    }
}

/* False, and nothing is put, when a character is not in the table. */
static bool put_folded(str s, struct buf *out)
{
    size_t before = out->n;
    while (s.n) {
        uint32_t cp;
        size_t n = utf8_decode(s, &cp);
        const struct folded *to = n ? find_folded(cp) : NULL;
        if (!to || to->n == 0) {
            buf_truncate(out, before);
            return false;
        }
        buf_put(out, to->p, to->n);
        s = str_from(s, n);
    }
    return true;
}

enum rc unicode_searchfold(str s, struct buf *out)
{
    if (put_folded(s, out))
        return out->overflow ? RC_LIMIT : RC_OK;
    return utf8_valid(s) ? searchfold(s, out) : RC_INVALID;
}

enum unicode_direction unicode_direction(uint32_t cp)
{
    switch (uc_bidi_category(cp)) {
    case UC_BIDI_R:
    case UC_BIDI_AL:
        return UNICODE_DIR_RIGHT;
    case UC_BIDI_L:
        return UNICODE_DIR_LEFT;
    default:
        return UNICODE_DIR_OTHER;
    }
}

bool unicode_is_assigned(uint32_t cp)
{
    return cp <= CODE_POINT_MAX && !uc_is_general_category(cp, UC_UNASSIGNED);
}
