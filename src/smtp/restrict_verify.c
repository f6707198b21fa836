/* reject_unverified_sender and reject_unverified_recipient: whether mail for an address would be taken. */
#include "smtp/restrict_impl.h"

#include "base/log.h"

/* Which of the settings count. */
struct verify_settings {
    int reject_code, defer_code;
    const char *reason, *status;
    bool at_once; /* what cannot be found out refuses */
};

static struct verify_settings settings_of(const struct conf *c, const char *class)
{
    if (str_eq(str_c(class), S(CLASS_SENDER)))
        return (struct verify_settings){c->unverified_sender_reject_code, c->unverified_sender_defer_code,
                                        c->unverified_sender_reject_reason, "4.1.7",
                                        c->unverified_sender_tempfail_action == CONF_TEMPFAIL_DEFER};
    return (struct verify_settings){c->unverified_recipient_reject_code, c->unverified_recipient_defer_code,
                                    c->unverified_recipient_reject_reason, "4.1.1",
                                    c->unverified_recipient_tempfail_action == CONF_TEMPFAIL_DEFER};
}

/* Asks until there is an answer, for as long as a client is to wait. */
static enum rc find_out(struct smtp_session *s, str address, enum smtp_verified *ret, str *ret_text)
{
    const struct conf *c = s->conf;
    *ret = SMTP_UNVERIFIED;
    for (int i = 1;; i++) {
        enum rc rc = s->env->verify(s->p->env_ctx, address, s->restrict_.arena, ret, ret_text);
        if (rc != RC_OK || *ret != SMTP_UNVERIFIED || i >= c->address_verify_poll_count)
            return rc;
        s->env->pause(s->p->env_ctx, c->address_verify_poll_delay_ms);
    }
}

static enum verdict conclude(struct smtp_session *s, str address, const char *class, int code, str why,
                             const struct verify_settings *v)
{
    if (v->reason[0])
        why = str_c(v->reason);
    if (code < 400)
        return DUNNO;
    if (code < 500)
        return restrict_if_permit(s, v->at_once, code, v->status,
                                  "<" STR_FMT ">: %s rejected: unverified address: " STR_FMT,
                                  STR_ARG(address), class, STR_ARG(str_sub(why, 0, 250)));
    return restrict_refuse(s, BY_POLICY, code, v->status,
                           "<" STR_FMT ">: %s rejected: undeliverable address: " STR_FMT, STR_ARG(address),
                           class, STR_ARG(why));
}

enum verdict restrict_verify(struct smtp_session *s, str address, const char *class, enum rc rc,
                             const struct err *why)
{
    const struct verify_settings v = settings_of(s->conf, class);
    enum smtp_verified status = SMTP_VERIFIED;
    str text = S("");
    if (rc == RC_PERM)
        return conclude(s, address, class, v.reject_code, why->peer[0] ? str_c(why->peer) : S("User unknown"),
                        &v);
    if (rc != RC_GONE || str_rchr(address, '@') < 0)
        return DUNNO;
    if (find_out(s, address, &status, &text) != RC_OK) {
        log_warn("verify service failure");
        return restrict_if_permit(s, v.at_once, 450, v.status,
                                  "<" STR_FMT ">: %s rejected: address verification problem",
                                  STR_ARG(address), class);
    }
    if (status == SMTP_VERIFIED)
        return DUNNO;
    if (status == SMTP_UNVERIFIED)
        text = S("Address verification in progress");
    return conclude(s, address, class, status == SMTP_UNDELIVERABLE ? v.reject_code : v.defer_code, text, &v);
}
