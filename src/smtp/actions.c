/* What access tables changed of a message: whom it goes to. */
#include "smtp/session_impl.h"

/* Replies and returns RC_TEMP: whatever an administrator asked for is done, or the client comes again. */
static enum rc fail(struct smtp_session *s, str address, const struct err *why)
{
    struct err e = {0};
    (void)err_set(&e, RC_TEMP, 451, "4.3.5", "Server configuration error");
    err_note(&e, "BCC or REDIRECT to <" STR_FMT ">: %s", STR_ARG(address),
             why->peer[0] ? err_text(why) : "failed");
    smtp_log_reject(s, "END-OF-MESSAGE", s->tx.sender, STR_NONE, &e);
    smtp_reply_err(s, &e);
    return RC_TEMP;
}

/* The administrator names the address: it may be anywhere. Nobody is told of it. */
static enum rc make_recipient(struct smtp_session *s, str address, struct smtp_recipient *ret)
{
    struct smtp_recipient r = {.address = address, .rcpt.notify = SMTP_NOTIFY_NEVER};
    struct err why = {.rc = RC_OK};
    enum rc rc = s->env->resolve(s->p->env_ctx, address, s->tx.arena, &r.targets, &r.n_targets, &why);
    if (rc == RC_GONE && r.n_targets == 0) {
        r.targets = arena_make(s->tx.arena, struct smtp_target);
        if (!r.targets)
            return fail(s, address, &why);
        *r.targets = (struct smtp_target){.remote = true, .uid = UINT32_MAX, .address = address};
        r.n_targets = 1;
    } else if (rc != RC_OK && rc != RC_GONE) {
        return fail(s, address, &why);
    }
    for (size_t i = 0; rc == RC_OK && i < r.n_targets; i++)
        r.targets[i].forwarded = r.targets[i].remote;
    *ret = r;
    return RC_OK;
}

enum rc smtp_apply_actions(struct smtp_session *s)
{
    const struct smtp_actions *a = &s->tx.actions;
    size_t kept = a->redirect.n ? 0 : s->tx.n, n = kept + (a->redirect.n ? 1 : a->n_bcc);
    if (a->redirect.n == 0 && a->n_bcc == 0)
        return RC_OK;
    struct smtp_recipient *all = arena_array(s->tx.arena, n, sizeof *all);
    const struct err full = {.peer = "too many recipients"};
    if (!all)
        return fail(s, a->redirect, &full);
    for (size_t i = 0; i < kept; i++)
        all[i] = s->tx.rcpts[i];
    for (size_t i = kept; i < n; i++) {
        enum rc rc = make_recipient(s, a->redirect.n ? a->redirect : a->bcc[i - kept], &all[i]);
        if (rc != RC_OK)
            return rc;
    }
    s->tx.rcpts = all;
    s->tx.n = n;
    s->tx.n_targets = 0;
    for (size_t i = 0; i < n; i++)
        s->tx.n_targets += all[i].n_targets;
    return RC_OK;
}
