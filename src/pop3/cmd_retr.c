/* RETR and TOP: a message, or its header and some lines, on the wire (RFC 1939 §5, §7). */
#include "fmt/dotstuff.h"
#include "pop3/session.h"

enum { CHUNK = 32768 };

/* Counts what is sent, too. */
static void send_dotted(struct pop3_session *s, str raw, struct pop3_sent *sent)
{
    struct dotstuff d = {0};
    struct buf out = BUF_INIT(2 * CHUNK + 8);
    sent->n++;
    while (raw.n) {
        str chunk = str_sub(raw, 0, CHUNK);
        buf_reset(&out);
        dotstuff_put(&d, &out, chunk);
        must(!out.overflow);
        stream_write(s->io, buf_str(&out));
        sent->bytes += out.n;
        raw = str_from(raw, chunk.n);
    }
    buf_reset(&out);
    dotstuff_finish(&d, &out);
    stream_write(s->io, buf_str(&out));
    buf_deinit(&out);
}

/* Takes one line, with its end, off *rest. */
static void take_line(str *rest)
{
    ptrdiff_t lf = rest->n ? str_chr(*rest, '\n') : -1;
    *rest = str_from(*rest, lf < 0 ? rest->n : (size_t)lf + 1);
}

/* The header, the empty line behind it, and `lines` lines of the body. */
static str top_of(str raw, uint32_t lines)
{
    str rest = raw;
    while (rest.n && rest.p[0] != '\n' && !str_starts(rest, S("\r\n")))
        take_line(&rest);
    take_line(&rest);
    for (uint32_t i = 0; i < lines && rest.n; i++)
        take_line(&rest);
    return str_sub(raw, 0, raw.n - rest.n);
}

static enum rc open_content(struct pop3_session *s, const struct pop3_message *m, struct box_content *ret)
{
    struct err e = {0};
    enum rc rc = box_content_open(s->box, m->uid, ret, &e);
    if (rc == RC_GONE)
        stream_write(s->io, S("-ERR The message was deleted by another session.\r\n"));
    else if (rc != RC_OK)
        pop3_store_failed(s, "message", &e);
    return rc;
}

void pop3_cmd_retr(struct pop3_session *s, const struct pop3_cmd *cmd)
{
    struct pop3_message *m = pop3_find(s, cmd->number);
    struct box_content content;
    if (!m || open_content(s, m, &content) != RC_OK)
        return;
    stream_printf(s->io, "+OK %llu octets\r\n", (unsigned long long)crlf_size(content.raw));
    send_dotted(s, content.raw, &s->retr);
    box_content_close(&content);
    m->seen_now = true;
}

void pop3_cmd_top(struct pop3_session *s, const struct pop3_cmd *cmd)
{
    struct pop3_message *m = pop3_find(s, cmd->number);
    struct box_content content;
    if (!m || open_content(s, m, &content) != RC_OK)
        return;
    stream_write(s->io, S("+OK\r\n"));
    send_dotted(s, top_of(content.raw, cmd->lines), &s->top);
    box_content_close(&content);
}
