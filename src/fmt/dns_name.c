/* Names of the DNS. A parser of answers' data, which comes from strangers by way of the resolver. */
#include "fmt/dns_name.h"

enum { WIRE_MAX = 255, V4_OFFSET = 12 };

static void put_byte(struct buf *out, unsigned char c)
{
    if (c == '.' || c == '\\')
        buf_putc(out, '\\');
    if (c > 0x20 && c < 0x7f)
        buf_putc(out, (char)c);
    else
        buf_printf(out, "\\%03u", c);
}

/*  name  = *( length label ) %x00
 *  length is 1 to 63; the two high bits, which mark compression, are not permitted here */
enum rc dns_name_from_wire(str wire, struct buf *out)
{
    size_t start = out->n, at = 0;
    while (at < wire.n && wire.n <= WIRE_MAX) {
        size_t length = (unsigned char)wire.p[at++];
        if (length == 0 && at == wire.n) {
            if (out->n == start)
                buf_putc(out, '.');
            return out->overflow ? RC_LIMIT : RC_OK;
        }
        if (length == 0 || length > DNS_LABEL_MAX || length > wire.n - at)
            break;
        if (out->n > start)
            buf_putc(out, '.');
        for (size_t i = 0; i < length; i++)
            put_byte(out, (unsigned char)wire.p[at + i]);
        at += length;
    }
    buf_truncate(out, start);
    return RC_INVALID;
}

static str without_last_dot(str name)
{
    return name.n > 1 && name.p[name.n - 1] == '.' ? str_sub(name, 0, name.n - 1) : name;
}

bool dns_name_is_valid(str name)
{
    if (str_eq(name, S(".")))
        return true;
    name = without_last_dot(name);
    if (name.n == 0 || name.n > DNS_NAME_MAX)
        return false;
    for (size_t i = 0, label = 0; i <= name.n; i++) {
        if (i == name.n || name.p[i] == '.') {
            if (label == 0 || label > DNS_LABEL_MAX)
                return false;
            label = 0;
            continue;
        }
        unsigned char c = (unsigned char)name.p[i];
        if (c <= 0x20 || c >= 0x7f || c == '\\')
            return false;
        label++;
    }
    return true;
}

static bool is_host_label(str label)
{
    if (label.n == 0 || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++)
        if (!ascii_alnum(label.p[i]) && label.p[i] != '-' && label.p[i] != '_')
            return false;
    return true;
}

static bool is_number(str label)
{
    for (size_t i = 0; i < label.n; i++)
        if (!ascii_digit(label.p[i]))
            return false;
    return true;
}

bool dns_name_is_host(str name)
{
    if (!dns_name_is_valid(name))
        return false;
    str rest = without_last_dot(name), label = STR_NONE;
    while (rest.n) {
        label = str_take(&rest, '.');
        if (!is_host_label(label))
            return false;
    }
    return !is_number(label);
}

void dns_name_put_reverse(struct buf *out, const struct ip_net *address)
{
    const uint8_t *a = address->addr;
    if (ip_is_mapped_v4(address)) {
        buf_printf(out, "%u.%u.%u.%u.in-addr.arpa", a[V4_OFFSET + 3], a[V4_OFFSET + 2], a[V4_OFFSET + 1],
                   a[V4_OFFSET]);
        return;
    }
    for (size_t i = sizeof address->addr; i-- > 0;)
        buf_printf(out, "%x.%x.", a[i] & 15U, a[i] >> 4);
    buf_puts(out, S("ip6.arpa"));
}
