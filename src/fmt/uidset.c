/* uidset: sorted ranges in one array; see the header for the invariants.
 * Adding at the end and looking up are what sessions do all day, so those are O(1) and O(log ranges); sets
 * that come from text or from another set are merged in one pass, never range by range. */
#include "fmt/uidset.h"

#include "base/num.h"

void uidset_init(struct uidset *s)
{
    *s = (struct uidset){0};
}

void uidset_deinit(struct uidset *s)
{
    free(s->r);
    free(s->before);
    uidset_init(s);
}

void uidset_clear(struct uidset *s)
{
    s->n = 0;
    s->before_valid = false;
}

static void reserve(struct uidset *s, size_t n)
{
    if (n <= s->cap)
        return;
    size_t cap = s->cap ? s->cap : 4;
    while (cap < n)
        cap *= 2;
    s->r = reallocarray(s->r, cap, sizeof *s->r);
    s->before = reallocarray(s->before, cap, sizeof *s->before);
    must(s->r && s->before);
    s->cap = cap;
}

void uidset_copy(struct uidset *dst, const struct uidset *src)
{
    if (dst == src)
        return;
    reserve(dst, src->n);
    if (src->n)
        memcpy(dst->r, src->r, src->n * sizeof *src->r);
    dst->n = src->n;
    dst->before_valid = false;
}

/* Index of the first range whose last >= uid; n when there is none. */
static size_t lower_bound(const struct uidset *s, uid32 uid)
{
    size_t lo = 0, hi = s->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->r[mid].last < uid)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Replaces the ranges [from, to) by the k ranges at `with` (k at most 2). */
static void splice(struct uidset *s, size_t from, size_t to, const struct uidrange *with, size_t k)
{
    size_t tail = s->n - to;
    reserve(s, from + k + tail);
    if (tail)
        memmove(s->r + from + k, s->r + to, tail * sizeof *s->r);
    for (size_t i = 0; i < k; i++)
        s->r[from + i] = with[i];
    s->n = from + k + tail;
    s->before_valid = false;
}

/* Appends a range that begins at or behind the begin of the last one. */
static void push(struct uidset *s, struct uidrange r)
{
    struct uidrange *last = s->n ? &s->r[s->n - 1] : NULL;
    s->before_valid = false;
    if (last && (last->last == UINT32_MAX || r.first <= last->last + 1)) {
        if (r.last > last->last)
            last->last = r.last;
        return;
    }
    reserve(s, s->n + 1);
    s->r[s->n++] = r;
}

void uidset_add(struct uidset *s, uid32 first, uid32 last)
{
    must(first > 0 && first <= last);
    struct uidrange add = {first, last};
    if (s->n == 0 || first >= s->r[s->n - 1].first) {
        push(s, add);
        return;
    }
    /* all ranges that overlap or touch [first, last] melt into one */
    size_t from = lower_bound(s, first - 1 ? first - 1 : 1), to = from;
    while (to < s->n && (last == UINT32_MAX || s->r[to].first <= last + 1)) {
        if (s->r[to].first < add.first)
            add.first = s->r[to].first;
        if (s->r[to].last > add.last)
            add.last = s->r[to].last;
        to++;
    }
    splice(s, from, to, &add, 1);
}

void uidset_add_set(struct uidset *s, const struct uidset *other)
{
    if (other == s || other->n == 0)
        return;
    if (s->n == 0 || other->r[0].first >= s->r[s->n - 1].first) {
        for (size_t i = 0; i < other->n; i++)
            push(s, other->r[i]);
        return;
    }
    struct uidset merged = {0};
    reserve(&merged, s->n + other->n);
    for (size_t i = 0, k = 0; i < s->n || k < other->n;) {
        bool mine = k >= other->n || (i < s->n && s->r[i].first <= other->r[k].first);
        push(&merged, mine ? s->r[i++] : other->r[k++]);
    }
    uidset_deinit(s);
    *s = merged;
}

void uidset_del(struct uidset *s, uid32 first, uid32 last)
{
    must(first > 0 && first <= last);
    size_t from = lower_bound(s, first), to = from;
    struct uidrange left[2];
    size_t k = 0;
    while (to < s->n && s->r[to].first <= last) {
        if (s->r[to].first < first)
            left[k++] = (struct uidrange){s->r[to].first, first - 1};
        if (s->r[to].last > last)
            left[k++] = (struct uidrange){last + 1, s->r[to].last};
        to++;
    }
    if (to > from)
        splice(s, from, to, left, k);
}

void uidset_intersect(struct uidset *s, const struct uidset *other)
{
    if (other == s)
        return;
    struct uidset both = {0};
    for (size_t i = 0, k = 0; i < s->n && k < other->n;) {
        struct uidrange a = s->r[i], b = other->r[k];
        uid32 first = a.first > b.first ? a.first : b.first;
        uid32 last = a.last < b.last ? a.last : b.last;
        if (first <= last)
            push(&both, (struct uidrange){first, last});
        if (a.last < b.last)
            i++;
        else
            k++;
    }
    uidset_deinit(s);
    *s = both;
}

void uidset_subtract(struct uidset *s, const struct uidset *other)
{
    struct uidset left = {0};
    size_t k = 0;
    for (size_t i = 0; i < s->n; i++) {
        uid32 from = s->r[i].first, last = s->r[i].last;
        bool open = true; /* [from, last] is still to be kept */
        while (k < other->n && other->r[k].last < from)
            k++;
        for (size_t j = k; open && j < other->n && other->r[j].first <= last; j++) {
            if (other->r[j].first > from)
                push(&left, (struct uidrange){from, other->r[j].first - 1});
            open = other->r[j].last < last;
            from = open ? other->r[j].last + 1 : from;
        }
        if (open)
            push(&left, (struct uidrange){from, last});
    }
    uidset_deinit(s);
    *s = left;
}

bool uidset_has(const struct uidset *s, uid32 uid)
{
    size_t i = lower_bound(s, uid);
    return uid > 0 && i < s->n && s->r[i].first <= uid;
}

/* Counts are a cache of the ranges, so a const set may fill them. */
static const uint32_t *counts(const struct uidset *s)
{
    if (!s->before_valid) {
        uint32_t sum = 0;
        for (size_t i = 0; i < s->n; i++) {
            s->before[i] = sum;
            sum += s->r[i].last - s->r[i].first + 1;
        }
        ((struct uidset *)s)->before_valid = true;
    }
    return s->before;
}

uint32_t uidset_count(const struct uidset *s)
{
    if (s->n == 0)
        return 0;
    const struct uidrange *last = &s->r[s->n - 1];
    return counts(s)[s->n - 1] + (last->last - last->first + 1);
}

uid32 uidset_max(const struct uidset *s)
{
    return s->n ? s->r[s->n - 1].last : 0;
}

uint32_t uidset_rank(const struct uidset *s, uid32 uid)
{
    size_t i = lower_bound(s, uid);
    if (uid == 0 || i >= s->n || s->r[i].first > uid)
        return 0;
    return counts(s)[i] + (uid - s->r[i].first) + 1;
}

uid32 uidset_select(const struct uidset *s, uint32_t k)
{
    if (k == 0 || k > uidset_count(s))
        return 0;
    const uint32_t *before = counts(s);
    size_t lo = 0, hi = s->n;
    while (hi - lo > 1) { /* before[lo] < k holds */
        size_t mid = lo + (hi - lo) / 2;
        if (before[mid] < k)
            lo = mid;
        else
            hi = mid;
    }
    return s->r[lo].first + (k - before[lo] - 1);
}

uid32 uidset_next(const struct uidset *s, uid32 uid)
{
    if (uid == 0) /* the loop's u + 1 wrapped around behind the largest UID */
        return 0;
    size_t i = lower_bound(s, uid);
    if (i >= s->n)
        return 0;
    return s->r[i].first > uid ? s->r[i].first : uid;
}

/* seq-number = nz-number / "*" (RFC 9051 §9); *ret is 0 for "*" in an empty mailbox. */
static enum rc parse_number(str s, uid32 star, uid32 *ret)
{
    if (str_eq(s, S("*"))) {
        *ret = star;
        return RC_OK;
    }
    if (s.n == 0 || s.p[0] == '0' || num_parse_u32(s, UINT32_MAX, ret) != RC_OK)
        return RC_INVALID;
    return RC_OK;
}

/* One element: seq-number / seq-range. A range may be written backwards. */
static enum rc parse_element(str s, uid32 star, struct uidrange *ret)
{
    ptrdiff_t colon = str_chr(s, ':');
    uid32 a, b;
    enum rc rc = parse_number(colon < 0 ? s : str_sub(s, 0, (size_t)colon), star, &a);
    if (rc != RC_OK)
        return rc;
    b = a;
    if (colon >= 0 && (rc = parse_number(str_from(s, (size_t)colon + 1), star, &b)) != RC_OK)
        return rc;
    if (a == 0 || b == 0) /* "n:*" in an empty mailbox is n */
        a = b = a > b ? a : b;
    *ret = a <= b ? (struct uidrange){a, b} : (struct uidrange){b, a};
    return RC_OK;
}

static int by_first(const void *a, const void *b)
{
    const struct uidrange *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* sequence-set = (seq-number / seq-range) ["," sequence-set]   ; RFC 9051 §9 */
enum rc uidset_parse(str text, uid32 star, size_t max_ranges, struct uidset *ret)
{
    struct uidset raw = {0};
    enum rc rc = text.n && text.p[text.n - 1] != ',' ? RC_OK : RC_INVALID;
    for (size_t elements = 0; rc == RC_OK && text.n; elements++) {
        struct uidrange r;
        rc = elements < max_ranges ? parse_element(str_take(&text, ','), star, &r) : RC_LIMIT;
        if (rc == RC_OK && r.first) {
            reserve(&raw, raw.n + 1);
            raw.r[raw.n++] = r;
        }
    }
    if (rc == RC_OK) {
        if (raw.n)
            qsort(raw.r, raw.n, sizeof *raw.r, by_first);
        uidset_clear(ret);
        for (size_t i = 0; i < raw.n; i++)
            push(ret, raw.r[i]);
    }
    uidset_deinit(&raw);
    return rc;
}

void uidset_format(const struct uidset *s, struct buf *out)
{
    for (size_t i = 0; i < s->n; i++) {
        if (i)
            buf_putc(out, ',');
        buf_put_u64(out, s->r[i].first);
        if (s->r[i].last > s->r[i].first) {
            buf_putc(out, ':');
            buf_put_u64(out, s->r[i].last);
        }
    }
}
