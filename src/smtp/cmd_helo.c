/* EHLO, HELO and LHLO (RFC 5321 §4.1.1.1, RFC 2033 §4.1): the client says its name, the server says what it
 * can do. The name is taken as it is: mail must not be refused for it (RFC 5321 §4.1.4). */
#include "fmt/sasl.h"
#include "smtp/session_impl.h"

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
    return true;
}

/* " PLAIN LOGIN ...": what is offered on this connection now. */
static void put_mechanisms(const struct smtp_session *s, struct buf *out)
{
    for (size_t i = 0; i < s->conf->auth_mechanisms.n; i++) {
        enum sasl_mech mech;
        if (sasl_mech_parse(s->conf->auth_mechanisms.v[i], &mech) ||
            (sasl_mech_is_plus(mech) && !stream_is_tls(s->io)))
            continue;
        buf_putc(out, ' ');
        buf_puts(out, sasl_mech_name(mech));
    }
}

static void put_extensions(const struct smtp_session *s, struct buf *out)
{
    buf_puts(out, str_c(s->conf->hostname));
    buf_puts(out, S("\nPIPELINING\nSIZE "));
    buf_put_u64(out, s->conf->message_size_limit);
    if (s->p->tls && !stream_is_tls(s->io))
        buf_puts(out, S("\nSTARTTLS"));
    if (s->p->offer_auth && smtp_is_secured(s)) { /* RFC 4954 §4: not where it would be refused */
        buf_puts(out, S("\nAUTH"));
        put_mechanisms(s, out);
    }
    buf_puts(out, S("\nENHANCEDSTATUSCODES\n8BITMIME\nDSN\nSMTPUTF8\nCHUNKING\nLIMITS RCPTMAX="));
    buf_put_u64(out, (uint64_t)s->conf->smtpd_recipient_limit);
    buf_puts(out, S(" MAILMAX="));
    buf_put_u64(out, SMTP_MAIL_MAX);
}

void smtp_cmd_ehlo(struct smtp_session *s, str args)
{
    if (!accept_name(s, args, SMTP_HELLO_EXTENDED))
        return;
    AUTO(buf_deinit) struct buf text = BUF_INIT(900);
    put_extensions(s, &text);
    smtp_reply(s, 250, NULL, "%s", buf_cstr(&text));
}

void smtp_cmd_helo(struct smtp_session *s, str args)
{
    if (accept_name(s, args, SMTP_HELLO_PLAIN))
        smtp_reply(s, 250, NULL, "%s", s->conf->hostname);
}
