#include "fmt/helo_name.h"

#include "fmt/ip.h"

enum { NAME_MAX_BYTES = 255, LABEL_MAX_BYTES = 63 };

static bool valid_label(str label)
{
    for (size_t i = 0; i < label.n; i++)
        if (!ascii_alnum(label.p[i]) && label.p[i] != '_' && label.p[i] != '-')
            return false;
    return label.n > 0 && label.n <= LABEL_MAX_BYTES && label.p[0] != '-' && label.p[label.n - 1] != '-';
}

bool helo_name_is_valid(str name)
{
    bool numeric = true;
    if (name.n == 0 || name.n > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < name.n; i++)
        numeric = numeric && (ascii_digit(name.p[i]) || name.p[i] == '.');
    for (str rest = name; rest.p;)
        if (!valid_label(str_take(&rest, '.')))
            return false;
    return !numeric;
}

bool helo_name_is_literal(str name)
{
    struct ip_net ip;
    if (name.n < 3 || name.p[0] != '[' || name.p[name.n - 1] != ']')
        return false;
    str inside = str_sub(name, 1, name.n - 2);
    if (str_istarts(inside, S("IPv6:")))
        return ip_is_v6(str_from(inside, 5));
    return ip_parse(inside, &ip) == RC_OK && ip_is_mapped_v4(&ip) && str_chr(inside, ':') < 0;
}
