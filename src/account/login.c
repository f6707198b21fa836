/* What the dialogues of IMAP and POP3 before log-in have in common (login.h): which mechanisms a connection
 * is offered, and the course of a SASL exchange. */
#include "account/login.h"

#include "base/enc.h"
#include "fmt/sasl.h"
#include "os/stream.h"

enum { RESPONSE_LINE_MAX = (SASL_RESPONSE_MAX + 2) / 3 * 4 };

bool login_mechanism_fits(const struct login_settings *set, const struct stream *io, str mechanism)
{
    enum sasl_mech mech;
    if (sasl_mech_parse(mechanism, &mech) != RC_OK)
        return false;
    if (mech == SASL_EXTERNAL)
        return set->certificate_names && tls_certified_name(stream_tls_info(io)).n > 0;
    if (stream_is_tls(io))
        return true;
    return !set->tls_required && !sasl_mech_is_plus(mech) &&
           !(sasl_mech_is_plaintext(mech) && set->plaintext_forbidden);
}

str login_find_mechanism(const struct login_settings *set, const struct stream *io, str name)
{
    for (size_t i = 0; i < set->n_mechanisms; i++)
        if (str_ieq(set->mechanisms[i], name))
            return login_mechanism_fits(set, io, name) ? set->mechanisms[i] : STR_NONE;
    return STR_NONE;
}

static msec exchange_deadline(const struct login_settings *set)
{
    msec end = clock_mono() + set->exchange_ms;
    return end < set->deadline ? end : set->deadline;
}

/* Sends "+ data" and reads the client's answer into `in`, decoded. */
static enum login_exchange_end challenge(struct stream *io, str data, struct buf *in)
{
    AUTO(buf_deinit) struct buf line = BUF_INIT(2 * SASL_RESPONSE_MAX);
    str answer;
    enum line_end end;
    buf_reset(in);
    buf_puts(&line, S("+ "));
    enc_base64(&line, data);
    buf_puts(&line, S("\r\n"));
    stream_write(io, buf_str(&line));
    enum rc rc = stream_flush(io);
    if (rc == RC_OK)
        rc = stream_read_line(io, RESPONSE_LINE_MAX, &answer, &end);
    if (rc == RC_TEMP || rc == RC_GONE)
        return rc == RC_TEMP ? LOGIN_IDLE : LOGIN_GONE;
    if (rc == RC_OK)
        rc = sasl_response_decode(answer, false, in);
    return rc == RC_OK ? LOGIN_REPLIED : rc == RC_GONE ? LOGIN_CANCELLED : LOGIN_MALFORMED;
}

enum login_exchange_end login_exchange(const struct login_settings *set, const struct login_ops *ops,
                                       void *ctx, struct stream *io, struct login_sasl_reply *reply)
{
    AUTO(buf_wipe) struct buf in = BUF_INIT(SASL_RESPONSE_MAX);
    enum login_exchange_end end = LOGIN_REPLIED;
    stream_set_deadline(io, exchange_deadline(set));
    while (end == LOGIN_REPLIED && reply->result == LOGIN_SASL_CONTINUE) {
        end = challenge(io, reply->data, &in);
        if (end == LOGIN_REPLIED)
            ops->sasl_step(ctx, buf_str(&in), reply);
    }
    if (end == LOGIN_REPLIED && reply->result == LOGIN_SASL_OK && reply->data.n)
        end = challenge(io, reply->data, &in);
    if (end != LOGIN_REPLIED)
        ops->sasl_cancel(ctx);
    stream_set_deadline(io, set->deadline);
    return end;
}
