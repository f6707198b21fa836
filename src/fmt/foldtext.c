/* Folding may not cut a character from the accents behind it, so each chunk of text is folded up to its last
 * ASCII byte, and the rest is held for the next one. */
#include "fmt/foldtext.h"

#include "fmt/casefold.h"

enum {
    HELD_MAX = 64 * 1024,    /* text without any ASCII that waits for the next chunk */
    CHUNKS_MAX = 256 * 1024, /* what is held and a chunk */
    WINDOW_MAX = 17 * CHUNKS_MAX
};

struct pass {
    struct foldtext *t;
    size_t keep;
    foldtext_fn *fn;
    void *arg;
};

void foldtext_init(struct foldtext *t)
{
    buf_init(&t->held, CHUNKS_MAX);
    buf_init(&t->window, WINDOW_MAX);
}

void foldtext_deinit(struct foldtext *t)
{
    buf_deinit(&t->held);
    buf_deinit(&t->window);
}

static bool fold(struct pass *p, str utf8)
{
    struct buf *window = &p->t->window;
    if (window->n > p->keep)
        buf_drop(window, window->n - p->keep);
    casefold_put(window, utf8);
    return p->fn(p->arg, buf_str(window));
}

static bool fold_held(struct pass *p)
{
    struct buf *held = &p->t->held;
    bool more = held->n == 0 || fold(p, buf_str(held));
    buf_reset(held);
    return more;
}

/* Where the last ASCII byte of s stands; 0 without one. */
static size_t last_ascii(str s)
{
    size_t n = s.n;
    while (n > 0 && (s.p[n - 1] & 0x80))
        n--;
    return n > 0 ? n - 1 : 0;
}

static bool on_text(void *arg, const struct mime_part *part, str utf8, bool first)
{
    struct pass *p = arg;
    struct buf *held = &p->t->held;
    (void)part;
    if (first) { /* another text: the last one is complete */
        bool more = fold_held(p);
        buf_reset(&p->t->window);
        if (!more)
            return false;
    }
    size_t cut = last_ascii(utf8);
    bool more = true;
    if (cut > 0 && held->n == 0) {
        more = fold(p, str_sub(utf8, 0, cut));
    } else if (cut > 0) {
        buf_puts(held, str_sub(utf8, 0, cut));
        more = fold_held(p);
    }
    buf_puts(held, str_from(utf8, cut));
    return more && (held->n <= HELD_MAX || fold_held(p));
}

bool foldtext_each(struct foldtext *t, str raw, const struct mime_part *root, enum bodytext_what what,
                   size_t keep, foldtext_fn *fn, void *arg)
{
    struct pass p = {t, keep, fn, arg};
    buf_reset(&t->held);
    buf_reset(&t->window);
    return bodytext_each(raw, root, what, on_text, &p) && fold_held(&p);
}
