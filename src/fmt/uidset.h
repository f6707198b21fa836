/* uidset: an ordered set of 32-bit numbers (UIDs or sequence numbers) kept as ranges, with rank and select.
 * A mailbox without holes is one range whatever its size; a session's view of a mailbox and every
 * sequence-set of a command are uidsets (RFC 9051 §9, sequence-set). Invariants: ranges are sorted, do not
 * touch or overlap; 0 is never a member. Lookups cost O(log ranges). */
#ifndef FMT_UIDSET_H
#define FMT_UIDSET_H

#include "base/buf.h"

typedef uint32_t uid32;

struct uidrange {
    uid32 first, last; /* inclusive */
};

struct uidset {
    struct uidrange *r;
    size_t n, cap;
    uint32_t *before; /* members before each range; rebuilt lazily */
    bool before_valid;
};

void uidset_init(struct uidset *s);
void uidset_deinit(struct uidset *s);
void uidset_clear(struct uidset *s);
void uidset_copy(struct uidset *dst, const struct uidset *src);
void uidset_add(struct uidset *s, uid32 first, uid32 last);
void uidset_add_set(struct uidset *s, const struct uidset *other);
void uidset_del(struct uidset *s, uid32 first, uid32 last);
void uidset_intersect(struct uidset *s, const struct uidset *other);
void uidset_subtract(struct uidset *s, const struct uidset *other);
bool uidset_has(const struct uidset *s, uid32 uid);
uint32_t uidset_count(const struct uidset *s);
uid32 uidset_max(const struct uidset *s); /* 0 when empty */
/* Position of uid, counted from 1; 0 when it is not a member. */
uint32_t uidset_rank(const struct uidset *s, uid32 uid);
/* The member at position k (from 1); 0 past the end. */
uid32 uidset_select(const struct uidset *s, uint32_t k);
/* Smallest member >= uid, 0 when there is none: `for (u = uidset_next(s, 1); u; u = uidset_next(s, u + 1))`.
 */
uid32 uidset_next(const struct uidset *s, uid32 uid);

/* sequence-set (RFC 9051 §9): numbers, ranges, "*" standing for `star`, in any order, at most max_ranges
 * elements. RC_INVALID for a bad grammar or a 0, RC_LIMIT past max_ranges. `7:*` with star 3 gives 3:7 as the
 * RFC says. */
MUST_USE enum rc uidset_parse(str text, uid32 star, size_t max_ranges, struct uidset *ret);
/* "1:4,7" (RFC 4315 uid-set). */
void uidset_format(const struct uidset *s, struct buf *out);

#endif
