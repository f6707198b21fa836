/* DATA (RFC 5321 §4.1.1.4). Whatever is wrong with a message, it is read to its end first, so that the next
 * command is where the client thinks it is. */
#include "smtp/session_impl.h"

bool smtp_refuse_without_recipients(struct smtp_session *s)
{
    if (s->tx.n)
        return false;
    if (!s->tx.rcpt_tried) /* RFC 5321 §4.1.4 */
        smtp_reply(s, 503, "5.5.1", "Error: need RCPT command");
    else /* RFC 5321 §3.3; LMTP must say 503 (RFC 2033 §4.2) */
        smtp_reply(s, smtp_is_lmtp(s) ? 503 : 554, "5.5.1", "Error: no valid recipients");
    return true;
}

void smtp_cmd_data(struct smtp_session *s, str args)
{
    bool end = false;
    if (s->tx.mail.body == SMTP_BODY_BINARYMIME) { /* RFC 3030 §3 */
        smtp_reply(s, 503, "5.5.1", "Error: BODY=BINARYMIME needs BDAT");
        return;
    }
    if (smtp_refuse_without_recipients(s))
        return;
    const struct restrict_refusal *refusal;
    if (restrict_data(s, &refusal) != RC_OK || smtp_milter_data(s, &refusal) != RC_OK) {
        restrict_reply(s, refusal);
        return;
    }
    smtp_message_begin(s, true);
    smtp_reply(s, 354, NULL, "End data with <CR><LF>.<CR><LF>");
    smtp_set_data_rate(s, true);
    while (!end) {
        str in;
        if (smtp_read_bytes(s, s->tx.msg.deadline, &in))
            return;
        stream_consume(s->io, smtp_message_feed(s, in, &end));
    }
    smtp_set_data_rate(s, false);
    smtp_message_finish(s);
}
