/* Logging in to a relay: AUTH (RFC 4954) with the strongest mechanism that both sides have. */
#include "base/enc.h"
#include "fmt/sasl.h"
#include "smtp/client_impl.h"

static const enum ehlo_auth by_strength[] = {EHLO_AUTH_SCRAM_SHA_256, EHLO_AUTH_SCRAM_SHA_1,
                                             EHLO_AUTH_XOAUTH2, EHLO_AUTH_PLAIN, EHLO_AUTH_LOGIN};

enum {
    ALL_MECHANISMS = ~0,
    ROUNDS_MAX = 8, /* challenges */
    TOKEN_MAX = SASL_RESPONSE_MAX - SASL_NAME_MAX - 64,
    CODE_TOO_WEAK = 534, /* RFC 4954 §6 */
    CODE_UNKNOWN_MECHANISM = 504
};

static unsigned permitted(const struct smtp_client *c)
{
    const struct smtp_client_auth *a = c->p.auth;
    unsigned mechanisms = a->mechanisms ? a->mechanisms : (unsigned)ALL_MECHANISMS;
    if (a->token.n == 0 || a->token.n > TOKEN_MAX)
        mechanisms &= ~(unsigned)EHLO_AUTH_XOAUTH2;
    if (a->password.n == 0 || a->password.n > SASL_PASSWORD_MAX)
        mechanisms &= EHLO_AUTH_XOAUTH2;
    if (a->user.n == 0 || a->user.n > SASL_NAME_MAX)
        mechanisms = 0;
    if (!stream_is_tls(c->io) && !a->allow_plaintext)
        mechanisms &= EHLO_AUTH_SCRAM_SHA_1 | EHLO_AUTH_SCRAM_SHA_256;
    return mechanisms & c->offers.auth;
}

static void put_response(struct smtp_client *c, str response)
{
    AUTO(buf_wipe) struct buf line = BUF_INIT(SASL_RESPONSE_MAX * 2);
    must(buf_room(&line, response.n * 2 + 8)); /* all at once: growing leaves copies of a password behind */
    enc_base64(&line, response);
    must(!line.overflow);
    stream_write(c->io, buf_str(&line));
    stream_write(c->io, S("\r\n"));
}

static void put_first(struct smtp_client *c, struct client_sasl *s, enum ehlo_auth mechanism)
{
    AUTO(buf_wipe) struct buf first = BUF_INIT(SASL_RESPONSE_MAX);
    must(buf_room(&first, SASL_RESPONSE_MAX));
    str name = ehlo_auth_name(mechanism);
    stream_printf(c->io, "AUTH " STR_FMT, STR_ARG(name));
    if (!client_sasl_first(s, &first)) {
        stream_write(c->io, S("\r\n"));
        return;
    }
    stream_write(c->io, S(" "));
    put_response(c, buf_str(&first));
}

/* Answers the challenge in c->reply, or cancels with "*". */
static void put_next(struct smtp_client *c, struct client_sasl *s)
{
    AUTO(buf_wipe) struct buf challenge = BUF_INIT(SASL_RESPONSE_MAX);
    AUTO(buf_wipe) struct buf response = BUF_INIT(SASL_RESPONSE_MAX);
    must(buf_room(&response, SASL_RESPONSE_MAX));
    if (enc_base64_decode(&challenge, str_trim(c->reply.text)) == RC_OK &&
        client_sasl_next(s, buf_str(&challenge), &response) == RC_OK)
        put_response(c, buf_str(&response));
    else
        stream_write(c->io, S("*\r\n"));
}

/* RC_OK: there is a last reply, in c->reply and *o. */
static enum rc exchange(struct smtp_client *c, struct arena *arena, struct client_sasl *s,
                        enum ehlo_auth mechanism, struct smtp_outcome *o)
{
    enum rc rc = RC_OK;
    put_first(c, s, mechanism);
    for (int round = 0; round < ROUNDS_MAX; round++) {
        rc = client_flush(c, c->p.timeouts.helo);
        if (rc == RC_OK)
            rc = client_read(c, c->p.timeouts.helo, NULL);
        if (rc != RC_OK)
            break;
        if (c->reply.code != 334) {
            client_outcome_reply(c, arena, SMTP_PHASE_AUTH, o);
            return RC_OK;
        }
        put_next(c, s);
    }
    c->broken = true;
    client_outcome_lost(c, arena, SMTP_PHASE_AUTH, rc == RC_OK ? RC_LIMIT : rc, o);
    return RC_TEMP;
}

/* Mail whose password is refused waits for an administrator, unless it is to be returned. */
static enum rc refused(struct smtp_client *c, struct arena *arena, struct smtp_outcome *o)
{
    struct smtp_outcome reply = *o;
    enum rc rc = reply.rc == RC_PERM && c->p.auth_returns ? RC_PERM : RC_TEMP;
    client_outcome_own(arena, SMTP_PHASE_AUTH, rc, rc == RC_PERM ? "5.7.8" : "4.7.8", o,
                       "SASL authentication failed; server " STR_FMT " said: " STR_FMT, STR_ARG(c->p.peer),
                       STR_ARG(reply.said));
    o->code = reply.code;
    o->said = reply.said;
    return rc;
}

static enum rc try_mechanism(struct smtp_client *c, struct arena *arena, enum ehlo_auth mechanism,
                             struct smtp_outcome *o)
{
    AUTO(client_sasl_freep) struct client_sasl *s = client_sasl_new(mechanism, c->p.auth);
    if (exchange(c, arena, s, mechanism, o) != RC_OK)
        return RC_TEMP;
    if (o->rc != RC_OK)
        return refused(c, arena, o);
    if (client_sasl_is_done(s)) {
        c->authenticated = true;
        return RC_OK;
    }
    c->broken = true; /* RFC 5802 §5: whoever cannot prove that he knows the password may not have the mail */
    client_outcome_own(arena, SMTP_PHASE_AUTH, RC_TEMP, "4.7.0", o,
                       "SASL authentication failed; server " STR_FMT " did not prove itself",
                       STR_ARG(c->p.peer));
    return RC_TEMP;
}

enum rc client_log_in(struct smtp_client *c, struct arena *arena, struct smtp_client_failure *failure)
{
    unsigned mechanisms = permitted(c);
    struct smtp_outcome *o = &failure->outcome;
    client_outcome_own(arena, SMTP_PHASE_AUTH, RC_TEMP, "4.7.0", o,
                       "SASL authentication failed; server " STR_FMT " offers %s", STR_ARG(c->p.peer),
                       ehlo_has(&c->offers, EHLO_AUTH) ? "no mechanism that may be used"
                                                       : "no authentication");
    for (size_t i = 0; i < sizeof by_strength / sizeof *by_strength; i++) {
        if (!(mechanisms & by_strength[i]))
            continue;
        enum rc rc = try_mechanism(c, arena, by_strength[i], o);
        if (rc == RC_OK || c->broken || c->closing)
            return rc;
        if (o->code != CODE_UNKNOWN_MECHANISM && o->code != CODE_TOO_WEAK)
            return rc; /* a wrong password is not tried again: accounts get locked */
    }
    return RC_TEMP;
}
