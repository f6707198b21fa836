/* Bits are collected in the largest signature, which is then halved, the halves laid over each other, while
 * no more than a quarter of its bits would be set. */
#include "fmt/textsig.h"

enum { SEQUENCE = 3, BITS_PER_SEQUENCE = 4 };

static uint32_t hash(uint32_t sequence)
{
    return (sequence & 0xffffff) * UINT32_C(2654435761) >> 15;
}

struct collector {
    unsigned char bits[TEXTSIG_MAX];
    size_t set; /* of them */
};

static bool collect(void *arg, str window)
{
    struct collector *c = arg;
    const unsigned char *p = (const unsigned char *)window.p;
    if (window.n < SEQUENCE)
        return true;
    uint32_t sequence = (uint32_t)(p[0] << 8 | p[1]);
    for (size_t i = SEQUENCE - 1; i < window.n; i++) {
        sequence = sequence << 8 | p[i];
        uint32_t bit = hash(sequence);
        unsigned char *byte = &c->bits[bit / 8], mask = (unsigned char)(1 << bit % 8);
        c->set += !(*byte & mask);
        *byte |= mask;
    }
    return true;
}

/* Lays the second half over the first. */
static void halve(unsigned char *bits, size_t n)
{
    for (size_t i = 0; i < n / 2; i += sizeof(uint64_t)) {
        uint64_t a, b;
        memcpy(&a, bits + i, sizeof a);
        memcpy(&b, bits + n / 2 + i, sizeof b);
        a |= b;
        memcpy(bits + i, &a, sizeof a);
    }
}

void textsig_put(struct buf *out, struct foldtext *room, str raw, const struct mime_part *root)
{
    struct collector c = {{0}, 0};
    (void)foldtext_each(room, raw, root, BODYTEXT_ALL, SEQUENCE - 1, collect, &c);
    size_t n = TEXTSIG_MAX;
    for (; n > TEXTSIG_MIN && 8 * n / 2 >= c.set * BITS_PER_SEQUENCE; n /= 2)
        halve(c.bits, n);
    buf_put(out, c.bits, n);
}

bool textsig_may_hold(str signature, str needle)
{
    uint32_t sequence = 0;
    size_t n = signature.n;
    if (n < TEXTSIG_MIN || n > TEXTSIG_MAX || (n & (n - 1)))
        return true;
    for (size_t i = 0; i < needle.n; i++) {
        sequence = sequence << 8 | (unsigned char)needle.p[i];
        if (i + 1 < SEQUENCE)
            continue;
        size_t bit = hash(sequence) & (8 * n - 1);
        if (!(signature.p[bit / 8] >> bit % 8 & 1))
            return false;
    }
    return true;
}
