/* What the dialogues of IMAP and POP3 before log-in have in common (login.h): which mechanisms a connection
 * is offered, and the course of a SASL exchange. */
#include "account/login.h"

#include "fmt/sasl.h"

bool login_mechanism_fits(const struct login_settings *set, bool is_tls, str mechanism)
{
    enum sasl_mech mech;
    if (sasl_mech_parse(mechanism, &mech) != RC_OK)
        return false;
    if (is_tls)
        return true;
    return !set->tls_required && !sasl_mech_is_plus(mech) &&
           !(sasl_mech_is_plaintext(mech) && set->plaintext_forbidden);
}

str login_find_mechanism(const struct login_settings *set, bool is_tls, str name)
{
    for (size_t i = 0; i < set->n_mechanisms; i++)
        if (str_ieq(set->mechanisms[i], name))
            return login_mechanism_fits(set, is_tls, name) ? set->mechanisms[i] : STR_NONE;
    return STR_NONE;
}

msec login_exchange_deadline(const struct login_settings *set)
{
    msec end = clock_mono() + set->exchange_ms;
    return end < set->deadline ? end : set->deadline;
}

bool login_exchange(const struct login_ops *ops, void *ctx,
                    bool (*challenge)(void *dialogue, str data, struct buf *in), void *dialogue,
                    struct login_sasl_reply *reply)
{
    struct buf in = BUF_INIT(SASL_RESPONSE_MAX);
    bool going = true;
    while (going && reply->result == LOGIN_SASL_CONTINUE) {
        buf_reset(&in);
        going = challenge(dialogue, reply->data, &in);
        if (going)
            ops->sasl_step(ctx, buf_str(&in), reply);
    }
    if (going && reply->result == LOGIN_SASL_OK && reply->data.n) {
        buf_reset(&in);
        going = challenge(dialogue, reply->data, &in);
    }
    buf_wipe(&in);
    return going;
}
