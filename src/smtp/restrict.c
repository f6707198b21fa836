/* The lists, one after the other, and what becomes of their verdicts. */
#include "smtp/restrict_impl.h"

#include "base/log.h"
#include "smtp/rules.h"

#include <stdarg.h>

enum { ARENA_MAX = 4 << 20, DNS_TIME_MS = 60000 };

/* --- refusing --- */

PRINTF(2, 0)
static void put_text(char *out, const char *fmt, va_list ap)
{
    vsnprintf(out, SMTP_REASON_MAX, fmt, ap);
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
}

static str recipient_of(const struct smtp_session *s)
{
    return s->restrict_.has_recipient ? s->rcpt.address : STR_NONE;
}

void restrict_log(struct smtp_session *s, const char *what, str text)
{
    str sender = s->restrict_.has_sender && s->restrict_.sender.p ? s->restrict_.sender : S("");
    smtp_log_event(s, what, s->restrict_.where, text, s->restrict_.has_sender ? sender : STR_NONE,
                   recipient_of(s));
}

static enum verdict refuse_text(struct smtp_session *s, enum severity severity, int code,
                                const char *enhanced, const char *text)
{
    struct smtp_restrict *r = &s->restrict_;
    bool warns = r->warn_if_reject && severity == BY_POLICY;
    if (code < 400 || code > 599) {
        log_warn("response code configuration error: %d %s %s", code, enhanced, text);
        code = 450;
        enhanced = "4.7.1";
        text = "Service unavailable";
    }
    if (!warns && r->if_reject.active && code >= 500) {
        struct smtp_deferral later = r->if_reject;
        r->warn_if_reject = 0;
        r->if_reject.active = false;
        return refuse_text(s, severity, later.code, later.enhanced, later.text);
    }
    must(str_copy(r->refusal.enhanced, sizeof r->refusal.enhanced, str_c(enhanced)) == RC_OK);
    smtp_soften(s, &code, r->refusal.enhanced);
    r->refusal.code = code;
    r->refusal.enhanced[0] = (char)('0' + code / 100);
    if (text != r->text)
        snprintf(r->text, sizeof r->text, "%s", text);
    r->refusal.text = str_c(r->text);
    str line = arena_printf(r->arena, "%d %s %s", code, r->refusal.enhanced, r->text);
    restrict_log(s, warns ? "reject_warning" : "reject", line);
    return warns ? DUNNO : REFUSED;
}

enum verdict restrict_refuse(struct smtp_session *s, enum severity severity, int code, const char *enhanced,
                             const char *fmt, ...)
{
    char text[SMTP_REASON_MAX];
    va_list ap;
    va_start(ap, fmt);
    put_text(text, fmt, ap);
    va_end(ap);
    return refuse_text(s, severity, code, enhanced, text);
}

enum verdict restrict_misconfigured(struct smtp_session *s, const char *fmt, ...)
{
    char text[SMTP_REASON_MAX];
    va_list ap;
    va_start(ap, fmt);
    put_text(text, fmt, ap);
    va_end(ap);
    log_warn("%s", text);
    return refuse_text(s, BY_FAULT, 451, "4.3.5", "Server configuration error");
}

/* The first reason stays. */
static void defer(struct smtp_deferral *d, int code, const char *enhanced, const char *text)
{
    if (d->active)
        return;
    d->active = true;
    d->code = code;
    snprintf(d->enhanced, sizeof d->enhanced, "%s", enhanced);
    snprintf(d->text, sizeof d->text, "%s", text);
}

enum verdict restrict_if_permit(struct smtp_session *s, bool at_once, int code, const char *enhanced,
                                const char *fmt, ...)
{
    char text[SMTP_REASON_MAX];
    va_list ap;
    va_start(ap, fmt);
    put_text(text, fmt, ap);
    va_end(ap);
    if (s->restrict_.warn_if_reject || at_once)
        return refuse_text(s, BY_POLICY, code, enhanced, text);
    defer(&s->restrict_.if_permit, code, enhanced, text);
    return DUNNO;
}

enum verdict restrict_if_reject(struct smtp_session *s, int code, const char *enhanced, const char *fmt, ...)
{
    char text[SMTP_REASON_MAX];
    va_list ap;
    va_start(ap, fmt);
    put_text(text, fmt, ap);
    va_end(ap);
    defer(&s->restrict_.if_reject, code, enhanced, text);
    return DUNNO;
}

/* --- one restriction --- */

static enum verdict on_plaintext(struct smtp_session *s)
{
    if (stream_is_tls(s->io))
        return DUNNO;
    return restrict_refuse(s, BY_POLICY, s->conf->plaintext_reject_code, "4.7.1",
                           "Session encryption is required");
}

/* A client that knows of PIPELINING may send commands ahead, but nothing behind DATA. */
static enum verdict on_pipelining(struct smtp_session *s, const struct about *about)
{
    bool may = s->hello == SMTP_HELLO_EXTENDED && !str_eq(str_c(s->restrict_.where), S("DATA"));
    if (may || stream_buffered(s->io) == 0)
        return DUNNO;
    return restrict_refuse(s, BY_POLICY, 503, "5.5.0",
                           "<" STR_FMT ">: %s rejected: Improper use of SMTP command pipelining",
                           STR_ARG(about->name), about->class);
}

static enum verdict on_bounce(struct smtp_session *s, const struct about *about)
{
    bool at_rcpt = str_eq(str_c(s->restrict_.where), S("RCPT"));
    if (!s->restrict_.has_sender || s->restrict_.sender.n > 0 || s->tx.n <= (at_rcpt ? 0 : 1))
        return DUNNO;
    return restrict_refuse(s, BY_POLICY, s->conf->multi_recipient_bounce_reject_code, "5.5.3",
                           "<" STR_FMT ">: %s rejected: Multi-recipient bounce", STR_ARG(about->name),
                           about->class);
}

static enum verdict pause_for(struct smtp_session *s, unsigned seconds)
{
    s->env->pause(s->p->env_ctx, (int64_t)seconds * 1000);
    return DUNNO;
}

static enum verdict apply_simple(struct smtp_session *s, const struct restriction *r,
                                 const struct about *about)
{
    str name = about->name;
    switch (r->kind) {
    case RESTRICTION_PERMIT:
        return PERMITTED;
    case RESTRICTION_REJECT:
        return restrict_refuse(s, BY_POLICY, s->conf->reject_code, "5.7.1",
                               "<" STR_FMT ">: %s rejected: Access denied", STR_ARG(name), about->class);
    case RESTRICTION_DEFER:
        return restrict_refuse(s, BY_POLICY, s->conf->defer_code, "4.3.2",
                               "<" STR_FMT ">: %s rejected: Try again later", STR_ARG(name), about->class);
    case RESTRICTION_DEFER_IF_PERMIT:
        return restrict_if_permit(s, false, 450, "4.7.0",
                                  "<" STR_FMT ">: %s rejected: defer_if_permit requested", STR_ARG(name),
                                  about->class);
    case RESTRICTION_DEFER_IF_REJECT:
        return restrict_if_reject(s, 450, "4.7.0", "<" STR_FMT ">: %s rejected: defer_if_reject requested",
                                  STR_ARG(name), about->class);
    case RESTRICTION_SLEEP:
        return pause_for(s, r->seconds);
    case RESTRICTION_REJECT_PLAINTEXT:
        return on_plaintext(s);
    case RESTRICTION_REJECT_PIPELINING:
        return on_pipelining(s, about);
    case RESTRICTION_MULTI_RECIPIENT_BOUNCE:
        return on_bounce(s, about);
    case RESTRICTION_PERMIT_SASL:
        return smtp_is_authenticated(s) ? PERMITTED : DUNNO;
    case RESTRICTION_PERMIT_CCERT:
    case RESTRICTION_PERMIT_ALL_CCERT:
        return restrict_permit_ccert(s, r->kind == RESTRICTION_PERMIT_ALL_CCERT);
    default:
        break;
    }
    return restrict_misconfigured(s, "restriction " STR_FMT " cannot be applied", STR_ARG(r->name));
}

static enum verdict apply(struct smtp_session *s, const struct restriction *r, const struct about *about)
{
    switch (r->kind) {
    case RESTRICTION_CLASS:
        return restrict_run(s, r->argument, about);
    case RESTRICTION_POLICY:
        return restrict_policy(s, r, about);
    case RESTRICTION_ACCESS:
        return restrict_access(s, r, about);
    case RESTRICTION_RBL:
    case RESTRICTION_DNSWL:
    case RESTRICTION_RHSBL:
    case RESTRICTION_RHSWL:
        return restrict_dnsbl(s, r);
    case RESTRICTION_PERMIT_INTERFACES:
    case RESTRICTION_PERMIT_NETWORKS:
    case RESTRICTION_UNKNOWN_CLIENT:
    case RESTRICTION_UNKNOWN_REVERSE:
        return restrict_client(s, r);
    case RESTRICTION_INVALID_HELO:
    case RESTRICTION_NON_FQDN_HELO:
    case RESTRICTION_UNKNOWN_HELO:
        return s->helo.n > 0 ? restrict_helo_name(s, r) : DUNNO;
    case RESTRICTION_PERMIT_DESTINATION:
    case RESTRICTION_PERMIT_MX_BACKUP:
    case RESTRICTION_REJECT_DESTINATION:
    case RESTRICTION_DEFER_DESTINATION:
    case RESTRICTION_NON_FQDN_ADDRESS:
    case RESTRICTION_UNKNOWN_DOMAIN:
    case RESTRICTION_UNLISTED:
    case RESTRICTION_UNVERIFIED:
    case RESTRICTION_LOGIN_MISMATCH:
        return restrict_address(s, r, about);
    default:
        return apply_simple(s, r, about);
    }
}

/* --- lists --- */

static enum verdict run_one(struct smtp_session *s, str *list, const struct about *about, bool *ret_end)
{
    struct smtp_restrict *x = &s->restrict_;
    struct restriction r;
    struct err e = {0};
    enum rc rc = restriction_take(list, about->list, str_c(s->conf->smtpd_restriction_classes), &r, &e);
    *ret_end = rc == RC_GONE || s->tx.actions.discard;
    if (*ret_end)
        return DUNNO;
    if (rc != RC_OK)
        return restrict_misconfigured(s, "%s", err_text(&e));
    if (x->steps++ >= RESTRICT_STEPS_MAX)
        return restrict_misconfigured(s, "more than %d restrictions for one command", RESTRICT_STEPS_MAX);
    if (r.kind == RESTRICTION_WARN_IF_REJECT) {
        if (x->warn_if_reject == 0)
            x->warn_if_reject = x->depth;
        return DUNNO;
    }
    enum verdict v = apply(s, &r, about);
    if (x->warn_if_reject >= x->depth)
        x->warn_if_reject = 0;
    *ret_end = v == DUNNO && x->if_permit.active && x->if_reject.active;
    return v;
}

enum verdict restrict_run(struct smtp_session *s, str list, const struct about *about)
{
    struct smtp_restrict *x = &s->restrict_;
    enum verdict v = DUNNO;
    bool end = false;
    if (x->depth >= RESTRICTION_NESTING_MAX)
        return restrict_misconfigured(s, "restriction lists are nested too deep");
    x->depth++;
    while (v == DUNNO && !end)
        v = run_one(s, &list, about, &end);
    x->depth--;
    if (x->warn_if_reject > x->depth)
        x->warn_if_reject = 0;
    return v;
}

/* --- moments of the dialogue --- */

static bool applies(const struct smtp_session *s)
{
    return !smtp_is_lmtp(s) && !s->p->local;
}

static void begin(struct smtp_session *s, const char *where)
{
    struct smtp_restrict *x = &s->restrict_;
    if (!x->arena)
        x->arena = arena_new(ARENA_MAX);
    arena_reset(x->arena);
    x->where = where;
    x->steps = 0;
    x->dns_end = clock_mono() + DNS_TIME_MS;
    x->has_sender = x->has_recipient = false;
    x->sender_listed = x->recipient_listed = false;
}

/* Each list starts anew; only a deferral that waits for a permit is handed on. */
static enum verdict run_list(struct smtp_session *s, enum restriction_list which, str name, const char *class)
{
    struct smtp_restrict *x = &s->restrict_;
    const struct about about = {name, class, which};
    x->depth = 0;
    x->warn_if_reject = 0;
    x->if_reject.active = false;
    str list = conf_restrictions(s->conf, which);
    return list.n > 0 ? restrict_run(s, list, &about) : DUNNO;
}

static enum verdict run_client(struct smtp_session *s)
{
    struct smtp_restrict *x = &s->restrict_;
    str name = arena_printf(x->arena, SMTP_CLIENT_FMT, SMTP_CLIENT_ARG(s));
    x->if_permit.active = false;
    enum verdict v = run_list(s, RESTRICTION_CLIENT, name, CLASS_CLIENT);
    x->after_client = x->if_permit;
    return v;
}

static enum verdict run_helo(struct smtp_session *s)
{
    struct smtp_restrict *x = &s->restrict_;
    x->if_permit = x->after_client;
    enum verdict v = s->helo.n > 0 ? run_list(s, RESTRICTION_HELO, s->helo, CLASS_HELO) : DUNNO;
    x->after_helo = x->if_permit;
    return v;
}

static enum verdict run_sender(struct smtp_session *s)
{
    struct smtp_restrict *x = &s->restrict_;
    const struct restriction unlisted = {.kind = RESTRICTION_UNLISTED, .subject = RESTRICTION_OF_SENDER};
    const struct about about = {x->sender, CLASS_SENDER, RESTRICTION_SENDER};
    x->if_permit = x->after_helo;
    enum verdict v = run_list(s, RESTRICTION_SENDER, x->sender, CLASS_SENDER);
    x->after_sender = x->if_permit;
    if (v != REFUSED && s->conf->smtpd_reject_unlisted_sender && !x->sender_listed && !s->tx.actions.discard)
        v = restrict_address(s, &unlisted, &about);
    return v;
}

static enum rc conclude(struct smtp_session *s, enum verdict v, const struct restrict_refusal **ret)
{
    if (v != REFUSED)
        return RC_OK;
    *ret = &s->restrict_.refusal;
    return RC_PERM;
}

/* With nothing set nothing is done. */
static bool wanted(const struct smtp_session *s)
{
    return applies(s) && (conf_any_restrictions(s->conf) || s->conf->smtpd_reject_unlisted_sender);
}

enum rc restrict_connect(struct smtp_session *s, const struct restrict_refusal **ret)
{
    if (!wanted(s) || s->conf->smtpd_delay_reject)
        return RC_OK;
    begin(s, s->last_verb); /* CONNECT, or XCLIENT */
    return conclude(s, run_client(s), ret);
}

enum rc restrict_helo(struct smtp_session *s, const struct restrict_refusal **ret)
{
    if (!wanted(s) || s->conf->smtpd_delay_reject)
        return RC_OK;
    begin(s, s->last_verb);
    return conclude(s, run_helo(s), ret);
}

enum rc restrict_mail(struct smtp_session *s, str sender, const struct restrict_refusal **ret)
{
    if (!wanted(s) || s->conf->smtpd_delay_reject)
        return RC_OK;
    begin(s, "MAIL");
    s->restrict_.has_sender = true;
    s->restrict_.sender = sender;
    return conclude(s, run_sender(s), ret);
}

static enum verdict run_both(struct smtp_session *s, bool *ret_may_relay)
{
    const enum restriction_list deciding = conf_restrictions_deciding(s->conf);
    const bool relay_first = s->conf->smtpd_relay_before_recipient_restrictions;
    for (int i = 0; i < 2; i++) {
        enum restriction_list which = (i == 0) == relay_first ? RESTRICTION_RELAY : RESTRICTION_RECIPIENT;
        enum verdict v = run_list(s, which, s->rcpt.address, CLASS_RECIPIENT);
        if (v == REFUSED)
            return v;
        if (v == PERMITTED && which == deciding)
            *ret_may_relay = true;
    }
    return DUNNO;
}

enum rc restrict_rcpt(struct smtp_session *s, bool *ret_may_relay, const struct restrict_refusal **ret)
{
    struct smtp_restrict *x = &s->restrict_;
    const struct restriction unlisted = {.kind = RESTRICTION_UNLISTED, .subject = RESTRICTION_OF_RECIPIENT};
    *ret_may_relay = false;
    if (!wanted(s))
        return RC_OK;
    begin(s, "RCPT");
    x->has_sender = x->has_recipient = true;
    x->sender = s->tx.sender;
    enum verdict v = DUNNO;
    if (s->conf->smtpd_delay_reject) {
        v = run_client(s);
        v = v == REFUSED ? v : run_helo(s);
        v = v == REFUSED ? v : run_sender(s);
    }
    x->if_permit = x->after_sender;
    if (v != REFUSED)
        v = run_both(s, ret_may_relay);
    if (v != REFUSED && x->if_permit.active)
        v = refuse_text(s, BY_POLICY, x->if_permit.code, x->if_permit.enhanced, x->if_permit.text);
    const struct about about = {s->rcpt.address, CLASS_RECIPIENT, RESTRICTION_RECIPIENT};
    if (v != REFUSED && rules_rejects_unlisted(s->conf) && !x->recipient_listed && !s->tx.actions.discard)
        v = restrict_address(s, &unlisted, &about);
    return conclude(s, v, ret);
}

/* One list of a message as a whole. With several recipients none of them is named. */
static enum rc of_message(struct smtp_session *s, enum restriction_list which, const char *where,
                          const char *class, const struct restrict_refusal **ret)
{
    struct smtp_restrict *x = &s->restrict_;
    if (!applies(s) || conf_restrictions(s->conf, which).n == 0 || s->tx.actions.discard)
        return RC_OK;
    begin(s, where);
    x->has_sender = true;
    x->sender = s->tx.sender;
    x->has_recipient = s->tx.n == 1;
    if (x->has_recipient)
        s->rcpt = (struct smtp_judged){.address = s->tx.rcpts[0].address};
    x->if_permit.active = false;
    enum verdict v = run_list(s, which, str_c(where), class);
    if (v != REFUSED && x->if_permit.active)
        v = refuse_text(s, BY_POLICY, x->if_permit.code, x->if_permit.enhanced, x->if_permit.text);
    return conclude(s, v, ret);
}

enum rc restrict_data(struct smtp_session *s, const struct restrict_refusal **ret)
{
    return of_message(s, RESTRICTION_DATA, "DATA", CLASS_DATA, ret);
}

enum rc restrict_end_of_data(struct smtp_session *s, const struct restrict_refusal **ret)
{
    return of_message(s, RESTRICTION_END_OF_DATA, "END-OF-MESSAGE", CLASS_END, ret);
}

void restrict_reply(struct smtp_session *s, const struct restrict_refusal *r)
{
    smtp_reply(s, r->code, r->enhanced, STR_FMT, STR_ARG(r->text));
    if (r->code == 421 || r->code == 521)
        s->end = SMTP_END_REFUSED;
}
