/* BDAT (RFC 3030 §2): chunks of counted bytes. A chunk that cannot be taken is read all the same, because the
 * client sends it behind the command in any case; only when its length is unknown, the session ends.
 *
 *   bdat-cmd   ::= "BDAT" SP chunk-size [ SP end-marker ] CR LF
 *   chunk-size ::= 1*DIGIT
 *   end-marker ::= "LAST" */
#include "base/num.h"
#include "fmt/ehlo.h"
#include "smtp/session_impl.h"

static enum rc parse_args(str args, uint64_t *ret_size, bool *ret_last)
{
    str size = str_word(&args), marker = str_trim(args);
    if (marker.n && !str_ieq(marker, S("LAST")))
        return RC_INVALID;
    if (num_parse_u64(size, UINT64_MAX, ret_size))
        return RC_INVALID;
    *ret_last = marker.n > 0;
    return RC_OK;
}

/* Reads the chunk; keeps it when there is a message. */
static enum rc read_chunk(struct smtp_session *s, uint64_t size, msec deadline)
{
    enum rc rc = RC_OK;
    smtp_set_data_rate(s, true);
    while (size && rc == RC_OK) {
        str in;
        bool end;
        if ((rc = smtp_read_bytes(s, deadline, &in)))
            break;
        in = str_sub(in, 0, size < in.n ? (size_t)size : in.n);
        if (s->tx.msg.open)
            smtp_message_feed(s, in, &end);
        stream_consume(s->io, in.n);
        size -= in.n;
    }
    smtp_set_data_rate(s, false);
    return rc;
}

static bool may_send(const struct smtp_session *s)
{
    return (s->hello != SMTP_HELLO_NONE || !s->conf->smtpd_helo_required) && s->tx.mail_ok && s->tx.n > 0 &&
           !s->restrict_.denied && !(s->discarded & EHLO_CHUNKING);
}

/* The chunk of a client that may not send one is dropped, then the reply says why. */
static void drop_chunk(struct smtp_session *s, uint64_t size)
{
    if (read_chunk(s, size, clock_mono() + s->conf->smtpd_data_timeout_ms))
        return;
    if (s->restrict_.denied)
        smtp_reply_denied(s);
    else if (s->discarded & EHLO_CHUNKING)
        smtp_reply(s, 502, "5.5.1", "Error: command not implemented");
    else if (!s->tx.mail_ok)
        smtp_reply(s, 503, "5.5.1", "Error: need MAIL command");
    else
        (void)smtp_refuse_without_recipients(s);
}

void smtp_cmd_bdat(struct smtp_session *s, str args)
{
    uint64_t size;
    bool last;
    if (parse_args(args, &size, &last)) {
        smtp_reply(s, 501, "5.5.4", "Syntax: BDAT size [LAST]; closing");
        s->end = SMTP_END_REFUSED;
        return;
    }
    if (!may_send(s)) {
        drop_chunk(s, size);
        return;
    }
    if (!s->tx.msg.open) {
        const struct restrict_refusal *refusal;
        smtp_message_begin(s, false);
        if (restrict_data(s, &refusal) != RC_OK || smtp_milter_data(s, &refusal) != RC_OK)
            smtp_message_refuse(s, refusal);
    }
    if (read_chunk(s, size, s->tx.msg.deadline))
        return;
    if (last) {
        smtp_message_end_counted(s);
        smtp_message_finish(s);
    } else {
        smtp_reply(s, 250, "2.0.0", "Ok: %llu bytes", (unsigned long long)size);
    }
}
