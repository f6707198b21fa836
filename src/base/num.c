/* Numbers from bytes. Every parser first takes the digits, then the unit; a byte that belongs to neither wins
 * over a value that is too large, so that "99999999999999999999x" is malformed, not too big. */
#include "base/num.h"

/* Takes leading digits off *s; a value past UINT64_MAX sets *ret_big. False when there is no digit. */
static bool take_digits(str *s, uint64_t *ret_value, bool *ret_big)
{
    size_t i = 0;
    uint64_t value = 0;
    bool big = false;
    for (; i < s->n && ascii_digit(s->p[i]); i++)
        big |= __builtin_mul_overflow(value, 10, &value) ||
               __builtin_add_overflow(value, (uint64_t)(s->p[i] - '0'), &value);
    if (i == 0)
        return false;
    *s = str_from(*s, i);
    *ret_value = value;
    *ret_big = big;
    return true;
}

enum rc num_parse_u64(str s, uint64_t max, uint64_t *ret)
{
    uint64_t value;
    bool big;
    if (!take_digits(&s, &value, &big) || s.n)
        return RC_INVALID;
    if (big || value > max)
        return RC_LIMIT;
    *ret = value;
    return RC_OK;
}

enum rc num_parse_u32(str s, uint32_t max, uint32_t *ret)
{
    uint64_t value;
    enum rc rc = num_parse_u64(s, max, &value);
    if (rc == RC_OK)
        *ret = (uint32_t)value;
    return rc;
}

/* A unit of a number: what one of it is worth. */
struct unit {
    const char *name;
    uint64_t worth;
};

static enum rc parse_with_unit(str s, const struct unit *units, bool fold_case, uint64_t max, uint64_t *ret)
{
    uint64_t value, worth = 0;
    bool big;
    if (!take_digits(&s, &value, &big))
        return RC_INVALID;
    for (; units->name && !worth; units++)
        if (fold_case ? str_ieq(s, str_c(units->name)) : str_eq(s, str_c(units->name)))
            worth = units->worth;
    if (!worth)
        return RC_INVALID;
    if (big || __builtin_mul_overflow(value, worth, &value) || value > max)
        return RC_LIMIT;
    *ret = value;
    return RC_OK;
}

/* size = 1*DIGIT [ "B" / ( ( "k" / "M" / "G" / "T" ) [ "B" / "iB" ] ) ]    ; any case */
enum rc num_parse_size(str s, uint64_t *ret_bytes)
{
    static const struct unit units[] = {
        {"", 1},          {"b", 1},          {"k", 1 << 10},     {"kb", 1 << 10},     {"kib", 1 << 10},
        {"m", 1 << 20},   {"mb", 1 << 20},   {"mib", 1 << 20},   {"g", 1 << 30},      {"gb", 1 << 30},
        {"gib", 1 << 30}, {"t", 1ULL << 40}, {"tb", 1ULL << 40}, {"tib", 1ULL << 40}, {NULL, 0},
    };
    return parse_with_unit(s, units, true, UINT64_MAX, ret_bytes);
}

/* duration = 1*DIGIT [ "ms" / "s" / "m" / "h" / "d" / "w" ] */
enum rc num_parse_duration_ms(str s, int64_t *ret_ms)
{
    static const struct unit units[] = {
        {"", 1000},     {"ms", 1},       {"s", 1000},      {"m", 60000},
        {"h", 3600000}, {"d", 86400000}, {"w", 604800000}, {NULL, 0},
    };
    uint64_t ms;
    enum rc rc = parse_with_unit(s, units, false, INT64_MAX, &ms);
    if (rc == RC_OK)
        *ret_ms = (int64_t)ms;
    return rc;
}
