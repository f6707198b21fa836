/* sort: see sort.h. */
#include "imap/sort.h"

#include "imap/progress.h"
#include "imap/relevancy.h"
#include "imap/sort_keys.h"

enum { KEYS_MAX_BYTES = 256 << 20 }; /* for all keys of all messages */

struct sort_row {
    uid32 uid;
    const struct sort_value *by; /* as many as the program has keys */
};

struct sorting {
    struct imap_session *s;
    struct imap_sort program;
    struct sort_maker maker;
    struct sort_row *rows;
    size_t n;
    const struct uidset *uids;
    uint8_t *scores; /* of uids; NULL: no key asks for them */
    bool addresses;  /* keys look at more of the envelope than date and subject */
};

static unsigned wanted(const struct imap_sort *program)
{
    for (size_t i = 0; i < program->n; i++)
        if (sort_key_needs_envelope(program->by[i].key))
            return BOX_WANT_ENVELOPE;
    return 0;
}

static unsigned score_of(const struct sorting *t, uid32 uid)
{
    return t->scores ? t->scores[uidset_rank(t->uids, uid) - 1] : 0;
}

static enum rc add_row(struct sorting *t, const struct box_msg *msg)
{
    struct envelope_fields f = {0};
    struct sort_value *by = arena_array(t->maker.keep, t->program.n, sizeof *by);
    enum rc rc = by ? RC_OK : RC_LIMIT;
    arena_reset(t->maker.scratch);
    if (msg->envelope.n)
        (t->addresses ? envelope_read : envelope_read_subject)(msg->envelope, t->maker.scratch, &f);
    for (size_t i = 0; i < t->program.n && rc == RC_OK; i++)
        rc = sort_value_make(&t->maker, t->program.by[i].key, &f, msg, score_of(t, msg->uid), &by[i]);
    t->rows[t->n++] = (struct sort_row){msg->uid, by};
    return rc;
}

static enum rc load(struct sorting *t, struct err *e)
{
    struct box_query *q;
    struct box_msg msg;
    for (size_t i = 0; i < t->program.n; i++)
        t->addresses |= sort_key_needs_address(t->program.by[i].key);
    t->rows = reallocarray(NULL, uidset_count(t->uids) + (size_t)1, sizeof *t->rows);
    must(t->rows);
    enum rc rc = box_query_open(t->s->box, t->uids, wanted(&t->program), &q, e);
    if (rc != RC_OK)
        return rc;
    for (uint32_t done = 0, goal = uidset_count(t->uids);
         rc == RC_OK && (rc = box_query_next(q, &msg, e)) == RC_OK; done++)
        if ((rc = imap_progress(t->s, done, goal)) == RC_OK)
            rc = add_row(t, &msg);
    box_query_close(q);
    return rc == RC_GONE ? RC_OK : rc;
}

static int compare_values(const struct sort_value *a, const struct sort_value *b)
{
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return str_cmp(a->text, b->text);
}

static int compare_rows(const void *a, const void *b, void *program)
{
    const struct imap_sort *p = program;
    const struct sort_row *x = a, *y = b;
    for (size_t i = 0; i < p->n; i++) {
        int order = compare_values(&x->by[i], &y->by[i]);
        if (order)
            return p->by[i].reverse ? -order : order;
    }
    return x->uid < y->uid ? -1 : x->uid > y->uid;
}

static enum rc rate(struct sorting *t, const struct search_node *root, struct err *e)
{
    if (!relevancy_sorts(&t->program))
        return RC_OK;
    t->scores = malloc(uidset_count(t->uids) + (size_t)1);
    must(t->scores);
    return relevancy_of(t->s, t->s->box, root, t->uids, t->scores, e);
}

static void give(const struct sorting *t, struct search_result *ret)
{
    ret->uids = reallocarray(NULL, t->n + 1, sizeof *ret->uids);
    ret->scores = t->scores ? malloc(t->n + 1) : NULL;
    must(ret->uids && (ret->scores || !t->scores));
    ret->n = t->n;
    for (size_t i = 0; i < t->n; i++) {
        ret->uids[i] = t->rows[i].uid;
        if (ret->scores)
            ret->scores[i] = (uint8_t)score_of(t, t->rows[i].uid);
    }
}

enum rc sort_messages(struct imap_session *s, const struct imap_sort *program, const struct search_node *root,
                      const struct uidset *uids, struct search_result *ret, struct err *e)
{
    AUTO(arena_freep) struct arena *keep = arena_new(KEYS_MAX_BYTES);
    struct sorting t = {.s = s, .program = *program, .uids = uids};
    sort_maker_init(&t.maker, keep);
    enum rc rc = rate(&t, root, e);
    if (rc == RC_OK)
        rc = load(&t, e);
    if (rc == RC_OK) {
        qsort_r(t.rows, t.n, sizeof *t.rows, compare_rows, &t.program);
        give(&t, ret);
    }
    free(t.rows);
    free(t.scores);
    sort_maker_deinit(&t.maker);
    return rc;
}
