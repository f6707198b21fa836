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

enum rc unicode_searchfold(str s, struct buf *out)
{
    uint8_t room[512]; /* most words fit: no allocation */
    size_t n = sizeof room;
    if (!utf8_valid(s))
        return RC_INVALID;
    if (s.n == 0)
        return RC_OK;
    uint8_t *p = u8_casefold((const uint8_t *)s.p, s.n, NULL, UNINORM_NFKD, room, &n);
    if (p != room)
        return take_result(p, n, out);
    buf_put(out, p, n);
    return out->overflow ? RC_LIMIT : RC_OK;
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
