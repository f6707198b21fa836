/* fuzzy: see fuzzy.h. Words of any length pass through a piece of fixed size. */
#include "fmt/fuzzy.h"

#include "base/utf8.h"

enum { PIECE_MAX = 4 * FUZZY_WORD_MAX, BEGINS = 75, HOLDS = 50, ONE_EDIT = 25, TWO_EDITS = 1 };

struct piece { /* of a word of the text */
    uint32_t c[PIECE_MAX];
    size_t n;
    bool inner; /* it does not begin where the word does */
};

typedef void piece_fn(void *ctx, const struct piece *p, bool ends);

/* --- words --- */

static bool is_accent(uint32_t c) /* what decomposition puts behind letters */
{
    return c >= 0x300 && c <= 0x36f;
}

static bool is_word_char(uint32_t c)
{
    if (c < 0x80)
        return ascii_alnum((char)c);
    return c >= 0xaa && !(c >= 0x2000 && c <= 0x206f) && !(c >= 0x3000 && c <= 0x303f) && c != 0xfffd;
}

/* `fn` gets each word: as one piece, or as several that overlap by what the longest word needs. */
static void each_piece(str text, piece_fn *fn, void *ctx)
{
    struct piece p = {.n = 0};
    for (uint32_t c; text.n > 0;) {
        size_t size = utf8_decode(text, &c);
        text = str_from(text, size ? size : 1);
        if (size && is_word_char(c)) {
            if (is_accent(c))
                continue;
            if (p.n == PIECE_MAX) {
                fn(ctx, &p, false);
                memmove(p.c, p.c + PIECE_MAX - FUZZY_WORD_MAX, FUZZY_WORD_MAX * sizeof *p.c);
                p.n = FUZZY_WORD_MAX;
                p.inner = true;
            }
            p.c[p.n++] = c;
        } else {
            if (p.n > 0)
                fn(ctx, &p, true);
            p.n = 0;
            p.inner = false;
        }
    }
    if (p.n > 0)
        fn(ctx, &p, true);
}

static void add_word(void *ctx, const struct piece *p, bool ends)
{
    struct fuzzy *f = ctx;
    if (p->inner)
        return; /* the word was longer, and has been added */
    if (f->n < FUZZY_WORDS_MAX) {
        struct fuzzy_word *w = &f->words[f->n];
        w->n = p->n < FUZZY_WORD_MAX ? p->n : FUZZY_WORD_MAX;
        w->cut = p->n > w->n || !ends;
        memcpy(w->c, p->c, w->n * sizeof *w->c);
    }
    f->n++;
}

enum rc fuzzy_init(struct fuzzy *f, str folded)
{
    *f = (struct fuzzy){.n = 0};
    each_piece(folded, add_word, f);
    return f->n > FUZZY_WORDS_MAX ? RC_LIMIT : RC_OK;
}

/* --- comparing --- */

static bool same(const uint32_t *a, const uint32_t *b, size_t n)
{
    return memcmp(a, b, n * sizeof *a) == 0;
}

static bool holds(const struct piece *p, const struct fuzzy_word *w)
{
    for (size_t i = 0; i + w->n <= p->n; i++)
        if (p->c[i] == w->c[0] && same(p->c + i, w->c, w->n))
            return true;
    return false;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance of words of which neither is longer than FUZZY_WORD_MAX + 2. */
static unsigned distance(const struct fuzzy_word *w, const struct piece *p)
{
    unsigned rows[3][FUZZY_WORD_MAX + 3], *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= p->n; j++)
        above[j] = (unsigned)j;
    for (size_t i = 1; i <= w->n; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= p->n; j++) {
            unsigned other = w->c[i - 1] != p->c[j - 1];
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + other);
            if (i > 1 && j > 1 && w->c[i - 1] == p->c[j - 2] && w->c[i - 2] == p->c[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        unsigned *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[p->n];
}

/* Words of other lengths, or of hardly the same letters, need no table. */
static unsigned by_edits(const struct fuzzy_word *w, const struct piece *p)
{
    size_t edits = w->n < 4 ? 0 : w->n < 8 ? 1 : 2;
    if (edits == 0 || p->n > w->n + edits || p->n + edits < w->n)
        return 0;
    unsigned d = distance(w, p);
    return d > edits ? 0 : d == 1 ? ONE_EDIT : TWO_EDITS;
}

static unsigned compare(const struct fuzzy_word *w, const struct piece *p, bool ends)
{
    bool whole = ends && !p->inner;
    if (!p->inner && p->n >= w->n && same(p->c, w->c, w->n))
        return whole && p->n == w->n && !w->cut ? FUZZY_EXACT : BEGINS;
    if (holds(p, w))
        return HOLDS;
    return whole && !w->cut ? by_edits(w, p) : 0;
}

static void look_at(void *ctx, const struct piece *p, bool ends)
{
    struct fuzzy *f = ctx;
    for (size_t i = 0; i < f->n; i++) {
        struct fuzzy_word *w = &f->words[i];
        unsigned found = w->best < FUZZY_EXACT ? compare(w, p, ends) : 0;
        if (found > w->best)
            w->best = found;
    }
}

void fuzzy_begin(struct fuzzy *f)
{
    for (size_t i = 0; i < f->n; i++)
        f->words[i].best = 0;
}

bool fuzzy_look(struct fuzzy *f, str folded)
{
    each_piece(folded, look_at, f);
    for (size_t i = 0; i < f->n; i++)
        if (f->words[i].best < FUZZY_EXACT)
            return true;
    return false;
}

unsigned fuzzy_score(const struct fuzzy *f)
{
    unsigned sum = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (f->words[i].best == 0)
            return 0;
        sum += f->words[i].best;
    }
    return f->n ? sum / (unsigned)f->n : 0;
}
