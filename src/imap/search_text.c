/* search_text: decodes, folds and looks; see search_text.h. */
#include "imap/search_text.h"

#include "fmt/casefold.h"
#include "fmt/date.h"
#include "fmt/header.h"
#include "fmt/rfc2047.h"

enum {
    VALUE_MAX = 64 * 1024, /* bytes of one field that are looked at */
    DECODED_MAX = 512 * 1024,
    FOLDED_MAX = 16 * DECODED_MAX,
    FUZZY_KEEP = 8 * FUZZY_WORD_MAX /* of a window for the next one: a word, with its accents */
};

void search_text_init(struct search_text *t)
{
    *t = (struct search_text){0};
    t->arena = arena_new(MIME_TREE_BYTES);
    foldtext_init(&t->text);
    buf_init(&t->decoded, DECODED_MAX);
    buf_init(&t->folded, FOLDED_MAX);
}

void search_text_deinit(struct search_text *t)
{
    t->arena = arena_free(t->arena);
    foldtext_deinit(&t->text);
    buf_deinit(&t->decoded);
    buf_deinit(&t->folded);
}

void search_text_begin(struct search_text *t, str raw)
{
    t->raw = raw;
    t->header = str_sub(raw, 0, header_size(raw));
    t->bodies_done = t->texts_done = t->date_done = false;
}

void search_text_begin_header(struct search_text *t, str header)
{
    search_text_begin(t, STR_NONE);
    t->header = header;
}

static bool holds(str text, str needle)
{
    return needle.n == 0 || (text.n >= needle.n && memmem(text.p, text.n, needle.p, needle.n));
}

static str folded(struct search_text *t, str value)
{
    buf_reset(&t->decoded);
    buf_reset(&t->folded);
    rfc2047_decode(&t->decoded, str_sub(value, 0, VALUE_MAX));
    casefold_put(&t->folded, buf_str(&t->decoded));
    return buf_str(&t->folded);
}

bool search_text_header(struct search_text *t, str field, str needle)
{
    struct header_iter it = header_iter(t->header);
    struct header_field f;
    while (header_next(&it, &f))
        if (str_ieq(f.name, field) && (needle.n == 0 || holds(folded(t, f.value), needle)))
            return true;
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

/* Looks for what is not found yet; false when nothing is left to look for. */
static bool look(void *arg, str window)
{
    bool missing = false;
    for (struct search_plan *key = arg; key; key = key->next_text) {
        key->found = key->found || holds(window, key->needle);
        missing = missing || !key->found;
    }
    return missing;
}

/* Windows overlap by what the longest needle needs to be found across a cut. */
static void pass_over(struct search_text *t, struct search_plan *keys, enum bodytext_what what)
{
    size_t keep = 0;
    for (struct search_plan *key = keys; key; key = key->next_text) {
        key->found = key->needle.n == 0;
        if (key->needle.n > keep + 1)
            keep = key->needle.n - 1;
    }
    arena_reset(t->arena);
    (void)foldtext_each(&t->text, t->raw, mime_tree(t->raw, t->arena), what, keep, look, keys);
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

/* --- FUZZY --- */

static bool look_fuzzily(void *arg, str window)
{
    return fuzzy_look(arg, window);
}

static void look_at_fields(struct search_text *t, str field, struct fuzzy *fuzzy)
{
    struct header_iter it = header_iter(t->header);
    struct header_field f;
    while (header_next(&it, &f))
        if (str_ieq(f.name, field) && !fuzzy_look(fuzzy, folded(t, f.value)))
            return;
}

unsigned search_text_score(struct search_text *t, const struct search_plan *key)
{
    fuzzy_begin(key->fuzzy);
    if (key->key == SEARCH_HEADER) {
        look_at_fields(t, key->field, key->fuzzy);
    } else {
        arena_reset(t->arena);
        (void)foldtext_each(&t->text, t->raw, mime_tree(t->raw, t->arena),
                            key->key == SEARCH_TEXT ? BODYTEXT_ALL : BODYTEXT_BODIES, FUZZY_KEEP,
                            look_fuzzily, key->fuzzy);
    }
    return fuzzy_score(key->fuzzy);
}
