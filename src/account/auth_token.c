/* OAUTHBEARER (RFC 7628) and XOAUTH2: a token of OAuth 2 in the place of a password. */
#include "account/auth_exchange.h"

#include "base/utf8.h"
#include "fmt/oauth2.h"
#include "fmt/scram.h"

static enum rc parse(struct auth_session *s, str message, struct buf *name, str *ret_token)
{
    struct oauth2_message m;
    enum rc rc = s->mech == SASL_OAUTHBEARER ? oauth2_parse_oauthbearer(message, &m)
                                             : oauth2_parse_xoauth2(message, &m);
    if (rc == RC_OK && s->mech == SASL_OAUTHBEARER)
        rc = scram_name_decode(m.user, name);
    else if (rc == RC_OK)
        buf_puts(name, m.user);
    if (rc == RC_OK && (name->overflow || !utf8_valid(buf_str(name)) || str_chr(buf_str(name), '\0') >= 0))
        rc = RC_INVALID;
    if (rc == RC_OK)
        *ret_token = m.token;
    return rc;
}

enum auth_result auth_token(struct auth_session *s, str message, msec now, struct buf *ret_data)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(SASL_NAME_MAX);
    str token;
    if (parse(s, message, &name, &token) != RC_OK)
        return auth_broken(s);
    auth_take_name(s, buf_str(&name));
    const struct auth_client client = {.proof = AUTH_BY_TOKEN,
                                       .ip = buf_str(&s->client_ip),
                                       .service = buf_str(&s->service),
                                       .mechanism = sasl_mech_name(s->mech)};
    auth_verify(s->auth, s->lookup, buf_str(&s->name), token, &client, now, &s->outcome);
    if (s->outcome.rc != RC_PERM)
        return auth_end(s);
    const struct auth_token_fault *f = &s->outcome.token;
    const struct oauth2_about about = {.scope = str_c(f->scope), .configuration = str_c(f->configuration)};
    (s->mech == SASL_OAUTHBEARER ? oauth2_put_oauthbearer_error : oauth2_put_xoauth2_error)(
        ret_data, f->scope_missing ? OAUTH2_INSUFFICIENT_SCOPE : OAUTH2_INVALID_TOKEN, &about);
    s->state = SASL_WAIT_2;
    return AUTH_CONTINUE;
}
