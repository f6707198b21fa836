/* What a message needs of the server, and the MAIL and RCPT commands that say it (RFC 5321 §4.1.1.2,
 * §4.1.1.3).
 *
 * Each parameter goes only where the server offers it: SIZE (RFC 1870), BODY (RFC 6152, RFC 3030), SMTPUTF8
 * (RFC 6531), RET, ENVID, NOTIFY and ORCPT (RFC 3461, RFC 6533), AUTH (RFC 4954), REQUIRETLS (RFC 8689),
 * MT-PRIORITY (RFC 6710), BY (RFC 2852). */
#include "base/utf8.h"
#include "fmt/smtp_cmd.h"
#include "smtp/client_impl.h"

enum {
    ADDRESS_MAX = 1000, /* bytes; far more than a path may have */
    ORCPT_TYPE_MAX = 40,
    BY_SECONDS_MAX = 999999999, /* RFC 2852 §4: nine digits */
    PRIORITY_MAX = 9            /* RFC 6710 §3 */
};

static bool offers(const struct smtp_client *c, unsigned keywords)
{
    return ehlo_has(&c->offers, keywords);
}

/* No byte that would end the command or begin another one, and not so long that a command has no room. */
static bool is_safe(str s)
{
    if (s.n > ADDRESS_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return true;
}

static bool needs_smtputf8(const struct smtp_client_message *m)
{
    return m->smtputf8 || !utf8_is_ascii(m->sender);
}

static const char *offered_by(const struct smtp_client *c)
{
    return c->offers.keywords ? "does not offer" : "has no extensions, so not";
}

static enum rc lacks(const struct smtp_client *c, struct arena *arena, struct smtp_client_message *m,
                     const char *enhanced, const char *what, const char *name)
{
    client_outcome_own(arena, SMTP_PHASE_CHECK, RC_PERM, enhanced, &m->outcome,
                       "%s is required, but host " STR_FMT " %s %s", what, STR_ARG(c->p.peer), offered_by(c),
                       name);
    return RC_PERM;
}

static bool takes_content(const struct smtp_client *c, const struct smtp_client_message *m)
{
    switch (m->content) {
    case SMTP_CONTENT_8BIT: /* RFC 6531 §3.1: SMTPUTF8 comes with 8BITMIME */
        return offers(c, EHLO_8BITMIME) || offers(c, EHLO_SMTPUTF8);
    case SMTP_CONTENT_BINARY:
        return offers(c, EHLO_BINARYMIME | EHLO_CHUNKING);
    default:
        return true;
    }
}

static enum rc check_tls(struct smtp_client *c, struct arena *arena, struct smtp_client_message *m)
{
    if (!stream_is_tls(c->io)) {
        client_outcome_own(arena, SMTP_PHASE_CHECK, RC_PERM, "5.7.10", &m->outcome,
                           "REQUIRETLS is required, but the connection to host " STR_FMT " has no TLS",
                           STR_ARG(c->p.peer));
        return RC_PERM;
    }
    return offers(c, EHLO_REQUIRETLS) ? RC_OK : lacks(c, arena, m, "5.7.30", "REQUIRETLS", "it");
}

static enum rc check_deliver_by(struct smtp_client *c, struct arena *arena, struct smtp_client_message *m)
{
    if (!offers(c, EHLO_DELIVERBY)) /* RFC 2852 §4.1.4: mode R goes only where it is understood */
        return lacks(c, arena, m, "5.3.3", "delivery by a time", "DELIVERBY");
    if (m->by_seconds > 0 && (uint64_t)m->by_seconds >= c->offers.deliver_by_min)
        return RC_OK;
    client_outcome_own(arena, SMTP_PHASE_CHECK, RC_PERM, "5.4.7", &m->outcome,
                       "delivery time expired: %lld seconds are left, and host " STR_FMT " needs %u",
                       (long long)m->by_seconds, STR_ARG(c->p.peer), c->offers.deliver_by_min);
    return RC_PERM;
}

static enum rc check_size(struct smtp_client *c, struct arena *arena, struct smtp_client_message *m)
{
    uint64_t max = c->offers.size_max;
    if (!offers(c, EHLO_SIZE) || max == 0 || m->size_bytes <= max)
        return RC_OK;
    client_outcome_own(arena, SMTP_PHASE_CHECK, RC_PERM, "5.3.4", &m->outcome,
                       "message size %llu exceeds size limit %llu of server " STR_FMT,
                       (unsigned long long)m->size_bytes, (unsigned long long)max, STR_ARG(c->p.peer));
    return RC_PERM;
}

enum rc client_check(struct smtp_client *c, struct arena *arena, struct smtp_client_message *m)
{
    enum rc rc = RC_OK;
    if (!is_safe(m->sender) || !is_safe(m->auth)) {
        client_outcome_own(arena, SMTP_PHASE_CHECK, RC_PERM, "5.1.7", &m->outcome,
                           "malformed sender address");
        return RC_PERM;
    }
    if (needs_smtputf8(m) && !offers(c, EHLO_SMTPUTF8))
        return lacks(c, arena, m, "5.6.7", "SMTPUTF8", "it");
    if (m->requiretls)
        rc = check_tls(c, arena, m);
    if (rc == RC_OK && m->by_mode == 'R')
        rc = check_deliver_by(c, arena, m);
    if (rc == RC_OK)
        rc = check_size(c, arena, m);
    if (rc != RC_OK || takes_content(c, m))
        return rc;
    m->needs_7bit = true;
    return m->content == SMTP_CONTENT_BINARY
               ? lacks(c, arena, m, "5.6.3", "transport of binary content", "BINARYMIME")
               : lacks(c, arena, m, "5.6.3", "transport of 8-bit content", "8BITMIME");
}

enum rc client_check_rcpt(const struct smtp_client_message *m, struct arena *arena,
                          struct smtp_client_rcpt *rcpt)
{
    if (rcpt->address.n == 0 || !is_safe(rcpt->address)) {
        client_outcome_own(arena, SMTP_PHASE_CHECK, RC_PERM, "5.1.3", &rcpt->outcome,
                           "malformed recipient address");
        return RC_PERM;
    }
    if (needs_smtputf8(m) || utf8_is_ascii(rcpt->address))
        return RC_OK;
    client_outcome_own(arena, SMTP_PHASE_CHECK, RC_PERM, "5.6.7", &rcpt->outcome,
                       "a recipient address that is not ASCII needs SMTPUTF8");
    return RC_PERM;
}

/* RFC 3461 §4: xtext = *( xchar / hexchar ); xchar = any ASCII from "!" to "~" but "+" and "=" */
static void put_xtext(struct buf *out, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        if (ch < 0x21 || ch > 0x7e || ch == '+' || ch == '=')
            buf_printf(out, "+%02X", ch);
        else
            buf_putc(out, (char)ch);
    }
}

/* RFC 6533 §3: utf-8-enc-addr, as it is under SMTPUTF8 and with \x{HEX} elsewhere; bytes that are no UTF-8 go
 * as xtext. */
static void put_utf8_address(struct buf *out, str s, bool smtputf8)
{
    for (size_t i = 0; i < s.n;) {
        uint32_t cp = 0;
        size_t n = utf8_decode(str_from(s, i), &cp);
        n = n ? n : 1;
        if (cp < 0x80)
            put_xtext(out, str_sub(s, i, n));
        else if (smtputf8)
            buf_puts(out, str_sub(s, i, n));
        else
            buf_printf(out, "\\x{%X}", cp);
        i += n;
    }
}

static const char *body_name(enum smtp_client_content content)
{
    return content == SMTP_CONTENT_BINARY ? "BINARYMIME" : content == SMTP_CONTENT_8BIT ? "8BITMIME" : "7BIT";
}

static void put_dsn_of_mail(const struct smtp_client_message *m, struct buf *out)
{
    if (m->ret == SMTP_RET_FULL || m->ret == SMTP_RET_HDRS)
        buf_printf(out, " RET=%s", m->ret == SMTP_RET_FULL ? "FULL" : "HDRS");
    if (m->envid.p && m->envid.n <= SMTP_ENVID_MAX) {
        buf_puts(out, S(" ENVID="));
        put_xtext(out, m->envid);
    }
}

/* RFC 2852 §4: by-value = by-time ";" by-mode [ by-trace ] */
static bool put_deliver_by(const struct smtp_client_message *m, struct buf *out)
{
    if (!m->by_mode || m->by_seconds > BY_SECONDS_MAX || m->by_seconds < -BY_SECONDS_MAX)
        return false;
    buf_printf(out, " BY=%lld;%c%s", (long long)m->by_seconds, m->by_mode, m->by_trace ? "T" : "");
    return true;
}

/* RFC 4954 §5 */
static void put_auth(const struct smtp_client *c, const struct smtp_client_message *m, struct buf *out)
{
    if (!m->auth.p || !c->authenticated)
        return;
    buf_puts(out, S(" AUTH="));
    if (str_eq(m->auth, S("<>")))
        buf_puts(out, m->auth);
    else
        put_xtext(out, m->auth);
}

unsigned client_put_mail(const struct smtp_client *c, const struct smtp_client_message *m, struct buf *out)
{
    unsigned passed = 0;
    buf_puts(out, S("MAIL FROM:<"));
    buf_puts(out, m->sender);
    buf_putc(out, '>');
    if (offers(c, EHLO_SIZE) && m->size_bytes)
        buf_printf(out, " SIZE=%llu", (unsigned long long)m->size_bytes);
    if (m->content == SMTP_CONTENT_BINARY || (m->content == SMTP_CONTENT_8BIT && offers(c, EHLO_8BITMIME)))
        buf_printf(out, " BODY=%s", body_name(m->content));
    if (needs_smtputf8(m)) {
        buf_puts(out, S(" SMTPUTF8"));
        passed |= SMTP_PASSED_SMTPUTF8;
    }
    if (offers(c, EHLO_DSN)) {
        put_dsn_of_mail(m, out);
        passed |= SMTP_PASSED_DSN;
    }
    put_auth(c, m, out);
    if (m->requiretls) {
        buf_puts(out, S(" REQUIRETLS"));
        passed |= SMTP_PASSED_REQUIRETLS;
    }
    if (m->has_priority && offers(c, EHLO_MT_PRIORITY) && m->priority <= PRIORITY_MAX &&
        m->priority >= -PRIORITY_MAX) {
        buf_printf(out, " MT-PRIORITY=%d", m->priority);
        passed |= SMTP_PASSED_PRIORITY;
    }
    if (offers(c, EHLO_DELIVERBY) && put_deliver_by(m, out))
        passed |= SMTP_PASSED_DELIVERBY;
    buf_puts(out, S("\r\n"));
    return passed;
}

/* RFC 3461 §4.1: "NEVER" / notify-list-element *( "," notify-list-element ) */
static void put_notify(unsigned notify, struct buf *out)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {
        {SMTP_NOTIFY_SUCCESS, "SUCCESS"}, {SMTP_NOTIFY_FAILURE, "FAILURE"}, {SMTP_NOTIFY_DELAY, "DELAY"}};
    const char *before = " NOTIFY=";
    if (notify & SMTP_NOTIFY_NEVER) {
        buf_puts(out, S(" NOTIFY=NEVER"));
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (notify & names[i].bit) {
            buf_printf(out, "%s%s", before, names[i].name);
            before = ",";
        }
}

/* RFC 3461 §4.2: addr-type = atom */
static bool is_orcpt_type(str type)
{
    for (size_t i = 0; i < type.n; i++)
        if (!ascii_alnum(type.p[i]) && type.p[i] != '-')
            return false;
    return type.n > 0 && type.n <= ORCPT_TYPE_MAX;
}

/* RFC 2852 §4.1.4.2: whoever does not watch the time is to tell of a delay at least. */
static unsigned notify_of(const struct smtp_client *c, const struct smtp_client_message *m, unsigned notify)
{
    if (!m->by_mode || offers(c, EHLO_DELIVERBY) || notify & SMTP_NOTIFY_NEVER)
        return notify;
    return (notify ? notify : (unsigned)SMTP_NOTIFY_FAILURE) | SMTP_NOTIFY_DELAY;
}

void client_put_rcpt(const struct smtp_client *c, const struct smtp_client_message *m,
                     const struct smtp_client_rcpt *rcpt, struct buf *out)
{
    buf_puts(out, S("RCPT TO:<"));
    buf_puts(out, rcpt->address);
    buf_putc(out, '>');
    if (offers(c, EHLO_DSN)) {
        put_notify(notify_of(c, m, rcpt->notify), out);
        if (rcpt->orcpt.p && rcpt->orcpt.n <= SMTP_ORCPT_MAX && is_orcpt_type(rcpt->orcpt_type)) {
            buf_printf(out, " ORCPT=" STR_FMT ";", STR_ARG(rcpt->orcpt_type));
            if (str_ieq(rcpt->orcpt_type, S("utf-8")))
                put_utf8_address(out, rcpt->orcpt, needs_smtputf8(m));
            else
                put_xtext(out, rcpt->orcpt);
        }
    }
    buf_puts(out, S("\r\n"));
}
