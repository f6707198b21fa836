/* SORT and UID SORT (RFC 5256, RFC 5957), with RETURN (RFC 5267 §3). Messages whose keys are all the same
 * stay in the order of the mailbox (RFC 5256 §2). */
#include "imap/command.h"
#include "imap/progress.h"
#include "imap/search_eval.h"
#include "imap/search_result.h"
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
    bool addresses; /* keys look at more of the envelope than date and subject */
};

/* sort = "SORT" [sort-return-opts] SP sort-criteria SP charset 1*(SP search-key) */
static enum rc parse(struct imap_lex *lex, struct imap_reply *re, struct imap_return *ret_how,
                     struct imap_sort *ret_sort, struct search_node **ret)
{
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_return_parse(lex, ret_how);
    if (rc == RC_OK)
        rc = imap_sort_parse(lex, ret_sort);
    if (rc == RC_OK)
        rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_search_parse_sorted(lex, ret);
    if (rc == RC_PERM)
        return search_badcharset(re);
    return rc == RC_OK ? imap_eol(lex) : rc;
}

static unsigned wanted(const struct imap_sort *program)
{
    for (size_t i = 0; i < program->n; i++)
        if (sort_key_needs_envelope(program->by[i].key))
            return BOX_WANT_ENVELOPE;
    return 0;
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
        rc = sort_value_make(&t->maker, t->program.by[i].key, &f, msg, &by[i]);
    t->rows[t->n++] = (struct sort_row){msg->uid, by};
    return rc;
}

static enum rc load(struct sorting *t, const struct uidset *uids, struct err *e)
{
    struct box_query *q;
    struct box_msg msg;
    for (size_t i = 0; i < t->program.n; i++)
        t->addresses |= sort_key_needs_address(t->program.by[i].key);
    t->rows = reallocarray(NULL, uidset_count(uids) + (size_t)1, sizeof *t->rows);
    must(t->rows);
    enum rc rc = box_query_open(t->s->box, uids, wanted(&t->program), &q, e);
    if (rc != RC_OK)
        return rc;
    for (uint32_t done = 0, goal = uidset_count(uids);
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

static enum rc sort(struct sorting *t, const struct uidset *found, struct search_result *ret, struct err *e)
{
    AUTO(arena_freep) struct arena *keep = arena_new(KEYS_MAX_BYTES);
    sort_maker_init(&t->maker, keep);
    enum rc rc = load(t, found, e);
    if (rc == RC_OK) {
        qsort_r(t->rows, t->n, sizeof *t->rows, compare_rows, &t->program);
        ret->uids = reallocarray(NULL, t->n + 1, sizeof *ret->uids);
        must(ret->uids);
        for (size_t i = 0; i < t->n; i++)
            ret->uids[i] = t->rows[i].uid;
        ret->n = t->n;
    }
    free(t->rows);
    sort_maker_deinit(&t->maker);
    return rc;
}

enum rc imap_cmd_sort(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    AUTO(uidset_deinit) struct uidset found = {0};
    AUTO(search_result_deinit) struct search_result result = {.word = "SORT", .box = s->box};
    struct sorting t = {.s = s};
    struct imap_return how = {0};
    struct search_node *root;
    enum rc rc = parse(lex, re, &how, &t.program, &root);
    if (rc == RC_OK)
        rc = search_find(s, s->box, lex, root, &found, &result.with_modseq, re);
    if (rc == RC_OK)
        rc = sort(&t, &found, &result, &re->err);
    if (rc == RC_OK)
        rc = search_result_put(s, &result, &how, &re->err);
    search_forget_saved(s, rc, &how);
    return rc;
}
