/* TLS on a client's connection: STARTTLS (RFC 3207) as the level asks, or from the start (RFC 8314 §3). */
#include "smtp/client_impl.h"

enum rc client_handshake(struct smtp_client *c, struct arena *arena, struct smtp_client_failure *failure)
{
    struct err e = {0};
    client_set_deadline(c, c->p.timeouts.handshake);
    enum rc rc = stream_start_tls_client(c->io, c->p.tls, &c->p.tls_params, &failure->tls_fault, &e);
    if (rc == RC_OK)
        return RC_OK;
    c->broken = true;
    if (rc == RC_PERM)
        client_outcome_own(arena, SMTP_PHASE_TLS, RC_TEMP, "4.7.5", &failure->outcome,
                           "Server certificate not verified: host " STR_FMT ": %s", STR_ARG(c->p.peer),
                           err_text(&e));
    else
        client_outcome_own(arena, SMTP_PHASE_TLS, RC_TEMP, "4.7.5", &failure->outcome,
                           "Cannot start TLS with host " STR_FMT ": %s", STR_ARG(c->p.peer), err_text(&e));
    failure->retry_without_tls = c->p.tls_level == SMTP_TLS_MAY && rc != RC_PERM;
    return RC_TEMP;
}

/* The server does not offer STARTTLS, or refuses it now. */
static enum rc go_on_in_clear(struct smtp_client *c, struct arena *arena, bool offered,
                              struct smtp_client_failure *failure)
{
    if (c->p.tls_level == SMTP_TLS_MAY)
        return RC_OK;
    failure->starttls_missing = !offered;
    str said = failure->outcome.said;
    int code = failure->outcome.code;
    if (!offered) {
        client_outcome_own(arena, SMTP_PHASE_STARTTLS, RC_TEMP, "4.7.4", &failure->outcome,
                           "TLS is required, but was not offered by host " STR_FMT, STR_ARG(c->p.peer));
        return RC_TEMP;
    }
    client_outcome_own(arena, SMTP_PHASE_STARTTLS, RC_TEMP, "4.7.5", &failure->outcome,
                       "TLS is required, but host " STR_FMT " refused to start TLS: " STR_FMT,
                       STR_ARG(c->p.peer), STR_ARG(said));
    failure->outcome.said = said;
    failure->outcome.code = code;
    return RC_TEMP;
}

/* What stands behind the 220 in clear was put there by somebody in between, to be taken for a reply to what
 * is sent under TLS. */
static enum rc refuse_injection(struct smtp_client *c, struct arena *arena,
                                struct smtp_client_failure *failure)
{
    c->broken = true;
    client_outcome_own(arena, SMTP_PHASE_STARTTLS, RC_TEMP, "4.7.5", &failure->outcome,
                       "Cannot start TLS with host " STR_FMT ": data follows its reply to STARTTLS",
                       STR_ARG(c->p.peer));
    return RC_TEMP;
}

enum rc client_start_tls(struct smtp_client *c, struct arena *arena, struct smtp_client_failure *failure)
{
    if (c->p.tls_level == SMTP_TLS_NONE)
        return RC_OK;
    if (!ehlo_has(&c->offers, EHLO_STARTTLS))
        return go_on_in_clear(c, arena, false, failure);
    struct smtp_outcome *o = &failure->outcome;
    bool may = c->p.tls_level == SMTP_TLS_MAY;
    stream_write(c->io, S("STARTTLS\r\n"));
    if (client_ask(c, arena, SMTP_PHASE_STARTTLS, c->p.timeouts.helo, NULL, o) != RC_OK) {
        failure->retry_without_tls = may;
        return RC_TEMP;
    }
    if (c->reply.code != 220)
        return c->closing || c->broken ? RC_TEMP : go_on_in_clear(c, arena, true, failure);
    if (stream_buffered(c->io) > 0)
        return refuse_injection(c, arena, failure);
    enum rc rc = client_handshake(c, arena, failure);
    if (rc != RC_OK)
        return rc;
    c->offers = (struct ehlo){0}; /* RFC 3207 §4.2: what was said in clear is forgotten */
    rc = client_hello(c, arena, failure);
    if (rc != RC_OK && c->broken)
        failure->retry_without_tls = may; /* with TLS 1.3 a server's alert comes only now */
    return rc;
}
