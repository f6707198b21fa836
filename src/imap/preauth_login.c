/* LOGIN and AUTHENTICATE of the IMAP dialogue before log-in (RFC 9051 §6.2.2, §6.2.3; codes of RFC 5530 §3).
 *
 * Both end in the same SASL exchange with auth: LOGIN is PLAIN with an initial response. After success the
 * session is opened and answers the command itself. */
#include "fmt/sasl.h"
#include "imap/preauth_impl.h"

bool preauth_password_forbidden(struct preauth *p)
{
    if (!p->set->plaintext_forbidden || stream_is_tls(p->io))
        return false;
    p->outcome->tried_plaintext = true;
    preauth_reply(p, "NO", "PRIVACYREQUIRED", "Passwords are accepted only after STARTTLS.");
    return true;
}

static void open_session(struct preauth *p)
{
    struct err e = {0};
    switch (p->ops->open_session(p->ctx, p->tag, &e)) {
    case RC_OK:
        p->outcome->end = LOGIN_DONE;
        p->over = true;
        return;
    case RC_LIMIT:
        preauth_reply(p, "NO", "LIMIT", e.peer[0] ? e.peer : "Too many sessions.");
        return;
    case RC_PERM:
        preauth_reply(p, "NO", "AUTHORIZATIONFAILED",
                      e.peer[0] ? e.peer : "This account has no mailbox here.");
        return;
    default:
        preauth_reply(p, "NO", "UNAVAILABLE", "The mailbox cannot be opened now, try again later.");
    }
}

/* The exchange is over without a reply of auth. */
static void end_exchange(struct preauth *p, enum login_exchange_end end)
{
    p->over = end == LOGIN_IDLE || end == LOGIN_GONE;
    if (end == LOGIN_IDLE)
        preauth_bye(p, "", "Disconnected for inactivity.", "Disconnected: Inactivity");
    else if (!p->over)
        preauth_bad(p, end == LOGIN_CANCELLED ? "Authentication cancelled."
                                              : "The response is not base64, or too long.");
}

/* Carries on from auth's first reply to the end. */
static void exchange(struct preauth *p, struct login_sasl_reply *reply)
{
    enum login_exchange_end end = login_exchange(p->set, p->ops, p->ctx, p->io, reply);
    if (end != LOGIN_REPLIED)
        end_exchange(p, end);
    else if (reply->result == LOGIN_SASL_OK)
        open_session(p);
    else if (reply->result == LOGIN_SASL_TEMP)
        preauth_reply(p, "NO", "UNAVAILABLE", "Log-ins cannot be checked now, try again later.");
    else if (reply->result == LOGIN_SASL_NO_CERTIFICATE)
        preauth_reply(p, "NO", "ALERT", LOGIN_NEEDS_CERTIFICATE);
    else
        preauth_reply(p, "NO", "AUTHENTICATIONFAILED", "Authentication failed.");
}

/* authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp]; initial-resp = (base64 / "=") */
static enum rc parse_authenticate(struct imap_lex *lex, str *ret_name, bool *ret_has_initial,
                                  str *ret_initial)
{
    if (imap_sp(lex) != RC_OK || imap_atom(lex, ret_name) != RC_OK)
        return RC_INVALID;
    *ret_has_initial = imap_peek(lex) == ' ';
    if (*ret_has_initial)
        *ret_initial = str_trim(imap_rest(lex));
    return RC_OK;
}

void preauth_cmd_authenticate(struct preauth *p, struct imap_lex *lex)
{
    str name, text = STR_NONE;
    bool has_initial;
    enum sasl_mech mech;
    if (parse_authenticate(lex, &name, &has_initial, &text) != RC_OK) {
        preauth_bad(p, "AUTHENTICATE needs the name of a mechanism.");
        return;
    }
    if (sasl_mech_parse(name, &mech) == RC_OK && sasl_mech_is_plaintext(mech) &&
        preauth_password_forbidden(p))
        return;
    str offered = login_find_mechanism(p->set, p->io, name);
    if (offered.n == 0) {
        preauth_reply(p, "NO", "CANNOT", "This mechanism is not supported.");
        return;
    }
    struct buf initial = BUF_INIT(SASL_RESPONSE_MAX);
    if (has_initial && sasl_response_decode(text, true, &initial) != RC_OK) {
        preauth_bad(p, "The initial response is not base64, or too long.");
    } else {
        struct login_sasl_reply reply = {.result = LOGIN_SASL_TEMP};
        p->ops->sasl_start(p->ctx, offered, has_initial, buf_str(&initial), &reply);
        exchange(p, &reply);
    }
    buf_wipe(&initial);
}

/* login = "LOGIN" SP userid SP password; both are astring */
void preauth_cmd_login(struct preauth *p, struct imap_lex *lex)
{
    struct sasl_plain plain = {0};
    if (preauth_password_forbidden(p))
        return;
    if (imap_sp(lex) != RC_OK || imap_astring(lex, &plain.authcid) != RC_OK || imap_sp(lex) != RC_OK ||
        imap_astring(lex, &plain.password) != RC_OK || imap_eol(lex) != RC_OK ||
        str_chr(plain.authcid, '\0') >= 0 || str_chr(plain.password, '\0') >= 0) {
        preauth_bad(p, "LOGIN needs a user name and a password.");
        return;
    }
    if (plain.authcid.n == 0 || plain.authcid.n > SASL_NAME_MAX || plain.password.n > SASL_PASSWORD_MAX) {
        preauth_reply(p, "NO", "AUTHENTICATIONFAILED", "Authentication failed.");
        return;
    }
    struct buf initial = BUF_INIT(SASL_RESPONSE_MAX);
    struct login_sasl_reply reply = {.result = LOGIN_SASL_TEMP};
    sasl_plain_put(&initial, &plain);
    p->ops->sasl_start(p->ctx, S("PLAIN"), true, buf_str(&initial), &reply);
    buf_wipe(&initial);
    exchange(p, &reply);
}
