/* reply: the one place where tagged and status responses are written (RFC 9051 §7.1; codes of RFC 5530 and
 * RFC 4315). */
#include "imap/reply.h"

#include "imap/command.h"

#include "base/log.h"
#include "fmt/imap_out.h"

static void put_status(struct buf *out, const char *word, str code)
{
    buf_puts(out, str_c(word));
    buf_putc(out, ' ');
    if (code.n > 0) {
        buf_putc(out, '[');
        buf_puts(out, code);
        buf_puts(out, S("] "));
    }
}

static void put_tag(struct imap_session *s)
{
    buf_puts(&s->out, s->tag.n ? s->tag : S("*"));
    buf_putc(&s->out, ' ');
}

static void put_line(struct imap_session *s, const char *text)
{
    imap_put_text(&s->out, str_c(text));
    buf_puts(&s->out, S("\r\n"));
    imap_send(s);
}

static const char *default_code(enum rc rc)
{
    switch (rc) {
    case RC_GONE:
        return "NONEXISTENT";
    case RC_LIMIT:
        return "LIMIT";
    case RC_TEMP:
        return "UNAVAILABLE";
    case RC_PERM:
        return "CANNOT";
    case RC_OK:
    case RC_INVALID:
        break;
    }
    return "";
}

/* RFC 5530 §3, RFC 7889 §4; x.2.2 is a full mailbox, x.3.4 a message too big, x.7.1 a right that is missing
 * (RFC 3463 §3.3, §3.4, §3.8). */
static str code_of(enum rc rc, const struct imap_reply *re)
{
    const char *detail = rc != RC_OK && re->err.enhanced[0] ? re->err.enhanced + 1 : "";
    if (re->code.n || re->no_code)
        return re->code;
    if (strcmp(detail, ".2.2") == 0)
        return S("OVERQUOTA");
    if (strcmp(detail, ".7.1") == 0)
        return S("NOPERM");
    return strcmp(detail, ".3.4") == 0 ? S("TOOBIG") : str_c(default_code(rc));
}

static const char *default_text(enum rc rc)
{
    switch (rc) {
    case RC_GONE:
        return "There is no such mailbox.";
    case RC_LIMIT:
        return "A limit was reached.";
    case RC_TEMP:
        return "That cannot be done now; try again later.";
    case RC_PERM:
        return "That is not permitted.";
    case RC_OK:
    case RC_INVALID:
        break;
    }
    return "The arguments are not valid.";
}

static void put_reason(struct imap_session *s, enum rc rc, const struct imap_reply *re,
                       const struct imap_lex *lex)
{
    if (re->err.peer[0])
        imap_put_text(&s->out, str_c(re->err.peer));
    else if (lex->expected && (rc == RC_INVALID || rc == RC_LIMIT))
        buf_printf(&s->out, "Expected %s at byte %zu.", lex->expected, lex->expected_at + 1);
    else
        buf_puts(&s->out, str_c(default_text(rc)));
}

/* Trouble of the store is the operator's business; what the client did wrong is not. */
static void log_failure(const struct imap_session *s, enum rc rc, const struct imap_reply *re)
{
    if (rc == RC_TEMP)
        log_error(STR_FMT ": %s", STR_ARG(s->command->verb), err_text(&re->err));
}

void imap_reply_tagged(struct imap_session *s, enum rc rc, const struct imap_reply *re,
                       const struct imap_lex *lex)
{
    str code = code_of(rc, re);
    put_tag(s);
    put_status(&s->out, rc == RC_OK ? "OK" : rc == RC_INVALID ? "BAD" : "NO", code);
    if (rc) {
        log_failure(s, rc, re);
        put_reason(s, rc, re, lex);
    } else if (re->text) {
        imap_put_text(&s->out, str_c(re->text));
    } else {
        buf_puts(&s->out, s->command->verb);
        buf_puts(&s->out, S(" completed."));
    }
    buf_puts(&s->out, S("\r\n"));
    imap_send(s);
}

void imap_reply_refused(struct imap_session *s, const char *word, const char *code, const char *text)
{
    put_tag(s);
    put_status(&s->out, word, str_c(code));
    put_line(s, text);
}

void imap_reply_untagged(struct imap_session *s, const char *word, const char *code, const char *text)
{
    buf_puts(&s->out, S("* "));
    put_status(&s->out, word, str_c(code));
    put_line(s, text);
}

enum rc imap_reply_continue(struct imap_session *s, const char *text)
{
    buf_puts(&s->out, S("+ "));
    put_line(s, text);
    stream_set_deadline(s->io, clock_mono() + s->limits.idle_ms);
    if (stream_flush(s->io) == RC_OK)
        return RC_OK;
    s->closing = s->lost = true;
    return RC_GONE;
}

void imap_reply_bye(struct imap_session *s, const char *text)
{
    imap_reply_untagged(s, "BYE", "", text);
    s->closing = true;
}

void imap_bye_if_stale(struct imap_session *s)
{
    if (!s->closing && store_is_stale(s->store))
        imap_reply_bye(s, "The mailbox index was rebuilt, please connect again.");
}
