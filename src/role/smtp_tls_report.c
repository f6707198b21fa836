#include "role/smtp_tls_report.h"

#include "role/smtp_tls_db.h"

/* RFC 8460 §4.3 */
static enum tlsrpt_result result_of(enum tls_fault fault)
{
    switch (fault) {
    case TLS_FAULT_NONE:
        return TLSRPT_SUCCESS;
    case TLS_FAULT_HOST_MISMATCH:
        return TLSRPT_CERTIFICATE_HOST_MISMATCH;
    case TLS_FAULT_EXPIRED:
        return TLSRPT_CERTIFICATE_EXPIRED;
    case TLS_FAULT_NOT_TRUSTED:
        return TLSRPT_CERTIFICATE_NOT_TRUSTED;
    case TLS_FAULT_NO_USABLE_TLSA:
        return TLSRPT_TLSA_INVALID;
    case TLS_FAULT_HANDSHAKE:
    case TLS_FAULT_NO_TLSA_MATCH:
        break;
    }
    return TLSRPT_VALIDATION_FAILURE;
}

/* Reports go to the domain whose MX records were asked for; TLS that is off is none of its doing. */
static bool is_reported(const struct smtp_site *s)
{
    return !s->named && s->policy.level != SMTP_POLICY_NONE && !s->policy.implicit;
}

void smtp_tls_report(struct smtp_worker *w, const struct smtp_site *s, str host, enum tlsrpt_result result)
{
    bool dane = s->dane.any || result == TLSRPT_DANE_REQUIRED || result == TLSRPT_DNSSEC_INVALID;
    bool sts = s->has_sts && s->sts.mode != MTA_STS_NONE;
    if (is_reported(s))
        smtp_tls_db_count(w->server->queue, s->nexthop,
                          dane  ? TLSRPT_TLSA
                          : sts ? TLSRPT_STS
                                : TLSRPT_NO_POLICY,
                          result, host);
}

void smtp_tls_report_session(struct smtp_worker *w, const struct smtp_site *s, str host,
                             const struct smtp_client *client, const struct smtp_client_failure *failure)
{
    const struct tls_info *info = client ? smtp_client_tls_info(client) : NULL;
    enum smtp_phase phase = failure->outcome.phase;
    bool testing = s->has_sts && s->sts.mode == MTA_STS_TESTING && !mta_sts_has_mx(&s->sts, host);
    if (client && info)
        smtp_tls_report(w, s, host, testing ? TLSRPT_VALIDATION_FAILURE : result_of(info->fault));
    else if (client || phase == SMTP_PHASE_STARTTLS)
        smtp_tls_report(w, s, host, TLSRPT_STARTTLS_NOT_SUPPORTED);
    else if (phase == SMTP_PHASE_TLS)
        smtp_tls_report(w, s, host, result_of(failure->tls_fault));
}
