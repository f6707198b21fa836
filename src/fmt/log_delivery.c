/* What a delivery tells of the message. */
#include "fmt/log_delivery.h"

#include "fmt/addrlist.h"
#include "fmt/mail_log.h"
#include "fmt/rfc2047.h"

/* The address of the first one in From. */
static str from_address(const struct headscan *h, struct arena *a)
{
    const struct address *from = addrlist_parse(str_mem(h->from.p, h->from.n), a);
    while (from && address_is_group_mark(from))
        from = from->next;
    return from ? arena_printf(a, STR_FMT "@" STR_FMT, STR_ARG(from->mailbox), STR_ARG(from->host)) : S("");
}

enum rc log_delivery_put(const struct log_delivery *d, str format, struct buf *out, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(16 * HEADSCAN_TEXT_MAX);
    AUTO(buf_deinit) struct buf subject = BUF_INIT(4 * HEADSCAN_TEXT_MAX);
    const struct headscan *h = d->head;
    rfc2047_decode(&subject, str_mem(h->subject.p, h->subject.n));
    const struct log_value values[LOG_DELIVER_FIELDS] = {
        [LOG_DELIVER_MESSAGE].text = d->message,
        [LOG_DELIVER_MSGID].text =
            h->message_id_n ? str_mem(h->message_id, h->message_id_n) : S("unspecified"),
        [LOG_DELIVER_SUBJECT].text = str_trim(str_mem(buf_cstr(&subject), subject.n)),
        [LOG_DELIVER_FROM].text = from_address(h, a),
        [LOG_DELIVER_FROM_ENVELOPE].text = d->sender,
        [LOG_DELIVER_TO_ENVELOPE].text = d->recipient,
        [LOG_DELIVER_SIZE].number = d->bytes,
        [LOG_DELIVER_VSIZE].number = d->crlf_bytes,
        [LOG_DELIVER_DELIVERY_TIME].number = d->delivery_ms,
        [LOG_DELIVER_SESSION_TIME].number = d->session_ms};
    const struct log_fields f = {.kind = LOG_FIELDS_DELIVER, .values = values};
    return log_fields_put(&f, format, out, e);
}

bool log_delivery_put_saved(const struct log_delivery *d, str box, str events, str fields, struct buf *out)
{
    const struct headscan *h = d->head;
    const struct mail_log_message m = {.msgid = str_mem(h->message_id, h->message_id_n),
                                       .from = str_mem(h->from.p, h->from.n),
                                       .subject = str_mem(h->subject.p, h->subject.n),
                                       .size = d->bytes,
                                       .vsize = d->crlf_bytes,
                                       .flags = S("")};
    struct mail_log_terms terms;
    mail_log_parse(events, fields, &terms, NULL);
    if (!(terms.events & MAIL_LOG_SAVE))
        return false;
    buf_puts(out, S("save: "));
    mail_log_put(terms.fields, box, &m, out);
    return true;
}
