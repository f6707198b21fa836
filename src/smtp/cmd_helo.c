/* EHLO, HELO and LHLO (RFC 5321 §4.1.1.1, RFC 2033 §4.1): the client says its name, the server says what it
 * can do. The name is taken as it is: mail must not be refused for it (RFC 5321 §4.1.4). */
#include "fmt/date.h"
#include "smtp/rules.h"
#include "smtp/session_impl.h"

/* Replies when the restrictions refuse the name; then it is as if it had not been said. */
static bool is_welcome(struct smtp_session *s)
{
    const struct restrict_refusal *refusal;
    if (restrict_helo(s, &refusal) == RC_OK)
        return true;
    restrict_reply(s, refusal);
    s->hello = SMTP_HELLO_NONE;
    s->helo = STR_NONE;
    return false;
}

/* Keeps the name and begins anew, or replies 501. */
static bool accept_name(struct smtp_session *s, str args, enum smtp_hello hello)
{
    if (smtp_cmd_check_helo(args) || str_copy(s->helo_room, sizeof s->helo_room, args)) {
        smtp_reply(s, 501, "5.5.4", "Syntax: %s hostname", s->last_verb);
        return false;
    }
    if (s->hello != SMTP_HELLO_NONE && ++s->junk > s->conf->smtpd_junk_command_limit)
        s->errors++;
    smtp_tx_reset(s);
    s->helo = str_mem(s->helo_room, args.n);
    s->hello = hello;
    return is_welcome(s);
}

unsigned smtp_extensions(const struct smtp_session *s)
{
    bool submission = s->p->kind == SMTP_KIND_SUBMISSION;
    if (s->hello != SMTP_HELLO_EXTENDED || smtp_proxy_filter(s).n > 0) /* the filter may know none of them */
        return 0;
    bool lines = smtp_checks_wanted(s) || smtp_milters_wanted(s); /* are what these look at */
    return (lines ? 0 : SMTP_EXT_BINARYMIME) |
           (stream_is_tls(s->io) ? SMTP_EXT_REQUIRETLS : 0) | /* RFC 8689 §2 */
           (smtp_is_lmtp(s) ? 0 : SMTP_EXT_DELIVERBY | SMTP_EXT_MT_PRIORITY) |
           (submission && s->conf->future_release_limit_ms > 0 ? SMTP_EXT_FUTURERELEASE
                                                               : 0); /* RFC 4865 §3 */
}

/* RFC 4865 §3: the longest interval, and the last moment, until which a message is held */
static void put_future_release(const struct smtp_session *s, struct buf *out)
{
    int64_t most = s->conf->future_release_limit_ms / 1000;
    buf_printf(out, "\nFUTURERELEASE %lld ", (long long)most);
    date_format_internet(out, clock_seconds() + most);
}

static void put_auth(const struct smtp_session *s, struct buf *out)
{
    AUTO(buf_deinit) struct buf names = BUF_INIT(SMTP_MECHANISMS_MAX);
    smtp_put_mechanisms(s, &names);
    buf_printf(out, "\nAUTH%s", buf_cstr(&names));
    if (s->conf->broken_sasl_auth_clients && names.n > 0)
        buf_printf(out, "\nAUTH=%s", buf_cstr(&names) + 1);
}

static void put_extensions(const struct smtp_session *s, struct buf *out)
{
    unsigned extensions = smtp_extensions(s);
    buf_puts(out, str_c(s->conf->hostname));
    buf_puts(out, smtp_gate_hides_pipelining(s) ? S("\nSIZE ") : S("\nPIPELINING\nSIZE "));
    buf_put_u64(out, s->conf->message_size_limit);
    if (s->p->tls && !stream_is_tls(s->io))
        buf_puts(out, S("\nSTARTTLS"));
    if (smtp_offers_auth(s) && smtp_is_secured(s)) /* RFC 4954 §4: not where it would be refused */
        put_auth(s, out);
    if (smtp_may_xclient(s))
        buf_printf(out, "\nXCLIENT%s", smtp_attr_names(SMTP_ATTR_XCLIENT));
    if (s->may_xforward)
        buf_printf(out, "\nXFORWARD%s", smtp_attr_names(SMTP_ATTR_XFORWARD));
    buf_puts(out, S("\nENHANCEDSTATUSCODES\n8BITMIME\nDSN"));
    buf_puts(out, s->conf->smtputf8_enable ? S("\nSMTPUTF8\nCHUNKING") : S("\nCHUNKING"));
    if (extensions & SMTP_EXT_BINARYMIME)
        buf_puts(out, S("\nBINARYMIME"));
    if (extensions & SMTP_EXT_FUTURERELEASE)
        put_future_release(s, out);
    if (extensions & SMTP_EXT_DELIVERBY)
        buf_puts(out, S("\nDELIVERBY"));
    if (extensions & SMTP_EXT_DELIVERBY && s->conf->deliver_by_minimum_ms > 0) /* RFC 2852 §3 */
        buf_printf(out, " %lld", (long long)s->conf->deliver_by_minimum_ms / 1000);
    if (extensions & SMTP_EXT_MT_PRIORITY)
        buf_puts(out, S("\nMT-PRIORITY"));
    if (extensions & SMTP_EXT_REQUIRETLS)
        buf_puts(out, S("\nREQUIRETLS"));
    buf_puts(out, S("\nLIMITS RCPTMAX="));
    buf_put_u64(out, (uint64_t)s->conf->smtpd_recipient_limit);
    buf_puts(out, S(" MAILMAX="));
    buf_put_u64(out, SMTP_MAIL_MAX);
    if (s->p->local) { /* for addresses that the program gives without a domain */
        buf_puts(out, S("\nXORIGIN "));
        buf_puts(out, rules_origin(s->conf));
    }
}

/* What milters refuse here is refused from MAIL on; only 421 is said at once. */
static bool is_shut_out(struct smtp_session *s, bool *ret_bare)
{
    const struct restrict_refusal *refusal;
    if (smtp_milter_helo(s, &refusal) == RC_OK)
        return false;
    *ret_bare = refusal->code >= 500;
    if (refusal->code == 421)
        restrict_reply(s, refusal);
    return refusal->code == 421;
}

void smtp_cmd_ehlo(struct smtp_session *s, str args)
{
    bool bare = false;
    if (!accept_name(s, args, SMTP_HELLO_EXTENDED) || is_shut_out(s, &bare))
        return;
    if (bare) {
        smtp_reply(s, 250, NULL, "%s\nENHANCEDSTATUSCODES", s->conf->hostname);
        return;
    }
    AUTO(buf_deinit) struct buf all = BUF_INIT(1200), text = BUF_INIT(1200);
    if (!smtp_discard_find(s))
        return;
    put_extensions(s, &all);
    smtp_discard_lines(s, buf_str(&all), &text);
    smtp_reply(s, 250, NULL, "%s", buf_cstr(&text));
}

void smtp_cmd_helo(struct smtp_session *s, str args)
{
    bool bare;
    if (accept_name(s, args, SMTP_HELLO_PLAIN) && !is_shut_out(s, &bare))
        smtp_reply(s, 250, NULL, "%s", s->conf->hostname);
}
