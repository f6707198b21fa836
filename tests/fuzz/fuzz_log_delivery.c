/* Lines about deliveries: the first line is the format, the second the events and fields, the rest the
 * message. A failure has a reason and leaves nothing behind; the line about what was saved is one. */
#include "fmt/log_delivery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str message = str_mem(data, size), format = str_take(&message, '\n'), words = str_take(&message, '\n');
    AUTO(buf_deinit) struct buf out = BUF_INIT(LOG_DELIVERY_MAX), saved = BUF_INIT(16384);
    struct headscan head;
    struct err e = {0};
    headscan_init(&head);
    headscan_feed(&head, message);
    const struct log_delivery d = {.head = &head,
                                   .message = S("saved mail to INBOX"),
                                   .sender = S("a@b.example"),
                                   .recipient = S("c@d.example"),
                                   .bytes = message.n,
                                   .crlf_bytes = message.n + head.fields};
    enum rc rc = log_delivery_put(&d, format, &out, &e);
    must(rc == e.rc && (rc == RC_OK || (out.n == 0 && e.peer[0])));
    bool told = log_delivery_put_saved(&d, S("INBOX"), words, words, &saved);
    must(told == (saved.n > 0) && !saved.overflow && str_chr(buf_str(&saved), '\n') < 0);
    return 0;
}
