#include "fmt/socks5.h"

enum { VERSION = 5, LOGIN_VERSION = 1, CONNECT = 1, IPV4 = 1, NAME = 3, IPV6 = 4 };

static void put_u8(struct buf *out, unsigned v)
{
    buf_putc(out, (char)(unsigned char)v);
}

/* RFC 1928 §3 */
void socks5_put_greeting(struct buf *out, bool has_password)
{
    put_u8(out, VERSION);
    put_u8(out, has_password ? 2 : 1);
    put_u8(out, SOCKS5_NO_LOGIN);
    if (has_password)
        put_u8(out, SOCKS5_PASSWORD);
}

/* RFC 1929 §2 */
void socks5_put_login(struct buf *out, str user, str password)
{
    must(user.n > 0 && user.n <= SOCKS5_WORD_MAX && password.n > 0 && password.n <= SOCKS5_WORD_MAX);
    put_u8(out, LOGIN_VERSION);
    put_u8(out, (unsigned)user.n);
    buf_puts(out, user);
    put_u8(out, (unsigned)password.n);
    buf_puts(out, password);
}

/* RFC 1928 §4 */
void socks5_put_connect(struct buf *out, str address, int port)
{
    must(address.n == 4 || address.n == 16);
    put_u8(out, VERSION);
    put_u8(out, CONNECT);
    put_u8(out, 0);
    put_u8(out, address.n == 4 ? IPV4 : IPV6);
    buf_puts(out, address);
    put_u8(out, (unsigned)port >> 8);
    put_u8(out, (unsigned)port & 0xff);
}

static unsigned at(str bytes, size_t i)
{
    return (unsigned char)bytes.p[i];
}

/* A message of `size` bytes that begins with `version`. */
static enum rc expect(str bytes, size_t size, unsigned version, size_t *ret_missing)
{
    if ((bytes.n > 0 && at(bytes, 0) != version) || bytes.n > size)
        return RC_INVALID;
    if (bytes.n == size)
        return RC_OK;
    *ret_missing = size - bytes.n;
    return RC_TEMP;
}

enum rc socks5_parse_method(str bytes, size_t *ret_missing, unsigned *ret)
{
    enum rc rc = expect(bytes, 2, VERSION, ret_missing);
    if (rc != RC_OK)
        return rc;
    switch (at(bytes, 1)) {
    case SOCKS5_NO_LOGIN:
    case SOCKS5_PASSWORD:
    case SOCKS5_NO_METHOD:
        *ret = at(bytes, 1);
        return RC_OK;
    default:
        return RC_INVALID;
    }
}

enum rc socks5_parse_login(str bytes, size_t *ret_missing, unsigned *ret)
{
    enum rc rc = expect(bytes, 2, LOGIN_VERSION, ret_missing);
    if (rc == RC_OK)
        *ret = at(bytes, 1);
    return rc;
}

/* RFC 1928 §6; what the address looks like shows in the fourth byte, and the length of a name in the fifth.
 */
enum rc socks5_parse_reply(str bytes, size_t *ret_missing, unsigned *ret)
{
    enum { HEAD = 4, PORT = 2 };
    size_t size = HEAD + 1;
    if (bytes.n > HEAD) {
        switch (at(bytes, 3)) {
        case IPV4:
            size = HEAD + 4 + PORT;
            break;
        case IPV6:
            size = HEAD + 16 + PORT;
            break;
        case NAME:
            size = HEAD + 1 + at(bytes, HEAD) + PORT;
            break;
        default:
            return RC_INVALID;
        }
    }
    enum rc rc = expect(bytes, size, VERSION, ret_missing);
    if (rc == RC_OK)
        *ret = at(bytes, 1);
    return rc;
}

const char *socks5_reply_text(unsigned code)
{
    static const char *const texts[] = {
        "connected",           "general failure",       "not allowed by its rules",
        "network unreachable", "host unreachable",      "connection refused",
        "TTL expired",         "command not supported", "address type not supported"};
    return code < sizeof texts / sizeof *texts ? texts[code] : "unknown failure";
}
