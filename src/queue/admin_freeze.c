/* Accounts whose sending is stopped. */
#include "queue/admin_impl.h"
#include "queue/outbound.h"

enum rc queue_admin_freeze(struct queue_admin *a, str account, const char *reason, struct err *e)
{
    struct queue_touches touched = {.n = 0};
    enum rc rc = db_begin(a->q.writer, true, e);
    if (rc == RC_OK)
        rc = db_end(a->q.writer, outbound_freeze(&a->q, account, reason, &touched, e), e);
    return rc;
}

/* What is released is due, and so are its lanes and sites. */
static enum rc release(struct queue_admin *a, str account, struct err *e)
{
    int64_t now = a->q.noted; /* as in admin.c */
    enum rc rc = db_run(a->q.writer, e,
                        "UPDATE rcpt SET held=0,due=?2 WHERE held=?3 AND message IN"
                        " (SELECT n FROM message WHERE account=?1 AND account<>'')",
                        DB_T(account), DB_I(now), DB_I(HELD_BY_BREAKER));
    if (rc == RC_OK)
        rc = db_run(
            a->q.writer, e,
            "UPDATE lane SET due=?2 WHERE due>?2 AND n IN (SELECT r.lane FROM message m JOIN rcpt r ON "
            "r.message=m.n WHERE m.account=?1 AND m.account<>'')",
            DB_T(account), DB_I(now));
    if (rc == RC_OK)
        rc = db_run(
            a->q.writer, e,
            "UPDATE site SET due=max(?2,retry) WHERE due>?2 AND n IN (SELECT l.site FROM message m JOIN "
            "rcpt r ON r.message=m.n JOIN lane l ON l.n=r.lane WHERE m.account=?1 AND m.account<>'')",
            DB_T(account), DB_I(now));
    return rc;
}

enum rc queue_admin_unfreeze(struct queue_admin *a, str account, struct err *e)
{
    enum rc rc = db_begin(a->q.writer, true, e);
    if (rc != RC_OK)
        return rc;
    rc = db_run(a->q.writer, e, "DELETE FROM freeze WHERE account=?1", DB_T(account));
    if (rc == RC_OK && db_changes(a->q.writer) == 0)
        rc = err_set(e, RC_GONE, 0, "", "sending from " STR_FMT " is not frozen", STR_ARG(account));
    if (rc == RC_OK) /* it begins anew, or the same hour would freeze it again */
        rc = db_run(a->q.writer, e, "DELETE FROM usage WHERE account=?1", DB_T(account));
    if (rc == RC_OK)
        rc = db_run(a->q.writer, e, "UPDATE network SET first=0 WHERE account=?1", DB_T(account));
    if (rc == RC_OK)
        rc = release(a, account, e);
    return db_end(a->q.writer, rc, e);
}

enum rc queue_admin_each_frozen(struct queue_admin *a,
                                void (*fn)(void *ctx, str account, int64_t since, str reason), void *ctx,
                                struct err *e)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    enum rc rc =
        db_query_args(a->q.writer, &s, e, "SELECT account,since,reason FROM freeze ORDER BY since", NULL, 0);
    while (rc == RC_OK && (rc = db_step(s, e)) == RC_OK)
        fn(ctx, db_text(s, 0), db_int(s, 1), db_text(s, 2));
    return rc == RC_GONE ? RC_OK : rc;
}
