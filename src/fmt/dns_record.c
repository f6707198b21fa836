#include "fmt/dns_record.h"

#include "base/enc.h"
#include "fmt/dns_name.h"

#include <arpa/inet.h>

static const char *name_of(enum dns_type type)
{
    switch (type) {
    case DNS_A:
        return "A";
    case DNS_NS:
        return "NS";
    case DNS_PTR:
        return "PTR";
    case DNS_MX:
        return "MX";
    case DNS_TXT:
        return "TXT";
    case DNS_AAAA:
        return "AAAA";
    case DNS_TLSA:
        return "TLSA";
    }
    return NULL;
}

static void put_name(struct buf *out, str name)
{
    buf_puts(out, name);
    if (!str_ends(name, S(".")))
        buf_putc(out, '.');
}

static enum rc put_wire_name(struct buf *out, str wire)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(DNS_NAME_TEXT_MAX);
    if (dns_name_from_wire(wire, &name) != RC_OK)
        return RC_INVALID;
    put_name(out, buf_str(&name));
    return RC_OK;
}

static enum rc put_address(struct buf *out, int family, size_t size, str rdata)
{
    char text[INET6_ADDRSTRLEN];
    if (rdata.n != size)
        return RC_INVALID;
    must(inet_ntop(family, rdata.p, text, sizeof text));
    buf_puts(out, str_c(text));
    return RC_OK;
}

/* Its strings, one behind the other (RFC 1035 §3.3.14). */
static enum rc put_strings(struct buf *out, str rdata)
{
    while (rdata.n > 0) {
        size_t n = (unsigned char)rdata.p[0];
        if (n >= rdata.n)
            return RC_INVALID;
        for (size_t i = 1; i <= n; i++)
            buf_putc(out, rdata.p[i] < ' ' || rdata.p[i] == 0x7f ? '?' : rdata.p[i]);
        rdata = str_from(rdata, n + 1);
    }
    return RC_OK;
}

/* RFC 6698 §2.1 */
static enum rc put_tlsa(struct buf *out, str rdata)
{
    if (rdata.n < 3)
        return RC_INVALID;
    for (size_t i = 0; i < 3; i++)
        buf_printf(out, "%u ", (unsigned char)rdata.p[i]);
    enc_hex(out, str_from(rdata, 3));
    return RC_OK;
}

static enum rc put_value(struct buf *out, enum dns_type type, str rdata)
{
    switch (type) {
    case DNS_A:
        return put_address(out, AF_INET, 4, rdata);
    case DNS_AAAA:
        return put_address(out, AF_INET6, 16, rdata);
    case DNS_NS:
    case DNS_PTR:
        return put_wire_name(out, rdata);
    case DNS_MX:
        if (rdata.n < 3)
            return RC_INVALID;
        buf_printf(out, "%u ", (unsigned)(unsigned char)rdata.p[0] << 8 | (unsigned char)rdata.p[1]);
        return put_wire_name(out, str_from(rdata, 2));
    case DNS_TXT:
        return put_strings(out, rdata);
    case DNS_TLSA:
        return put_tlsa(out, rdata);
    }
    return RC_INVALID;
}

enum rc dns_record_put(struct buf *out, str name, enum dns_type type, int ttl_s, str rdata)
{
    size_t before = out->n;
    const char *word = name_of(type);
    if (!word)
        return RC_INVALID;
    put_name(out, name);
    buf_printf(out, " %d IN %s ", ttl_s, word);
    enum rc rc = put_value(out, type, rdata);
    if (rc != RC_OK)
        buf_truncate(out, before);
    return rc;
}
