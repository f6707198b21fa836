/* What tables and settings change of a message: whom it goes to. */
#include "smtp/session_impl.h"

#include "base/log.h"
#include "fmt/mailaddr.h"
#include "smtp/rules.h"
#include "table/maps.h"
#include "table/settings.h"

enum { BCC_MAX = SMTP_TARGETS_MAX };

static enum rc parse(struct smtp_session *s, str text, str *ret)
{
    struct mailaddr parsed;
    if (mailaddr_parse(text, s->tx.arena, &parsed) != RC_OK)
        return RC_INVALID;
    *ret = mailaddr_str(s->tx.arena, &parsed);
    return arena_exhausted(s->tx.arena) ? RC_LIMIT : RC_OK;
}

static bool is_there(const str *v, size_t n, str address)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i], address))
            return true;
    return false;
}

enum rc smtp_action_bcc(struct smtp_session *s, str text)
{
    struct smtp_actions *a = &s->tx.actions;
    str address;
    enum rc rc = parse(s, text, &address);
    if (rc != RC_OK || is_there(a->bcc, a->n_bcc, address))
        return rc;
    if (!a->bcc)
        a->bcc = arena_array(s->tx.arena, BCC_MAX, sizeof *a->bcc);
    if (!a->bcc || a->n_bcc == BCC_MAX)
        return RC_LIMIT;
    a->bcc[a->n_bcc++] = address;
    return RC_OK;
}

enum rc smtp_action_redirect(struct smtp_session *s, str text)
{
    return parse(s, text, &s->tx.actions.redirect);
}

/* --- automatic copies --- */

static enum rc copies_failed(struct smtp_session *s, const char *what, const char *why)
{
    log_warn(STR_FMT ": %s: %s", STR_ARG(s->tx.id), what, why);
    smtp_message_fail(s, 451, "4.3.5", "Server configuration error");
    return RC_TEMP;
}

/* A name without a domain is one of this server. */
static enum rc add_copy(struct smtp_session *s, const char *what, str address)
{
    if (str_chr(address, '@') < 0)
        address =
            arena_printf(s->tx.arena, STR_FMT "@" STR_FMT, STR_ARG(address), STR_ARG(rules_origin(s->conf)));
    enum rc rc = smtp_action_bcc(s, address);
    return rc == RC_OK ? rc
                       : copies_failed(s, what, rc == RC_LIMIT ? "too many copies" : "this is no address");
}

static bool is_ours(void *ctx, str domain)
{
    return conf_has_domain(ctx, domain);
}

static enum rc find_copy(struct smtp_session *s, enum table_setting which, const char *what, str address)
{
    const struct maps_rules rules = {
        .delimiters = s->conf->recipient_delimiter, .is_ours = is_ours, .ctx = (void *)(uintptr_t)s->conf};
    struct table_list *l = smtp_tables(s, which);
    struct maps_found found;
    struct err e = {0};
    if (!l || address.n == 0)
        return RC_OK;
    enum rc rc = maps_find_address(l, address, &rules, s->tx.arena, &found, &e);
    if (rc != RC_OK)
        return rc == RC_GONE ? RC_OK : copies_failed(s, what, err_text(&e));
    return add_copy(s, what, found.value);
}

enum rc smtp_action_copies(struct smtp_session *s)
{
    str always = str_c(s->conf->always_bcc);
    if (smtp_is_lmtp(s) || smtp_overrides(s, S("no_address_mappings")))
        return RC_OK;
    enum rc rc = always.n ? add_copy(s, "always_bcc", always) : RC_OK;
    if (rc == RC_OK)
        rc = find_copy(s, TABLES_SENDER_BCC, "sender_bcc_maps", s->tx.sender);
    for (size_t i = 0; i < s->tx.n && rc == RC_OK; i++)
        rc = find_copy(s, TABLES_RECIPIENT_BCC, "recipient_bcc_maps", s->tx.rcpts[i].address);
    return rc;
}

/* --- recipients --- */

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

/* Whoever names it may name any: it may be anywhere. */
static enum rc make_recipient(struct smtp_session *s, str address, const struct smtp_rcpt *rcpt,
                              struct smtp_recipient *ret, struct err *e)
{
    struct smtp_recipient r = {.address = address, .rcpt = *rcpt};
    enum rc rc = s->env->resolve(s->p->env_ctx, address, s->tx.arena, &r.targets, &r.n_targets, e);
    if (rc == RC_GONE && r.n_targets == 0) {
        r.targets = arena_make(s->tx.arena, struct smtp_target);
        if (!r.targets)
            return RC_LIMIT;
        *r.targets = (struct smtp_target){.remote = true, .uid = UINT32_MAX, .address = address};
        r.n_targets = 1;
    } else if (rc != RC_OK && rc != RC_GONE) {
        return rc;
    }
    for (size_t i = 0; rc == RC_OK && i < r.n_targets; i++)
        r.targets[i].forwarded = r.targets[i].remote;
    *ret = r;
    return RC_OK;
}

enum rc smtp_add_recipient(struct smtp_session *s, str address, const struct smtp_rcpt *rcpt, struct err *e)
{
    struct smtp_tx *tx = &s->tx;
    for (size_t i = 0; i < tx->n; i++)
        if (str_eq(tx->rcpts[i].address, address))
            return RC_OK;
    struct smtp_recipient *all = arena_array(tx->arena, tx->n + 1, sizeof *all);
    if (!all)
        return RC_LIMIT;
    enum rc rc = make_recipient(s, address, rcpt, &all[tx->n], e);
    if (rc != RC_OK)
        return rc;
    if (tx->n_targets + all[tx->n].n_targets > SMTP_TARGETS_MAX)
        return RC_LIMIT;
    for (size_t i = 0; i < tx->n; i++)
        all[i] = tx->rcpts[i];
    tx->n_targets += all[tx->n].n_targets;
    tx->rcpts = all;
    tx->cap = ++tx->n;
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
    const struct smtp_rcpt nobody_told = {.notify = SMTP_NOTIFY_NEVER};
    if (!all)
        return fail(s, a->redirect, &full);
    for (size_t i = 0; i < kept; i++)
        all[i] = s->tx.rcpts[i];
    for (size_t i = kept; i < n; i++) {
        str address = a->redirect.n ? a->redirect : a->bcc[i - kept];
        struct err why = {.rc = RC_OK};
        if (make_recipient(s, address, &nobody_told, &all[i], &why) != RC_OK)
            return fail(s, address, &why);
    }
    s->tx.rcpts = all;
    s->tx.n = n;
    s->tx.n_targets = 0;
    for (size_t i = 0; i < n; i++)
        s->tx.n_targets += all[i].n_targets;
    return RC_OK;
}
