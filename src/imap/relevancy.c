/* relevancy: see relevancy.h. */
#include "imap/relevancy.h"

#include "imap/progress.h"
#include "imap/search_text.h"

struct rating {
    struct imap_session *s;
    struct search_program program;
    struct search_text text;
    bool common; /* the header fields that the store keeps are enough */
    const struct uidset *uids;
    uint8_t *scores;
};

bool relevancy_sorts(const struct imap_sort *sort)
{
    for (size_t i = 0; i < sort->n; i++)
        if (sort->by[i].key == SORT_RELEVANCY)
            return true;
    return false;
}

enum rc relevancy_check(struct imap_lex *lex, const struct imap_return *how, const struct imap_sort *sort,
                        const struct search_node *root)
{
    bool asked = (how->options & RETURN_RELEVANCY) || (sort && relevancy_sorts(sort));
    return asked && !imap_search_is_fuzzy(root) ? imap_expect(lex, "FUZZY, which RELEVANCY needs") : RC_OK;
}

/* --- scores --- */

static bool only_common(const struct search_program *p)
{
    for (const struct search_plan *key = p->fuzzies; key; key = key->next_text)
        if (key->cost > COST_COMMON)
            return false;
    return true;
}

static uint8_t score(struct rating *r)
{
    unsigned sum = 0, met = 0;
    for (const struct search_plan *key = r->program.fuzzies; key; key = key->next_text) {
        unsigned one = search_text_score(&r->text, key);
        sum += one;
        met += one > 0;
    }
    return (uint8_t)(met ? sum / met : FUZZY_EXACT);
}

/* RC_GONE: it was expunged under way. */
static enum rc rate(struct rating *r, const struct box_msg *msg, struct err *e)
{
    struct box_content content = {0};
    enum rc rc = RC_OK;
    if (r->common && msg->header.p) {
        search_text_begin_header(&r->text, msg->header);
    } else if ((rc = box_content_open(r->program.box, msg->uid, &content, e)) == RC_OK) {
        search_text_begin(&r->text, content.raw);
    }
    if (rc == RC_OK)
        r->scores[uidset_rank(r->uids, msg->uid) - 1] = score(r);
    box_content_close(&content);
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc rate_all(struct rating *r, struct err *e)
{
    struct box_query *q;
    struct box_msg msg;
    uint32_t done = 0, goal = uidset_count(r->uids);
    enum rc rc = box_query_open(r->program.box, r->uids, r->common ? BOX_WANT_HEADER : 0, &q, e);
    if (rc != RC_OK)
        return rc;
    while ((rc = imap_progress(r->s, done++, goal)) == RC_OK && (rc = box_query_next(q, &msg, e)) == RC_OK &&
           (rc = rate(r, &msg, e)) == RC_OK) {
    }
    box_query_close(q);
    return rc == RC_GONE ? RC_OK : rc;
}

enum rc relevancy_of(struct imap_session *s, struct box *b, const struct search_node *root,
                     const struct uidset *uids, uint8_t *ret, struct err *e)
{
    struct rating r = {.s = s, .uids = uids, .scores = ret};
    memset(ret, 1, uidset_count(uids)); /* those that are gone */
    enum rc rc = search_program_make(s, b, root, &r.program);
    r.common = only_common(&r.program);
    search_text_init(&r.text);
    if (rc == RC_OK)
        rc = rate_all(&r, e);
    search_text_deinit(&r.text);
    search_program_deinit(&r.program);
    return rc;
}

enum rc relevancy_add(struct imap_session *s, const struct imap_return *how, const struct search_node *root,
                      struct search_result *r, struct err *e)
{
    AUTO(uidset_deinit) struct uidset uids = {0};
    if (!(how->options & RETURN_RELEVANCY) || r->scores)
        return RC_OK;
    for (size_t i = 0; i < r->n; i++)
        uidset_add(&uids, r->uids[i], r->uids[i]);
    uint8_t *ascending = malloc(r->n + 1);
    r->scores = malloc(r->n + 1);
    must(ascending && r->scores);
    enum rc rc = relevancy_of(s, r->box, root, &uids, ascending, e);
    for (size_t i = 0; i < r->n; i++)
        r->scores[i] = ascending[uidset_rank(&uids, r->uids[i]) - 1];
    free(ascending);
    return rc;
}
