/* Replies of look-up servers, and netstrings: what is read is in the bytes that came, byte after byte gives
 * the same, and what is written reads back. */
#include "fmt/netstring.h"
#include "fmt/tablewire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAYLOAD_MAX = 300 };

static void check_netstring(str in)
{
    str payload, early;
    size_t used = 0, early_used = 0;
    if (netstring_parse(in, PAYLOAD_MAX, &payload, &used) != RC_OK)
        return;
    must(used <= in.n && payload.n <= PAYLOAD_MAX && payload.p >= in.p &&
         payload.p + payload.n < in.p + used);
    for (size_t i = 0; i < used; i++)
        must(netstring_parse(str_sub(in, 0, i), PAYLOAD_MAX, &early, &early_used) == RC_TEMP);
    struct buf out = BUF_INIT(PAYLOAD_MAX + 20);
    netstring_put(&out, payload);
    must(str_eq(buf_str(&out), str_sub(in, 0, used)));
    buf_deinit(&out);
}

/* A key that was encoded decodes to itself. */
static void check_tcp(str key)
{
    struct buf request = BUF_INIT(3 * key.n + 10), reply = BUF_INIT(3 * key.n + 10),
               out = BUF_INIT(key.n + 1);
    tablewire_put_tcp(&request, key);
    must(!request.overflow && request.p[request.n - 1] == '\n');
    buf_puts(&reply, S("200 "));
    buf_puts(&reply, str_sub(buf_str(&request), 4, request.n - 5));
    must(str_chr(buf_str(&reply), '\n') < 0);
    must(tablewire_parse_tcp(buf_str(&reply), &out) == RC_OK && str_eq(buf_str(&out), key));
    buf_deinit(&request);
    buf_deinit(&reply);
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = str_mem(data, size);
    struct buf out = BUF_INIT(100);
    check_netstring(in);
    check_tcp(in);
    enum rc rc = tablewire_parse_tcp(in, &out);
    must((rc == RC_LIMIT) == out.overflow || rc == RC_INVALID);
    buf_reset(&out);
    rc = tablewire_parse_socketmap(in, &out);
    must((rc == RC_LIMIT) == out.overflow);
    buf_deinit(&out);
    return 0;
}
