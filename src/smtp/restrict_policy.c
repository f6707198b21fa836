/* Policy servers (SMTPD_POLICY_README): what they are told, and what becomes of their answers. */
#include "base/log.h"
#include "fmt/policy.h"
#include "fmt/xtext.h"
#include "smtp/restrict_impl.h"
#include "table/settings.h"

enum { REQUEST_MAX = 16384, SPEC_MAX = 2048 };

static void put_number(struct buf *out, const char *name, uint64_t n)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    policy_put(out, name, str_c(digits));
}

static void put_client(struct smtp_session *s, struct buf *out)
{
    const struct smtp_params *p = s->p;
    policy_put(out, "client_address", p->client_address);
    policy_put(out, "client_name", p->client_name);
    put_number(out, "client_port", p->client_port);
    policy_put(out, "reverse_client_name", p->client_reverse_name);
    policy_put(out, "server_address", p->server_address);
    put_number(out, "server_port", p->server_port);
    policy_put(out, "helo_name", s->helo);
}

static void put_message(struct smtp_session *s, struct buf *out)
{
    const struct smtp_restrict *x = &s->restrict_;
    bool at_end = str_eq(str_c(x->where), S("END-OF-MESSAGE"));
    bool whole = at_end || str_eq(str_c(x->where), S("DATA"));
    policy_put(out, "sender", x->has_sender ? x->sender : S(""));
    policy_put(out, "recipient", x->has_recipient ? s->rcpt.address : S(""));
    put_number(out, "recipient_count", whole ? s->tx.n : 0);
    policy_put(out, "queue_id", s->tx.id);
    policy_put(out, "instance", arena_printf(x->arena, "%s.%u", s->session_id, s->mails));
    put_number(out, "size",
               at_end          ? dotstream_crlf_bytes(&s->tx.msg.decoder)
               : s->tx.mail_ok ? s->tx.mail.size
                               : 0);
    policy_put(out, "etrn_domain", S(""));
    policy_put(out, "stress", S(""));
}

/* Names are told only when somebody vouches for them, as xtext. */
static void put_certificate_name(struct buf *out, const char *attribute, const char *name)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(1024);
    xtext_put(&text, str_c(name));
    policy_put(out, attribute, buf_str(&text));
}

static void put_certificate(struct smtp_session *s, struct buf *out)
{
    const struct tls_ccert *c = restrict_ccert(s);
    put_certificate_name(out, "ccert_subject", c && c->trusted ? c->subject : "");
    put_certificate_name(out, "ccert_issuer", c && c->trusted ? c->issuer : "");
    policy_put(out, "ccert_fingerprint", c ? smtp_fingerprint(s, false, s->restrict_.arena) : S(""));
    policy_put(out, "ccert_pubkey_fingerprint", c ? smtp_fingerprint(s, true, s->restrict_.arena) : S(""));
}

static void put_security(struct smtp_session *s, struct buf *out)
{
    const struct tls_info *tls = stream_tls_info(s->io);
    bool logged_in = smtp_is_authenticated(s);
    policy_put(out, "sasl_method", logged_in ? s->method : S(""));
    policy_put(out, "sasl_username", logged_in ? s->account : S(""));
    policy_put(out, "sasl_sender", logged_in && s->tx.mail_ok ? s->tx.mail.auth : S(""));
    put_certificate(s, out);
    policy_put(out, "encryption_protocol", tls ? tls->version : S(""));
    policy_put(out, "encryption_cipher", tls ? tls->cipher : S(""));
    put_number(out, "encryption_keysize", tls ? (uint64_t)tls->bits : 0);
}

static void put_request(struct smtp_session *s, const struct conf_policy_service *p, struct buf *out)
{
    policy_put(out, "request", S("smtpd_access_policy"));
    policy_put(out, "protocol_state", str_c(s->restrict_.where));
    policy_put(out, "protocol_name", s->hello == SMTP_HELLO_EXTENDED ? S("ESMTP") : S("SMTP"));
    put_client(s, out);
    put_message(s, out);
    put_security(s, out);
    policy_put(out, "policy_context", p->context);
    policy_put_end(out);
}

static enum rc ask(struct smtp_session *s, const struct conf_policy_service *p, str request, str *ret)
{
    AUTO(buf_deinit) struct buf spec = BUF_INIT(SPEC_MAX);
    struct err e = {0};
    conf_policy_spec(p, &spec);
    struct table_list *server = table_settings_find(s->p->tables, buf_str(&spec));
    if (!server) {
        log_warn("the policy server " STR_FMT " is not known here", STR_ARG(p->server));
        return RC_PERM;
    }
    for (uint32_t i = 0;; i++) {
        enum rc rc = table_list_find(server, TABLE_WHOLE_KEY, request, s->restrict_.arena, ret, &e);
        if (rc == RC_OK)
            return rc;
        log_warn("problem talking to server " STR_FMT ": %s", STR_ARG(p->server), err_text(&e));
        if (i + 1 >= p->try_limit)
            return rc;
        s->env->pause(s->p->env_ctx, p->retry_delay_ms);
    }
}

enum verdict restrict_policy(struct smtp_session *s, const struct restriction *r, const struct about *about)
{
    AUTO(buf_deinit) struct buf request = BUF_INIT(REQUEST_MAX);
    struct conf_policy_service p;
    struct err e = {0};
    str action;
    if (conf_policy_service(s->conf, r, &p, &e) != RC_OK)
        return restrict_misconfigured(s, "%s", err_text(&e));
    put_request(s, &p, &request);
    if (request.overflow || ask(s, &p, buf_str(&request), &action) != RC_OK)
        action = p.default_action;
    AUTO(str_freep) char *source = str_dup(str_sub(p.server, 0, 200));
    return restrict_apply(s, action, source, S("policy query"), about);
}
