/* search_eval: evaluates a SEARCH program with three values; see search_eval.h. A key that costs more than
 * what is at hand is UNDECIDED; AND and OR decide without it where they can. */
#include "imap/search_eval.h"

#include "fmt/textsig.h"
#include "imap/message_limit.h"
#include "imap/progress.h"
#include "imap/resync.h"
#include "imap/search_text.h"

enum verdict { NO, YES, UNDECIDED };

enum { SECONDS_PER_DAY = 86400 };

struct subject {
    struct imap_session *s;
    struct search_program *program;
    enum search_cost have; /* what may be looked at */
    uid32 uid;
    const struct box_msg *msg; /* from COST_ROW on */
    struct search_text text;   /* from COST_COMMON on */
};

static enum verdict eval(struct subject *sub, const struct search_plan *plan);

/* INTERNALDATE is told in UTC, so its day is that of UTC (RFC 9051 §6.4.4: "disregarding time and timezone").
 */
static int64_t day_of(int64_t seconds)
{
    return seconds / SECONDS_PER_DAY - (seconds % SECONDS_PER_DAY < 0);
}

static bool compare_day(int64_t day, const struct search_plan *plan)
{
    switch (plan->key) {
    case SEARCH_BEFORE:
    case SEARCH_SAVEDBEFORE:
    case SEARCH_SENTBEFORE:
        return day < plan->number;
    case SEARCH_ON:
    case SEARCH_SAVEDON:
    case SEARCH_SENTON:
        return day == plan->number;
    default:
        return day >= plan->number;
    }
}

static bool leaf_matches(struct subject *sub, const struct search_plan *plan)
{
    int64_t day;
    switch (plan->key) {
    case SEARCH_SEQ_SET:
    case SEARCH_UID_SET:
    case SEARCH_RECENT:
    case SEARCH_FLAG:
    case SEARCH_KEYWORD:
        return uidset_has(&plan->uids, sub->uid);
    case SEARCH_LARGER:
        return sub->msg->size > (uint64_t)plan->number;
    case SEARCH_SMALLER:
        return sub->msg->size < (uint64_t)plan->number;
    case SEARCH_BEFORE:
    case SEARCH_ON:
    case SEARCH_SINCE:
        return compare_day(day_of(sub->msg->internal_date), plan);
    case SEARCH_SAVEDBEFORE:
    case SEARCH_SAVEDON:
    case SEARCH_SAVEDSINCE:
        return compare_day(day_of(sub->msg->save_date), plan);
    case SEARCH_OLDER:
        return sub->program->now - sub->msg->internal_date >= plan->number;
    case SEARCH_YOUNGER:
        return sub->program->now - sub->msg->internal_date <= plan->number;
    case SEARCH_EMAILID:
        return str_eq(sub->msg->email_id, plan->needle);
    case SEARCH_THREADID: /* no message has one */
        return false;
    case SEARCH_MODSEQ:
        return sub->msg->modseq >= (uint64_t)plan->number;
    case SEARCH_HEADER:
        return plan->fuzzy ? search_text_score(&sub->text, plan) > 0
                           : search_text_header(&sub->text, plan->field, plan->needle);
    case SEARCH_BODY:
    case SEARCH_TEXT:
        return plan->fuzzy ? search_text_score(&sub->text, plan) > 0
                           : search_text_find(&sub->text, sub->program, plan);
    default: /* SENTBEFORE, SENTON, SENTSINCE */
        return search_text_sent_day(&sub->text, &day) && compare_day(day, plan);
    }
}

/* Of a text that may not be looked at now. */
static enum verdict by_signature(const struct subject *sub, const struct search_plan *plan)
{
    bool asked = sub->have == COST_SIGNATURE && plan->cost == COST_BODY && !plan->fuzzy;
    return asked && !textsig_may_hold(sub->msg->signature, plan->needle) ? NO : UNDECIDED;
}

/* AND ends at the first NO, OR at the first YES. */
static enum verdict eval_children(struct subject *sub, const struct search_plan *plan)
{
    enum verdict ends = plan->key == SEARCH_AND ? NO : YES, result = plan->key == SEARCH_AND ? YES : NO;
    for (const struct search_plan *child = plan->child; child; child = child->next) {
        enum verdict v = eval(sub, child);
        if (v == ends)
            return v;
        if (v == UNDECIDED)
            result = UNDECIDED;
    }
    return result;
}

static enum verdict eval(struct subject *sub, const struct search_plan *plan)
{
    enum verdict v;
    if (plan->key == SEARCH_AND || plan->key == SEARCH_OR)
        v = eval_children(sub, plan);
    else if (plan->cost > sub->have)
        v = by_signature(sub, plan);
    else
        v = leaf_matches(sub, plan) ? YES : NO;
    if (!plan->negated || v == UNDECIDED)
        return v;
    return v == YES ? NO : YES;
}

/* --- one message --- */

static enum rc eval_content(struct subject *sub, enum verdict *ret, struct err *e)
{
    struct box_content content;
    enum rc rc = box_content_open(sub->program->box, sub->uid, &content, e);
    if (rc != RC_OK)
        return rc;
    search_text_begin(&sub->text, content.raw);
    for (sub->have = COST_HEADER; sub->have <= COST_BODY && *ret == UNDECIDED; sub->have++)
        *ret = eval(sub, sub->program->root);
    box_content_close(&content);
    return RC_OK;
}

static bool has_key(const struct search_program *p, enum search_cost cost)
{
    return p->costs >> cost & 1;
}

/* What the index decides, or else the file. Common fields that are too long for the index leave it open. */
static enum rc eval_message(struct subject *sub, const struct box_msg *msg, enum search_cost look,
                            enum verdict *ret, struct err *e)
{
    sub->uid = msg->uid;
    sub->msg = msg;
    sub->have = COST_ROW;
    if (msg->header.p) {
        search_text_begin_header(&sub->text, msg->header);
        sub->have = COST_COMMON;
    }
    if (look == COST_SIGNATURE && (msg->header.p || !has_key(sub->program, COST_COMMON)))
        sub->have = COST_SIGNATURE;
    *ret = eval(sub, sub->program->root);
    return *ret == UNDECIDED && look == COST_BODY ? eval_content(sub, ret, e) : RC_OK;
}

/* --- the mailbox --- */

struct split { /* of many messages: which match, and of which that is open */
    struct uidset yes, open;
};

static void split_deinit(struct split *s)
{
    uidset_deinit(&s->yes);
    uidset_deinit(&s->open);
}

static void split_by_sets(const struct subject *sub, const struct search_plan *plan,
                          const struct uidset *among, struct split *ret);

/* AND goes on with what is not excluded, OR with what is not found. */
static void split_by_children(const struct subject *sub, const struct search_plan *plan,
                              const struct uidset *among, struct split *ret)
{
    AUTO(uidset_deinit) struct uidset left = {0};
    bool all = plan->key == SEARCH_AND;
    uidset_copy(&left, among);
    if (all)
        uidset_copy(&ret->yes, among);
    for (const struct search_plan *child = plan->child; child && left.n; child = child->next) {
        AUTO(split_deinit) struct split s = {0};
        split_by_sets(sub, child, &left, &s);
        if (all) {
            uidset_intersect(&ret->yes, &s.yes);
            uidset_copy(&left, &s.open);
            uidset_add_set(&left, &s.yes);
        } else {
            uidset_add_set(&ret->yes, &s.yes);
            uidset_add_set(&ret->open, &s.open);
            uidset_subtract(&left, &s.yes);
        }
    }
    if (all)
        uidset_copy(&ret->open, &left);
    uidset_subtract(&ret->open, &ret->yes);
}

/* The same as eval, for all messages at once: only keys that have a set of messages are decided. */
static void split_by_sets(const struct subject *sub, const struct search_plan *plan,
                          const struct uidset *among, struct split *ret)
{
    if (plan->key == SEARCH_AND || plan->key == SEARCH_OR) {
        split_by_children(sub, plan, among, ret);
    } else if (plan->cost > sub->have) {
        uidset_copy(&ret->open, among);
    } else {
        uidset_copy(&ret->yes, among);
        uidset_intersect(&ret->yes, &plan->uids);
    }
    if (plan->negated) {
        struct uidset no = {0};
        uidset_copy(&no, among);
        uidset_subtract(&no, &ret->yes);
        uidset_subtract(&no, &ret->open);
        uidset_deinit(&ret->yes);
        ret->yes = no;
    }
}

/* Decides what the sets of the keys decide of *open, which keeps the rest. */
static void eval_sets(struct subject *sub, enum search_cost have, struct uidset *open, struct uidset *ret_yes)
{
    AUTO(split_deinit) struct split s = {0};
    sub->have = have;
    split_by_sets(sub, sub->program->root, open, &s);
    uidset_add_set(ret_yes, &s.yes);
    uidset_copy(open, &s.open);
}

/* Fills the set of a FLAG or KEYWORD as far as messages are open. For \Seen it is that of those without it,
 * which are fewer. */
static enum rc find_flag(struct subject *sub, struct search_plan *plan, const struct uidset *open,
                         struct err *e)
{
    bool none = plan->flags == FLAG_SEEN;
    plan->negated ^= none;
    if (plan->flags == 0 && plan->keywords == 0)
        return RC_OK;
    return box_find_flags(sub->program->box, open, plan->flags, plan->keywords, none, &plan->uids, e);
}

static enum rc find_flags(struct subject *sub, struct search_plan *plan, const struct uidset *open,
                          struct err *e)
{
    enum rc rc = RC_OK;
    for (; plan && rc == RC_OK; plan = plan->next) {
        bool flag = plan->key == SEARCH_FLAG || plan->key == SEARCH_KEYWORD;
        rc = flag ? find_flag(sub, plan, open, e) : find_flags(sub, plan->child, open, e);
    }
    return rc;
}

static enum rc eval_flags(struct subject *sub, struct uidset *open, struct uidset *ret_yes, struct err *e)
{
    enum rc rc = box_drop_expunged(sub->program->box, open, e); /* they have no flags, not even none */
    if (rc == RC_OK)
        rc = find_flags(sub, sub->program->root, open, e);
    if (rc == RC_OK)
        eval_sets(sub, COST_FLAGS, open, ret_yes);
    return rc;
}

static unsigned wanted(const struct search_program *p, enum search_cost look)
{
    unsigned want = p->want | (look == COST_SIGNATURE ? BOX_WANT_SIGNATURE : 0);
    if (look != COST_BODY && look >= COST_COMMON && has_key(p, COST_COMMON))
        want |= BOX_WANT_HEADER;
    return want;
}

/* Decides what it can of *open, which keeps the rest. Progress is told of the look that takes long. */
static enum rc eval_open(struct subject *sub, enum search_cost look, struct uidset *open,
                         struct uidset *ret_yes, struct err *e)
{
    AUTO(uidset_deinit) struct uidset left = {0}, found = {0};
    struct box_query *q;
    struct box_msg msg;
    enum verdict v;
    uint32_t done = 0, goal = uidset_count(open);
    enum rc rc = box_query_open(sub->program->box, open, wanted(sub->program, look), &q, e);
    if (rc != RC_OK)
        return rc;
    while ((look != COST_BODY || (rc = imap_progress(sub->s, done++, goal)) == RC_OK) &&
           (rc = box_query_next(q, &msg, e)) == RC_OK) {
        rc = eval_message(sub, &msg, look, &v, e);
        if (rc != RC_OK && rc != RC_GONE) /* gone: expunged in the meantime, not found */
            break;
        if (rc == RC_OK && v != NO)
            uidset_add(v == YES ? &found : &left, msg.uid, msg.uid);
    }
    box_query_close(q);
    uidset_copy(open, &left);
    uidset_add_set(ret_yes, &found);
    return rc == RC_GONE ? RC_OK : rc;
}

/* What the view alone decides: to *ret_yes, or it is left open. */
static void look_at_view(struct subject *sub, const struct uidset *among, struct uidset *ret_yes,
                         struct uidset *ret_open)
{
    uidset_copy(ret_open, among);
    if (has_key(sub->program, COST_VIEW) || sub->program->costs == 0)
        eval_sets(sub, COST_VIEW, ret_open, ret_yes);
}

/* The cheap looks first, each over all that is still open: what they decide costs nothing more. */
static enum rc look_further(struct subject *sub, struct uidset *open, struct uidset *ret_uids, struct err *e)
{
    const struct search_program *p = sub->program;
    const struct {
        enum search_cost look;
        bool helps;
    } looks[] = {{COST_ROW, has_key(p, COST_ROW)},
                 {COST_COMMON, has_key(p, COST_COMMON)},
                 {COST_SIGNATURE, has_key(p, COST_BODY)},
                 {COST_BODY, true}};
    enum rc rc = RC_OK;
    if (open->n && has_key(p, COST_FLAGS))
        rc = eval_flags(sub, open, ret_uids, e);
    search_text_init(&sub->text);
    for (size_t i = 0; i < sizeof looks / sizeof *looks && open->n && rc == RC_OK; i++)
        if (looks[i].helps)
            rc = eval_open(sub, looks[i].look, open, ret_uids, e);
    search_text_deinit(&sub->text);
    return rc;
}

/* RFC 9738 §3.1: those count that are looked at, found or not. */
static uid32 limit(const struct imap_session *s, struct uidset *yes, struct uidset *open)
{
    AUTO(uidset_deinit) struct uidset all = {0};
    uidset_copy(&all, yes);
    uidset_add_set(&all, open);
    uid32 lowest = message_limit_lowest(s, &all, false);
    if (lowest) {
        uidset_del(yes, 1, lowest - 1);
        uidset_del(open, 1, lowest - 1);
    }
    return lowest;
}

static enum rc run(struct imap_session *s, struct search_program *p, struct uidset *ret,
                   struct imap_reply *re)
{
    AUTO(uidset_deinit) struct uidset open = {0};
    struct subject sub = {.s = s, .program = p};
    look_at_view(&sub, box_view(p->box), ret, &open);
    uid32 lowest = limit(s, ret, &open);
    if (lowest && (s->command->flags & CMD_WHOLE))
        return message_limit_refuse(s, 0, re);
    enum rc rc = look_further(&sub, &open, ret, &re->err);
    if (rc == RC_OK)
        message_limit_tell(s, lowest, re);
    return rc;
}

enum rc search_badcharset(struct imap_reply *re)
{
    re->code = S("BADCHARSET (US-ASCII UTF-8)");
    return err_set(&re->err, RC_PERM, 0, "", "This charset is not known.");
}

enum rc search_find(struct imap_session *s, struct box *b, struct imap_lex *lex,
                    const struct search_node *root, struct uidset *ret, bool *ret_modseq,
                    struct imap_reply *re)
{
    struct search_program program = {0};
    enum rc rc = search_program_make(s, b, root, &program);
    if (rc == RC_INVALID)
        rc = imap_expect(lex, "sets of message numbers");
    if (rc == RC_INVALID && (s->enabled & IMAP_UIDONLY)) /* RFC 9586 §3.5: UIDs cannot be wrong */
        re->code = S("UIDREQUIRED");
    if (rc == RC_OK && program.has_modseq)
        imap_condstore_enable(s);
    if (rc == RC_OK)
        rc = run(s, &program, ret, re);
    *ret_modseq = program.has_modseq;
    search_program_deinit(&program);
    return rc;
}

enum rc search_among(struct imap_session *s, struct box *b, const struct search_node *root,
                     const struct uidset *among, struct uidset *ret, struct err *e)
{
    AUTO(uidset_deinit) struct uidset open = {0};
    struct search_program program = {0};
    struct subject sub = {.s = s, .program = &program};
    enum rc rc = search_program_make(s, b, root, &program);
    if (rc == RC_OK) {
        look_at_view(&sub, among, ret, &open);
        rc = look_further(&sub, &open, ret, e);
    }
    search_program_deinit(&program);
    return rc;
}
