#include "fmt/smtp_attr.h"

#include "base/num.h"
#include "fmt/dns_name.h"
#include "fmt/ip.h"
#include "fmt/smtp_cmd.h"
#include "fmt/xtext.h"

enum { XCLIENT = 1 << SMTP_ATTR_XCLIENT, XFORWARD = 1 << SMTP_ATTR_XFORWARD, PORT_DIGITS = 5 };

static bool is_host(str value)
{
    return value.n <= DNS_NAME_MAX && dns_name_is_host(value);
}

static bool is_any(str value)
{
    return true;
}

static bool is_protocol(str value)
{
    return str_ieq(value, S("SMTP")) || str_ieq(value, S("ESMTP"));
}

static bool is_source(str value)
{
    return str_ieq(value, S("LOCAL")) || str_ieq(value, S("REMOTE"));
}

static bool is_helo(str value)
{
    return smtp_cmd_check_helo(value) == RC_OK;
}

/* PORT, ADDR and their like change *ret, and are checked by hand. */
static const struct attribute {
    const char *name;
    bool (*valid)(str value);
    unsigned commands;    /* that have it */
    unsigned unavailable; /* that take [UNAVAILABLE] for it */
} attributes[SMTP_ATTR_COUNT] = {
    [SMTP_ATTR_NAME] = {"NAME", is_host, XCLIENT | XFORWARD, XCLIENT | XFORWARD},
    [SMTP_ATTR_ADDR] = {"ADDR", NULL, XCLIENT | XFORWARD, XCLIENT | XFORWARD},
    [SMTP_ATTR_PROTO] = {"PROTO", is_protocol, XCLIENT | XFORWARD, XFORWARD},
    [SMTP_ATTR_HELO] = {"HELO", is_helo, XCLIENT | XFORWARD, XCLIENT | XFORWARD},
    [SMTP_ATTR_REVERSE_NAME] = {"REVERSE_NAME", is_host, XCLIENT, XCLIENT},
    [SMTP_ATTR_PORT] = {"PORT", NULL, XCLIENT | XFORWARD, XCLIENT | XFORWARD},
    [SMTP_ATTR_LOGIN] = {"LOGIN", is_any, XCLIENT, XCLIENT},
    [SMTP_ATTR_DESTADDR] = {"DESTADDR", NULL, XCLIENT, XCLIENT},
    [SMTP_ATTR_DESTPORT] = {"DESTPORT", NULL, XCLIENT, XCLIENT},
    [SMTP_ATTR_SOURCE] = {"SOURCE", is_source, XFORWARD, XFORWARD},
    [SMTP_ATTR_IDENT] = {"IDENT", is_any, XFORWARD, XFORWARD},
};

const char *smtp_attr_names(enum smtp_attr_command command)
{
    return command == SMTP_ATTR_XCLIENT ? " NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT"
                                        : " NAME ADDR PROTO HELO SOURCE PORT IDENT";
}

enum smtp_attr_name smtp_attr_find(enum smtp_attr_command command, str name)
{
    for (int i = 0; i < SMTP_ATTR_COUNT; i++)
        if (attributes[i].commands & 1u << command && str_ieq(name, str_c(attributes[i].name)))
            return (enum smtp_attr_name)i;
    return SMTP_ATTR_COUNT;
}

void smtp_attr_put(struct buf *out, enum smtp_attr_name name, str value)
{
    bool address = name == SMTP_ATTR_ADDR || name == SMTP_ATTR_DESTADDR;
    buf_printf(out, " %s=%s", attributes[name].name, address && ip_is_v6(value) ? "IPV6:" : "");
    xtext_put(out, value.n > 0 ? value : S("[UNAVAILABLE]"));
}

/* "192.0.2.1" or "IPV6:2001:db8::1" */
static bool take_address(struct smtp_attr *attr)
{
    struct ip_net ip;
    bool v6 = str_istarts(attr->value, S("IPV6:"));
    str text = v6 ? str_from(attr->value, 5) : attr->value;
    if (ip_parse(text, &ip) != RC_OK || (str_chr(text, ':') >= 0) != v6)
        return false;
    attr->value = text;
    return true;
}

static bool take_port(struct smtp_attr *attr)
{
    uint32_t port;
    if (attr->value.n > PORT_DIGITS || num_parse_u32(attr->value, 65535, &port) != RC_OK)
        return false;
    attr->port = (uint16_t)port;
    return true;
}

/* Only names may be unknown for now, and only XCLIENT says so. */
static bool take_unavailable(enum smtp_attr_command command, struct smtp_attr *attr)
{
    bool is_name = attr->name == SMTP_ATTR_NAME || attr->name == SMTP_ATTR_REVERSE_NAME;
    if (attributes[attr->name].unavailable & 1u << command && str_ieq(attr->value, S("[UNAVAILABLE]")))
        attr->state = SMTP_ATTR_UNAVAILABLE;
    else if (is_name && command == SMTP_ATTR_XCLIENT && str_ieq(attr->value, S("[TEMPUNAVAIL]")))
        attr->state = SMTP_ATTR_TEMPUNAVAIL;
    return attr->state != SMTP_ATTR_GIVEN;
}

static bool take_value(enum smtp_attr_command command, str xtext, struct arena *a, struct smtp_attr *attr)
{
    if (smtp_cmd_decode_xtext(xtext, a, &attr->value) != RC_OK || str_chr(attr->value, '\0') >= 0)
        return false;
    if (take_unavailable(command, attr))
        return true;
    switch (attr->name) {
    case SMTP_ATTR_ADDR:
    case SMTP_ATTR_DESTADDR:
        return take_address(attr);
    case SMTP_ATTR_PORT:
    case SMTP_ATTR_DESTPORT:
        return take_port(attr);
    default:
        return attributes[attr->name].valid(attr->value);
    }
}

static enum rc wrong(struct err *e, const char *text)
{
    return err_set(e, RC_INVALID, 501, "5.5.4", "%s", text);
}

enum rc smtp_attr_take(enum smtp_attr_command command, str *args, struct arena *a, struct smtp_attr *ret,
                       struct err *e)
{
    str xtext = str_word(args), name = str_take(&xtext, '=');
    struct smtp_attr attr = {.name = smtp_attr_find(command, name)};
    if (name.n == 0 && !xtext.p)
        return RC_GONE;
    if (!xtext.n)
        return wrong(e, "Error: attribute=value expected");
    if (xtext.n > SMTP_ATTR_VALUE_MAX)
        return wrong(e, "Error: attribute value too long");
    if (attr.name == SMTP_ATTR_COUNT)
        return err_set(e, RC_INVALID, 501, "5.5.4", "Bad %s attribute name: " STR_FMT,
                       command == SMTP_ATTR_XCLIENT ? "XCLIENT" : "XFORWARD", STR_ARG(str_sub(name, 0, 100)));
    if (!take_value(command, xtext, a, &attr))
        return err_set(e, RC_INVALID, 501, "5.5.4", "Bad %s syntax: " STR_FMT, attributes[attr.name].name,
                       STR_ARG(str_sub(xtext, 0, 100)));
    *ret = attr;
    return RC_OK;
}
