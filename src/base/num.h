/* Numbers from bytes, with their range, and checked arithmetic for sizes. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/str.h"

/* Decimal digits only (no sign, no spaces), at least one, value <= max. RC_INVALID for other bytes, RC_LIMIT
 * past max. */
MUST_USE enum rc num_parse_u64(str s, uint64_t max, uint64_t *ret);
MUST_USE enum rc num_parse_u32(str s, uint32_t max, uint32_t *ret);
/* "10", "64k", "25M", "2G" with binary multiples; a trailing "B" or "iB" is allowed. */
MUST_USE enum rc num_parse_size(str s, uint64_t *ret_bytes);
/* "30", "30s", "5m", "4h", "5d", "1w": seconds without a unit; also "250ms". */
MUST_USE enum rc num_parse_duration_ms(str s, int64_t *ret_ms);

/* Numbers as `size` bytes, the least significant first. */
static inline void num_put_le(void *at, unsigned size, uint64_t v)
{
    for (unsigned i = 0; i < size; i++)
        ((unsigned char *)at)[i] = (unsigned char)(v >> (8 * i));
}
static inline uint64_t num_get_le(const void *at, unsigned size)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < size; i++)
        v |= (uint64_t)((const unsigned char *)at)[i] << (8 * i);
    return v;
}

static inline bool num_add(size_t a, size_t b, size_t *ret) /* false on overflow */
{
    return !__builtin_add_overflow(a, b, ret);
}
static inline bool num_mul(size_t a, size_t b, size_t *ret)
{
    return !__builtin_mul_overflow(a, b, ret);
}

#endif
