/* Sets of UIDs: every operation does to the ranges what it does to a bitmap of 64 members, low ones or the
 * highest there are, and any sequence-set that parses prints and parses the same. The input is read twice: as
 * the text of a sequence-set, and as a byte that chooses the members, then pairs of operation and operand. */
#include "fmt/uidset.h"

enum { MEMBERS = 64, ELEMENTS_MAX = 1000, STEPS_MAX = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pair {
    struct uidset set[2];
    uint64_t bits[2]; /* bit k: base + k + 1 is a member */
    uid32 base;
};

static uint64_t run_of(unsigned first, unsigned last)
{
    return (last - first == MEMBERS - 1 ? UINT64_MAX : (UINT64_C(1) << (last - first + 1)) - 1) << first;
}

static void apply(struct pair *p, uint8_t op, uint8_t operand)
{
    int which = op >> 7, other = !which;
    unsigned a = operand % MEMBERS, b = op / 8 % 16 * 4 + operand / MEMBERS;
    unsigned first = a < b ? a : b, last = a < b ? b : a;
    struct uidset *s = &p->set[which];
    switch (op % 8) {
    case 0:
    case 1:
        uidset_add(s, p->base + first + 1, p->base + last + 1);
        p->bits[which] |= run_of(first, last);
        break;
    case 2:
    case 3:
        uidset_del(s, p->base + first + 1, p->base + last + 1);
        p->bits[which] &= ~run_of(first, last);
        break;
    case 4:
        uidset_add_set(s, &p->set[other]);
        p->bits[which] |= p->bits[other];
        break;
    case 5:
        uidset_intersect(s, &p->set[other]);
        p->bits[which] &= p->bits[other];
        break;
    case 6:
        uidset_subtract(s, &p->set[other]);
        p->bits[which] &= ~p->bits[other];
        break;
    default:
        uidset_copy(&p->set[other], s);
        p->bits[other] = p->bits[which];
    }
}

static void check_ranges(const struct uidset *s)
{
    for (size_t i = 0; i < s->n; i++) {
        must(s->r[i].first > 0 && s->r[i].first <= s->r[i].last);
        must(i == 0 || s->r[i].first - s->r[i - 1].last > 1);
    }
}

static void check_members(const struct uidset *s, uint64_t bits, uid32 base)
{
    uint32_t rank = 0;
    uid32 max = 0, next = uidset_next(s, 1);
    check_ranges(s);
    for (unsigned k = 0; k < MEMBERS; k++) {
        uid32 uid = base + k + 1;
        bool member = bits >> k & 1;
        must(uidset_has(s, uid) == member && uidset_rank(s, uid) == (member ? rank + 1 : 0));
        if (!member)
            continue;
        must(next == uid && uidset_select(s, ++rank) == uid);
        next = uidset_next(s, uid + 1);
        max = uid;
    }
    must(next == 0 && uidset_count(s) == rank && uidset_max(s) == max && uidset_select(s, rank + 1) == 0);
}

static void check_text(str text)
{
    struct uidset set, again;
    struct buf out = BUF_INIT(32 * ELEMENTS_MAX);
    uidset_init(&set);
    uidset_init(&again);
    if (uidset_parse(text, 7, ELEMENTS_MAX, &set) == RC_OK) {
        check_ranges(&set);
        uidset_format(&set, &out);
        must(uidset_parse(buf_str(&out), 1, ELEMENTS_MAX, &again) == (set.n ? RC_OK : RC_INVALID));
        must(set.n == again.n && uidset_count(&set) == uidset_count(&again));
        uidset_subtract(&again, &set);
        must(uidset_count(&again) == 0);
    }
    uidset_deinit(&set);
    uidset_deinit(&again);
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_text(str_mem(data, size));
    struct pair p = {.base = size && data[0] & 1 ? UINT32_MAX - MEMBERS : 0};
    for (size_t i = 1; i + 1 < size && i < STEPS_MAX; i += 2) {
        apply(&p, data[i], data[i + 1]);
        check_members(&p.set[0], p.bits[0], p.base);
        check_members(&p.set[1], p.bits[1], p.base);
    }
    uidset_deinit(&p.set[0]);
    uidset_deinit(&p.set[1]);
    return 0;
}
