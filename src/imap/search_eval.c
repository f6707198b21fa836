/* search_eval: evaluates a SEARCH program with three values; see search_eval.h. A key that costs more than
 * what is at hand is UNDECIDED; AND and OR decide without it where they can. */
#include "imap/search_eval.h"

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
    struct search_text text;   /* from COST_HEADER on */
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
        return uidset_has(&plan->uids, sub->uid);
    case SEARCH_RECENT:
        return box_is_recent(sub->s->box, sub->uid);
    case SEARCH_FLAG:
    case SEARCH_KEYWORD:
        return (sub->msg->flags & plan->flags) || (sub->msg->keywords & plan->keywords);
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
        return search_text_header(&sub->text, plan->field, plan->needle);
    case SEARCH_BODY:
    case SEARCH_TEXT:
        return search_text_find(&sub->text, sub->program, plan);
    default: /* SENTBEFORE, SENTON, SENTSINCE */
        return search_text_sent_day(&sub->text, &day) && compare_day(day, plan);
    }
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
        v = UNDECIDED;
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
    enum rc rc = box_content_open(sub->s->box, sub->uid, &content, e);
    if (rc != RC_OK)
        return rc;
    search_text_begin(&sub->text, content.raw);
    for (sub->have = COST_HEADER; sub->have <= COST_BODY && *ret == UNDECIDED; sub->have++)
        *ret = eval(sub, sub->program->root);
    box_content_close(&content);
    return RC_OK;
}

static enum rc eval_row(struct subject *sub, const struct box_msg *msg, enum verdict *ret, struct err *e)
{
    sub->uid = msg->uid;
    sub->msg = msg;
    sub->have = COST_ROW;
    *ret = eval(sub, sub->program->root);
    return *ret == UNDECIDED ? eval_content(sub, ret, e) : RC_OK;
}

/* --- the mailbox --- */

/* What the UIDs alone decide; what they leave open goes to ret_open. */
static void eval_view(struct subject *sub, struct uidset *ret_yes, struct uidset *ret_open)
{
    const struct uidset *view = box_view(sub->s->box);
    sub->have = COST_VIEW;
    for (size_t i = 0; i < view->n; i++) {
        for (uint64_t uid = view->r[i].first; uid <= view->r[i].last; uid++) {
            sub->uid = (uid32)uid;
            enum verdict v = eval(sub, sub->program->root);
            if (v != NO)
                uidset_add(v == YES ? ret_yes : ret_open, sub->uid, sub->uid);
        }
    }
}

static enum rc eval_rows(struct subject *sub, const struct uidset *uids, struct uidset *ret, struct err *e)
{
    struct box_query *q;
    struct box_msg msg;
    enum verdict v;
    enum rc rc = box_query_open(sub->s->box, uids, sub->program->want, &q, e);
    if (rc != RC_OK)
        return rc;
    while ((rc = box_query_next(q, &msg, e)) == RC_OK) {
        rc = eval_row(sub, &msg, &v, e);
        if (rc == RC_OK && v == YES)
            uidset_add(ret, msg.uid, msg.uid);
        if (rc != RC_OK && rc != RC_GONE) /* gone: expunged in the meantime, not found */
            break;
    }
    box_query_close(q);
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc run(struct imap_session *s, struct search_program *p, struct uidset *ret_uids, struct err *e)
{
    AUTO(uidset_deinit) struct uidset open = {0};
    struct subject sub = {.s = s, .program = p};
    eval_view(&sub, ret_uids, &open);
    if (open.n == 0)
        return RC_OK;
    search_text_init(&sub.text);
    AUTO(uidset_deinit) struct uidset found = {0};
    enum rc rc = eval_rows(&sub, &open, &found, e);
    search_text_deinit(&sub.text);
    uidset_add_set(ret_uids, &found);
    return rc;
}

enum rc search_badcharset(struct imap_reply *re)
{
    re->code = S("BADCHARSET (US-ASCII UTF-8)");
    return err_set(&re->err, RC_PERM, 0, "", "This charset is not known.");
}

enum rc search_find(struct imap_session *s, struct imap_lex *lex, const struct search_node *root,
                    struct uidset *ret, bool *ret_modseq, struct imap_reply *re)
{
    struct search_program program = {0};
    enum rc rc = search_program_make(s, root, &program);
    if (rc == RC_INVALID)
        rc = imap_expect(lex, "message numbers that exist");
    if (rc == RC_INVALID && (s->enabled & IMAP_UIDONLY)) /* RFC 9586 §3.5: UIDs cannot be wrong */
        re->code = S("UIDREQUIRED");
    if (rc == RC_OK && program.has_modseq)
        imap_condstore_enable(s);
    if (rc == RC_OK)
        rc = run(s, &program, ret, &re->err);
    *ret_modseq = program.has_modseq;
    search_program_deinit(&program);
    return rc;
}
