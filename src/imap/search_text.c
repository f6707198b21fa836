/* search_text: decodes, folds and looks; see search_text.h. A text comes in chunks. Folding may not cut a
 * character from the accents behind it, so each chunk is folded up to its last ASCII byte, and the rest waits
 * for the next one; of the folded text as much is kept as the longest needle needs to be found across the
 * cut. */
#include "imap/search_text.h"

#include "fmt/bodytext.h"
#include "fmt/casefold.h"
#include "fmt/date.h"
#include "fmt/header.h"
#include "fmt/mime.h"
#include "fmt/rfc2047.h"

enum {
    TREE_ARENA_MAX = 16 * 1024 * 1024,
    VALUE_MAX = 64 * 1024, /* bytes of one field that are looked at */
    HELD_MAX = 64 * 1024,  /* text without any ASCII that waits for the next chunk */
    DECODED_MAX = 512 * 1024,
    FOLDED_MAX = 16 * DECODED_MAX
};

void search_text_init(struct search_text *t)
{
    *t = (struct search_text){0};
    t->arena = arena_new(TREE_ARENA_MAX);
    buf_init(&t->decoded, DECODED_MAX);
    buf_init(&t->folded, FOLDED_MAX);
}

void search_text_deinit(struct search_text *t)
{
    t->arena = arena_free(t->arena);
    buf_deinit(&t->decoded);
    buf_deinit(&t->folded);
}

void search_text_begin(struct search_text *t, str raw)
{
    t->raw = raw;
    t->header = str_sub(raw, 0, header_size(raw));
    t->bodies_done = t->texts_done = t->date_done = false;
}

static bool holds(str text, str needle)
{
    return needle.n == 0 || (text.n >= needle.n && memmem(text.p, text.n, needle.p, needle.n));
}

bool search_text_header(struct search_text *t, str field, str needle)
{
    struct header_iter it = header_iter(t->header);
    struct header_field f;
    while (header_next(&it, &f)) {
        if (!str_ieq(f.name, field))
            continue;
        if (needle.n == 0)
            return true;
        buf_reset(&t->decoded);
        buf_reset(&t->folded);
        rfc2047_decode(&t->decoded, str_sub(f.value, 0, VALUE_MAX));
        casefold_put(&t->folded, buf_str(&t->decoded));
        if (holds(buf_str(&t->folded), needle))
            return true;
    }
    return false;
}

bool search_text_sent_day(struct search_text *t, int64_t *ret_day)
{
    struct header_field f;
    struct date date;
    if (!t->date_done) {
        t->date_done = true;
        t->date_valid = header_find(t->header, S("Date"), 0, &f) && date_parse_mail(f.value, &date) == RC_OK;
        if (t->date_valid)
            t->date_day = date_day(date);
    }
    if (t->date_valid)
        *ret_day = t->date_day;
    return t->date_valid;
}

/* --- BODY and TEXT --- */

struct pass {
    struct search_text *t;
    struct search_plan *keys; /* linked by next_text */
    size_t keep;              /* folded bytes that a match may need from before the cut */
};

/* Looks for what is not found yet; false when nothing is left to look for. */
static bool look(struct pass *p)
{
    bool missing = false;
    for (struct search_plan *key = p->keys; key; key = key->next_text) {
        key->found = key->found || holds(buf_str(&p->t->folded), key->needle);
        missing = missing || !key->found;
    }
    return missing;
}

/* Folds the first n bytes that wait, behind the end of what was folded before. */
static bool fold_and_look(struct pass *p, size_t n)
{
    struct search_text *t = p->t;
    if (t->folded.n > p->keep)
        buf_drop(&t->folded, t->folded.n - p->keep);
    casefold_put(&t->folded, str_sub(buf_str(&t->decoded), 0, n));
    buf_drop(&t->decoded, n);
    return look(p);
}

static bool on_text(void *arg, const struct mime_part *part, str utf8, bool first)
{
    struct pass *p = arg;
    struct search_text *t = p->t;
    if (first) { /* another text: the last one is complete */
        bool more = t->decoded.n == 0 || fold_and_look(p, t->decoded.n);
        buf_reset(&t->folded);
        if (!more)
            return false;
    }
    buf_puts(&t->decoded, utf8);
    size_t n = t->decoded.n;
    while (n > 0 && (t->decoded.p[n - 1] & 0x80))
        n--;
    if (n > 0)
        n--; /* the cut is in front of the last ASCII byte */
    else if (t->decoded.n > HELD_MAX)
        n = t->decoded.n;
    return n == 0 || fold_and_look(p, n);
}

/* A message whose tree has no room is searched as one part. */
static const struct mime_part *tree(struct search_text *t)
{
    static const struct mime_limits single = {.depth = 0, .parts = 1};
    struct mime_part *root;
    arena_reset(t->arena);
    if (mime_parse(t->raw, t->arena, NULL, &root) == RC_OK)
        return root;
    arena_reset(t->arena);
    must(mime_parse(t->raw, t->arena, &single, &root) == RC_OK);
    return root;
}

static void pass_over(struct search_text *t, struct search_plan *keys, enum bodytext_what what)
{
    struct pass p = {.t = t, .keys = keys};
    buf_reset(&t->decoded);
    buf_reset(&t->folded);
    for (struct search_plan *key = keys; key; key = key->next_text) {
        key->found = key->needle.n == 0;
        if (key->needle.n > p.keep + 1)
            p.keep = key->needle.n - 1;
    }
    if (bodytext_each(t->raw, tree(t), what, on_text, &p) && t->decoded.n)
        (void)fold_and_look(&p, t->decoded.n);
}

bool search_text_find(struct search_text *t, struct search_program *p, const struct search_plan *key)
{
    bool text = key->key == SEARCH_TEXT;
    bool *done = text ? &t->texts_done : &t->bodies_done;
    if (!*done)
        pass_over(t, text ? p->texts : p->bodies, text ? BODYTEXT_ALL : BODYTEXT_BODIES);
    *done = true;
    return key->found;
}
