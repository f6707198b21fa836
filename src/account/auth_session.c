/* The state machine of one SASL exchange, and the mechanisms that show the password. SCRAM is in
 * auth_scram.c, tokens are in auth_token.c.
 *
 *   state        PLAIN, EXTERNAL  LOGIN      SCRAM         OAUTHBEARER, XOAUTH2
 *   SASL_WAIT_1  message          user name  client-first  message
 *   SASL_WAIT_2                   password   client-final  anything, after a refusal
 *   SASL_ENDED   outcome is filled */
#include "account/auth_exchange.h"

#include "account/databases.h"
#include "conf/conf.h"

struct auth_session *auth_session_new(struct auth *a, const struct account_lookup *l,
                                      const struct auth_props *props)
{
    struct auth_session *s = calloc(1, sizeof *s);
    must(s);
    s->auth = a;
    s->lookup = l;
    s->secured = props->secured;
    buf_init(&s->client_ip, 256);
    buf_init(&s->service, 64);
    buf_init(&s->exporter, 256);
    buf_init(&s->end_point, 256);
    buf_init(&s->certified_name, SASL_NAME_MAX);
    buf_puts(&s->certified_name, props->certified_name);
    buf_init(&s->name, 4 * SASL_NAME_MAX);
    buf_init(&s->transcript, 4 * SASL_RESPONSE_MAX);
    buf_init(&s->nonce, SASL_RESPONSE_MAX);
    buf_init(&s->header, SASL_RESPONSE_MAX);
    buf_puts(&s->client_ip, props->client_ip);
    buf_puts(&s->service, props->service);
    buf_puts(&s->exporter, props->tls_exporter);
    buf_puts(&s->end_point, props->tls_end_point);
    return s;
}

struct auth_session *auth_session_free(struct auth_session *s)
{
    if (!s)
        return NULL;
    struct buf *bufs[] = {&s->client_ip,  &s->service, &s->exporter, &s->end_point,     &s->name,
                          &s->transcript, &s->nonce,   &s->header,   &s->certified_name};
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++)
        buf_wipe(bufs[i]);
    crypto_wipe(s, sizeof *s);
    free(s);
    return NULL;
}

void auth_session_freep(struct auth_session **s)
{
    *s = auth_session_free(*s);
}

const struct auth_outcome *auth_session_outcome(const struct auth_session *s)
{
    must(s->state == SASL_ENDED);
    return &s->outcome;
}

str auth_session_name(const struct auth_session *s)
{
    return buf_str(&s->name);
}

bool auth_offers(const struct conf *c, enum sasl_mech mech, bool secured, bool has_binding)
{
    if (sasl_mech_is_plaintext(mech) && !secured && c->disable_plaintext_auth)
        return false;
    if (sasl_mech_is_plus(mech) && !has_binding)
        return false;
    for (size_t i = 0; i < c->auth_mechanisms.n; i++) {
        if (str_ieq(c->auth_mechanisms.v[i], sasl_mech_name(mech)))
            return true;
    }
    return false;
}

enum auth_result auth_end(struct auth_session *s)
{
    s->state = SASL_ENDED;
    return s->outcome.rc == RC_OK ? AUTH_OK : s->outcome.rc == RC_TEMP ? AUTH_TEMP : AUTH_FAIL;
}

enum auth_result auth_refuse(struct auth_session *s, int code, const char *enhanced, const char *text)
{
    s->outcome = (struct auth_outcome){.rc = RC_INVALID};
    err_set(&s->outcome.err, RC_INVALID, code, enhanced, "%s", text);
    return auth_end(s);
}

enum auth_result auth_broken(struct auth_session *s)
{
    return auth_refuse(s, 501, "5.5.2", "the authentication exchange is malformed");
}

void auth_take_name(struct auth_session *s, str name)
{
    buf_reset(&s->name);
    buf_puts(&s->name, s->certified_name.n > 0 ? buf_str(&s->certified_name) : name);
}

bool auth_authzid_fits(str authzid, str name, str account)
{
    struct address_key a, b;
    if (authzid.n == 0 || str_eq(authzid, name))
        return true;
    return address_parse(authzid, &a) == RC_OK &&
           ((address_parse(name, &b) == RC_OK && str_eq(address_text(&a), address_text(&b))) ||
            str_eq(address_text(&a), account));
}

static enum auth_result verify(struct auth_session *s, enum auth_proof proof, str authzid, str password,
                               msec now)
{
    bool other = !auth_authzid_fits(authzid, buf_str(&s->name), S(""));
    bool masters = s->lookup->databases && databases_have_masters(s->lookup->databases);
    const struct auth_client client = {.proof = proof,
                                       .ip = buf_str(&s->client_ip),
                                       .service = buf_str(&s->service),
                                       .mechanism = sasl_mech_name(s->mech),
                                       .authzid = other && masters ? authzid : S("")};
    auth_verify(s->auth, s->lookup, buf_str(&s->name), password, &client, now, &s->outcome);
    /* nobody but a master acts for somebody else */
    if (s->outcome.rc == RC_OK && !s->outcome.master[0] &&
        !auth_authzid_fits(authzid, buf_str(&s->name), str_c(s->outcome.account)))
        auth_conclude(s->auth, s->lookup, buf_str(&s->name), STR_NONE, buf_str(&s->client_ip), now,
                      "the authorization identity is another account", &s->outcome);
    return auth_end(s);
}

static enum auth_result plain(struct auth_session *s, str message, msec now)
{
    struct sasl_plain p;
    if (sasl_plain_parse(message, &p) != RC_OK)
        return auth_broken(s);
    auth_take_name(s, p.authcid);
    return verify(s, AUTH_BY_PASSWORD, p.authzid, p.password, now);
}

static enum auth_result login_name(struct auth_session *s, str name, struct buf *ret_data)
{
    if (sasl_login_check(name, SASL_NAME_MAX) != RC_OK)
        return auth_broken(s);
    auth_take_name(s, name);
    buf_puts(ret_data, SASL_LOGIN_ASK_PASSWORD);
    s->state = SASL_WAIT_2;
    return AUTH_CONTINUE;
}

static enum auth_result login_password(struct auth_session *s, str password, msec now)
{
    if (sasl_login_check(password, SASL_PASSWORD_MAX) != RC_OK)
        return auth_broken(s);
    return verify(s, AUTH_BY_PASSWORD, STR_NONE, password, now);
}

/* RFC 4422 A: who the client is, is known already. */
static enum auth_result external(struct auth_session *s, str authzid, msec now)
{
    if (sasl_external_check(authzid) != RC_OK)
        return auth_broken(s);
    auth_take_name(s, STR_NONE);
    return verify(s, AUTH_BY_CERTIFICATE, authzid, S(""), now);
}

enum auth_result auth_session_step(struct auth_session *s, str response, msec now, struct buf *ret_data)
{
    bool first = s->state == SASL_WAIT_1;
    must(first || s->state == SASL_WAIT_2);
    switch (s->mech) {
    case SASL_PLAIN:
        return plain(s, response, now);
    case SASL_LOGIN:
        return first ? login_name(s, response, ret_data) : login_password(s, response, now);
    case SASL_EXTERNAL:
        return external(s, response, now);
    case SASL_OAUTHBEARER:
    case SASL_XOAUTH2:
        return first ? auth_token(s, response, now, ret_data) : auth_end(s);
    default:
        return first ? auth_scram_first(s, response, now, ret_data)
                     : auth_scram_final(s, response, now, ret_data);
    }
}

enum auth_result auth_session_start(struct auth_session *s, str mechanism, bool has_initial, str initial,
                                    msec now, struct buf *ret_data)
{
    bool has_binding = s->exporter.n > 0 || s->end_point.n > 0;
    must(s->state == SASL_FRESH);
    if (sasl_mech_parse(mechanism, &s->mech) != RC_OK)
        return auth_refuse(s, 504, "5.5.4", "this authentication mechanism is not known");
    bool lacks_certificate = s->mech == SASL_EXTERNAL && s->certified_name.n == 0;
    if (!auth_offers(s->lookup->conf, s->mech, s->secured, has_binding) || lacks_certificate) {
        if (sasl_mech_is_plaintext(s->mech) && !s->secured)
            return auth_refuse(s, 538, "5.7.11", "this authentication mechanism needs encryption");
        return auth_refuse(s, 504, "5.5.4", "this authentication mechanism is not offered");
    }
    s->state = SASL_WAIT_1;
    if (has_initial)
        return auth_session_step(s, initial, now, ret_data);
    if (s->mech == SASL_LOGIN)
        buf_puts(ret_data, SASL_LOGIN_ASK_USER);
    return AUTH_CONTINUE;
}
