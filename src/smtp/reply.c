/* The one function through which replies leave (RFC 5321 §4.2): it stamps code and enhanced status (RFC 2034,
 * RFC 3463) on every line, softens refusals where that is asked for, and counts errors. Text is formatted on
 * the stack; control characters never reach the peer. */
#include "smtp/session_impl.h"

#include <stdarg.h>

enum { REPLY_TEXT_MAX = 1024 };

static void put_line(struct smtp_session *s, int code, const char *enhanced, str text, bool last)
{
    char head[24] = {(char)('0' + code / 100), (char)('0' + code / 10 % 10), (char)('0' + code % 10),
                     last ? ' ' : '-'};
    size_t n = 4;
    if (enhanced && enhanced[0]) {
        size_t len = strnlen(enhanced, 12);
        memcpy(head + n, enhanced, len);
        n += len;
        head[n++] = ' ';
    }
    stream_write(s->io, str_mem(head, n));
    stream_write(s->io, text);
    stream_write(s->io, S("\r\n"));
    smtp_notice_reply(s, code, str_c(enhanced), str_mem(head, n), text);
}

/* Who guesses names or passwords is slow at it, as with Postfix. */
static void wait_for_errors(struct smtp_session *s)
{
    bool slow = s->errors >= s->conf->smtpd_soft_error_limit && !smtp_is_lmtp(s) && !s->p->local;
    if (slow && s->conf->smtpd_error_sleep_time_ms > 0)
        s->env->pause(s->p->env_ctx, s->conf->smtpd_error_sleep_time_ms);
}

static void put_reply(struct smtp_session *s, int code, const char *enhanced, char *text)
{
    wait_for_errors(s);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' && *c != '\n')
            *c = '?';
    str rest = str_c(text);
    do {
        str line = str_take(&rest, '\n');
        put_line(s, code, enhanced, line, rest.p == NULL);
    } while (rest.p);
    s->last_code = code;
    s->in_group = true;
    if (code >= 400)
        s->errors++;
}

void smtp_soften(const struct smtp_session *s, int *code, char *enhanced)
{
    if (*code < 500 || !s->conf->soft_bounce)
        return;
    *code -= 100;
    if (enhanced[0])
        enhanced[0] = '4';
}

void smtp_reply(struct smtp_session *s, int code, const char *enhanced, const char *fmt, ...)
{
    AUTO(buf_deinit) struct buf whole = BUF_INIT(REPLY_TEXT_MAX + SMTP_FOOTER_MAX);
    char text[REPLY_TEXT_MAX], softened[12];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    snprintf(softened, sizeof softened, "%s", enhanced ? enhanced : "");
    smtp_soften(s, &code, softened);
    enhanced = enhanced ? softened : NULL;
    if (code < 400) {
        put_reply(s, code, enhanced, text);
        return;
    }
    buf_puts(&whole, str_c(text));
    smtp_put_footer(s, code, enhanced, &whole);
    (void)buf_cstr(&whole);
    put_reply(s, code, enhanced, whole.p ? whole.p : text);
}

void smtp_reply_err(struct smtp_session *s, const struct err *e)
{
    bool temp = e->rc == RC_TEMP;
    smtp_reply(s,
               e->code ? e->code
               : temp  ? 451
                       : 550,
               e->enhanced[0] ? e->enhanced
               : temp         ? "4.3.0"
                              : "5.0.0",
               "%s",
               e->peer[0] ? e->peer
               : temp     ? "Error: temporary failure, try again later"
                          : "Error: refused");
}

void smtp_reply_denied(struct smtp_session *s)
{
    smtp_reply(s, 503, "5.7.0", "Error: access denied for " SMTP_CLIENT_FMT, SMTP_CLIENT_ARG(s));
}
