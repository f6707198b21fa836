#include "role/deliver_quota.h"

#include "os/proc.h"
#include "role/quota_terms.h"

/* rules: created with QUOTA_RULES_BYTES; lives as long as *ret. */
static void fill(const struct conf *c, const struct target *t, struct buf *rules, struct quota_terms *ret)
{
    static int control = PROC_CONTROL_FD;
    quota_terms_fill(c, target_account(t), target_quota(t), rules, ret);
    quota_terms_run(c, &control, ret);
    quota_terms_domain(c, target_domain_total(t), &control, ret);
}

static bool is_bounded(const struct target *t, const struct quota_terms *q)
{
    return quota_is_kept(target_dir(t), q) || q->mail_max > 0;
}

enum rc deliver_room(const struct conf *c, const struct target *t, uint64_t bytes, bool asked, struct err *e)
{
    AUTO(buf_deinit) struct buf rules = BUF_INIT(QUOTA_RULES_BYTES);
    const struct quota_load load = {
        .mailbox = S("INBOX"), .use = {bytes, 1}, .way = QUOTA_DELIVERED, .asked = asked};
    struct quota_terms q;
    fill(c, t, &rules, &q);
    return is_bounded(t, &q) ? quota_check(target_dir(t), &q, &load, e) : RC_OK;
}

enum rc deliver_take_room(const struct conf *c, const struct target *t, uint64_t bytes,
                          struct quota_taken *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf rules = BUF_INIT(QUOTA_RULES_BYTES);
    const struct quota_load load = {.mailbox = S("INBOX"), .use = {bytes, 1}, .way = QUOTA_DELIVERED};
    struct quota_terms q;
    *ret = (struct quota_taken){.fd = -1};
    fill(c, t, &rules, &q);
    enum rc rc = is_bounded(t, &q) ? quota_take(target_dir(t), &q, &load, ret, e) : RC_OK;
    quota_taken_unlock(ret);
    return rc;
}

void deliver_end_room(const struct conf *c, const struct target *t, struct quota_taken *taken, bool kept)
{
    AUTO(buf_deinit) struct buf rules = BUF_INIT(QUOTA_RULES_BYTES);
    struct quota_terms q;
    if (!taken->counted)
        return;
    fill(c, t, &rules, &q);
    quota_taken_end(target_dir(t), &q, taken, kept);
}
