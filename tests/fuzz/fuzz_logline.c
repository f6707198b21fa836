/* Whatever lies in a log file: what is taken has a role and fits the line, and the facts lie within its text.
 */
#include "fmt/logline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(str part, str whole)
{
    must(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buf_deinit) struct buf room = BUF_INIT(1 << 20);
    struct logline l;
    struct logline_facts f;
    str host, words;
    if (logline_parse(str_mem(data, size), &room, &l) != RC_OK)
        return 0;
    must(l.role.n > 0 && l.text.n <= size && logline_event_name(LOGLINE_REJECT));
    must(l.has_date || (l.clock.month < 12 && l.clock.day >= 1 && l.clock.day <= 31));
    logline_read(&l, &f);
    must(logline_event_name(f.event));
    const str parts[] = {f.client,     f.account,   f.method,   f.uid,      f.message_id, f.sender, f.size,
                         f.recipients, f.recipient, f.original, f.relay,    f.delay,      f.dsn,    f.status,
                         f.reply,      f.mailbox,   f.stage,    f.protocol, f.helo,       f.other};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        check_within(parts[i], l.text);
    if (logline_said(f.reply, &host, &words)) {
        check_within(host, f.reply);
        check_within(words, f.reply);
    }
    return 0;
}
