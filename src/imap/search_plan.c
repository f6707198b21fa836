/* search_plan: makes a SEARCH tree ready; see search_plan.h. Nesting is bounded by the codec. */
#include "imap/search_plan.h"

#include "fmt/casefold.h"
#include "fmt/header_common.h"
#include "imap/flags.h"

enum {
    FOLDED_MAX = 16 * SEARCH_TEXT_MAX, /* a ligature folds to several times its length */
    PROGRAM_MAX = 4 << 20
};

struct planner {
    struct imap_session *s;
    struct search_program *program;
};

static enum search_cost key_cost(const struct search_node *node)
{
    switch (node->key) {
    case SEARCH_AND:
    case SEARCH_OR:
    case SEARCH_SEQ_SET:
    case SEARCH_UID_SET:
    case SEARCH_RECENT:
        return COST_VIEW;
    case SEARCH_FLAG:
    case SEARCH_KEYWORD:
        return COST_FLAGS;
    case SEARCH_SENTBEFORE:
    case SEARCH_SENTON:
    case SEARCH_SENTSINCE:
        return COST_COMMON;
    case SEARCH_HEADER:
        return header_common_has(node->field) ? COST_COMMON : COST_HEADER;
    case SEARCH_BODY:
    case SEARCH_TEXT:
        return COST_BODY;
    default:
        return COST_ROW;
    }
}

/* Keeps the children in order of cost; those that cost the same stay as the client wrote them. */
static void insert_child(struct search_plan *parent, struct search_plan *child)
{
    struct search_plan **at = &parent->child;
    while (*at && (*at)->cost <= child->cost)
        at = &(*at)->next;
    child->next = *at;
    *at = child;
    if (child->cost > parent->cost)
        parent->cost = child->cost;
}

static enum rc plan_set(struct planner *p, const struct search_node *node, struct search_plan *plan)
{
    if (node->key == SEARCH_SEQ_SET && (p->s->enabled & IMAP_UIDONLY) && !str_eq(node->text, S("$")))
        return RC_INVALID;
    return imap_search_set(p->s, p->program->box, node->text, node->key == SEARCH_UID_SET, &plan->uids);
}

static void plan_recent(struct planner *p, struct search_plan *plan)
{
    const struct box *b = p->program->box;
    const struct uidset *view = box_view(b);
    for (uid32 uid = uidset_next(view, 1); uid; uid = uidset_next(view, uid + 1))
        if (box_is_recent(b, uid))
            uidset_add(&plan->uids, uid, uid);
}

static void plan_flag(const struct search_node *node, struct search_plan *plan)
{
    static const unsigned bits[] = {
        [SEARCH_FLAG_ANSWERED] = FLAG_ANSWERED, [SEARCH_FLAG_DELETED] = FLAG_DELETED,
        [SEARCH_FLAG_DRAFT] = FLAG_DRAFT,       [SEARCH_FLAG_FLAGGED] = FLAG_FLAGGED,
        [SEARCH_FLAG_SEEN] = FLAG_SEEN,
    };
    plan->flags = bits[node->flag];
}

/* Keywords compare without case (RFC 9051 §2.3.2); one of them may be a flag of the store, too. */
static enum rc plan_keyword(struct planner *p, const struct search_node *node, struct search_plan *plan)
{
    const str *names;
    size_t n;
    enum rc rc = imap_flags_parse(p->program->arena, &node->text, 1, &plan->flags, &names, &n);
    if (rc != RC_OK)
        return rc;
    n = box_keywords(p->program->box, &names);
    for (size_t i = 0; i < n && i < 64; i++)
        if (str_ieq(names[i], node->text))
            plan->keywords = UINT64_C(1) << i;
    return RC_OK;
}

static enum rc plan_needle(struct planner *p, const struct search_node *node, struct search_plan *plan)
{
    AUTO(buf_deinit) struct buf folded = BUF_INIT(FOLDED_MAX);
    casefold_put(&folded, node->text);
    plan->field = node->field;
    plan->needle = arena_str(p->program->arena, buf_str(&folded));
    return folded.overflow || !plan->needle.p ? RC_LIMIT : RC_OK;
}

static void add_text(struct search_plan **list, struct search_plan *plan)
{
    plan->next_text = *list;
    *list = plan;
}

/* HEADER, BODY, TEXT. A text without words is looked for as it is, also within FUZZY. */
static enum rc plan_text(struct planner *p, const struct search_node *node, struct search_plan *plan)
{
    enum rc rc = plan_needle(p, node, plan);
    if (rc == RC_OK && node->fuzzy) {
        plan->fuzzy = arena_make(p->program->arena, struct fuzzy);
        rc = plan->fuzzy ? fuzzy_init(plan->fuzzy, plan->needle) : RC_LIMIT;
        if (rc == RC_OK && plan->fuzzy->n == 0)
            plan->fuzzy = NULL;
    }
    if (plan->fuzzy)
        add_text(&p->program->fuzzies, plan);
    else if (node->key == SEARCH_BODY)
        add_text(&p->program->bodies, plan);
    else if (node->key == SEARCH_TEXT)
        add_text(&p->program->texts, plan);
    return rc;
}

static enum rc plan_key(struct planner *p, const struct search_node *node, struct search_plan *plan)
{
    switch (node->key) {
    case SEARCH_SEQ_SET:
    case SEARCH_UID_SET:
        return plan_set(p, node, plan);
    case SEARCH_RECENT:
        plan_recent(p, plan);
        return RC_OK;
    case SEARCH_FLAG:
        plan_flag(node, plan);
        return RC_OK;
    case SEARCH_KEYWORD:
        return plan_keyword(p, node, plan);
    case SEARCH_BODY:
    case SEARCH_TEXT:
    case SEARCH_HEADER:
        return plan_text(p, node, plan);
    case SEARCH_EMAILID:
        p->program->want |= BOX_WANT_OBJECT;
        plan->needle = node->text;
        return RC_OK;
    case SEARCH_MODSEQ:
        p->program->has_modseq = true;
        plan->number = node->number;
        return RC_OK;
    default:
        plan->number = node->number;
        return RC_OK;
    }
}

/* A failure leaves the tree so that search_program_deinit reaches every set in it. */
static enum rc make(struct planner *p, const struct search_node *node, struct search_plan *parent)
{
    struct search_plan *plan = arena_make(p->program->arena, struct search_plan);
    if (!plan)
        return RC_LIMIT;
    plan->key = node->key;
    plan->negated = node->negated;
    plan->cost = key_cost(node);
    if (plan->key != SEARCH_AND && plan->key != SEARCH_OR)
        p->program->costs |= 1u << plan->cost;
    enum rc rc = plan_key(p, node, plan);
    for (const struct search_node *child = node->child; child && rc == RC_OK; child = child->next)
        rc = make(p, child, plan);
    insert_child(parent, plan);
    return rc;
}

enum rc search_program_make(struct imap_session *s, struct box *b, const struct search_node *root,
                            struct search_program *ret)
{
    *ret = (struct search_program){.box = b, .arena = arena_new(PROGRAM_MAX), .now = clock_seconds()};
    ret->root = arena_make(ret->arena, struct search_plan);
    must(ret->root);
    struct planner p = {s, ret};
    return make(&p, root, ret->root);
}

static void free_sets(struct search_plan *plan)
{
    for (; plan; plan = plan->next) {
        uidset_deinit(&plan->uids);
        free_sets(plan->child);
    }
}

void search_program_deinit(struct search_program *p)
{
    free_sets(p->root);
    p->arena = arena_free(p->arena);
}
