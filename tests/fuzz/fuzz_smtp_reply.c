/* Replies in one piece and in pieces, whose sizes the first byte chooses: both ways must read the same. */
#include "base/utf8.h"
#include "fmt/smtp_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum smtp_reply_event read_all(struct smtp_reply *r, str in, size_t piece, size_t *ret_at)
{
    enum smtp_reply_event event = SMTP_REPLY_MORE;
    enum rc rc = RC_OK;
    memset(r, 0, sizeof *r);
    *ret_at = 0;
    while (*ret_at < in.n && (event == SMTP_REPLY_MORE || event == SMTP_REPLY_LINE)) {
        size_t taken = 0;
        event = smtp_reply_feed(r, str_sub(in, *ret_at, piece), &taken, &rc);
        must(taken > 0 && taken <= piece);
        *ret_at += taken;
        must(event != SMTP_REPLY_BAD || rc == RC_INVALID || rc == RC_LIMIT);
    }
    return event;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct smtp_reply whole, pieces;
    size_t whole_at, pieces_at;
    if (size < 2)
        return 0;
    str in = str_mem(data + 1, size - 1);
    enum smtp_reply_event event = read_all(&whole, in, in.n, &whole_at);
    if (whole.bytes > SMTP_REPLY_BYTES_MAX)
        return 0; /* where the limit strikes depends on the pieces */
    must(read_all(&pieces, in, (size_t)data[0] + 1, &pieces_at) == event && whole_at == pieces_at);
    must(whole.code == pieces.code && whole.lines == pieces.lines && whole.said_n == pieces.said_n);
    must(memcmp(whole.said, pieces.said, whole.said_n) == 0);
    must(strcmp(whole.enhanced, pieces.enhanced) == 0);
    must(utf8_valid(str_mem(whole.said, whole.said_n)));
    if (event == SMTP_REPLY_DONE)
        must(whole.code >= 200 && whole.code <= 599);
    return 0;
}
