/* The table of a hosts file, by address and by name. */
#include "net/hosts.h"

#include "base/map.h"
#include "fmt/dns_name.h"

struct host_address {
    struct ip_net ip;
    struct host_address *next;
};

struct hosts {
    struct map *names;     /* the 16 bytes of an address to its name, a heap string */
    struct map *addresses; /* a name in lower case to the first of its addresses */
};

static str key_of(const struct ip_net *address)
{
    return str_mem(address->addr, sizeof address->addr);
}

/* room has that of the longest name. */
static str lower(str name, char room[DNS_NAME_MAX])
{
    for (size_t i = 0; i < name.n; i++)
        room[i] = ascii_lower(name.p[i]);
    return str_mem(room, name.n);
}

static void add_address(struct hosts *h, str name, const struct ip_net *ip)
{
    char room[DNS_NAME_MAX];
    str key = lower(name, room);
    struct host_address *a = calloc(1, sizeof *a), *last = map_find(h->addresses, key);
    must(a);
    a->ip = *ip;
    while (last && last->next)
        last = last->next;
    if (last)
        last->next = a;
    else
        map_put(h->addresses, key, a);
}

/* line = address 1*( blank name ) [ "#" comment ] */
static void add_line(struct hosts *h, str line)
{
    struct ip_net ip;
    line = str_take(&line, '#');
    str address = str_word(&line);
    if (ip_parse(address, &ip) != RC_OK)
        return;
    bool is_first = true;
    for (str name = str_word(&line); name.n > 0; name = str_word(&line)) {
        if (!dns_name_is_host(name))
            return;
        if (is_first && !map_find(h->names, key_of(&ip)))
            map_put(h->names, key_of(&ip), str_dup(name));
        add_address(h, name, &ip);
        is_first = false;
    }
}

struct hosts *hosts_new(str text)
{
    struct hosts *h = calloc(1, sizeof *h);
    must(h);
    h->names = map_new();
    h->addresses = map_new();
    while (text.n)
        add_line(h, str_trim(str_take(&text, '\n')));
    return h;
}

struct hosts *hosts_free(struct hosts *h)
{
    size_t at = 0;
    str key;
    void *value;
    if (!h)
        return NULL;
    while (map_next(h->names, &at, &key, &value))
        free(value);
    for (at = 0; map_next(h->addresses, &at, &key, &value);)
        for (struct host_address *a = value, *next; a; a = next) {
            next = a->next;
            free(a);
        }
    map_free(h->names);
    map_free(h->addresses);
    free(h);
    return NULL;
}

str hosts_name(const struct hosts *h, const struct ip_net *address)
{
    return str_c(map_find(h->names, key_of(address)));
}

size_t hosts_addresses(const struct hosts *h, str name, struct ip_net *ret, size_t max)
{
    char room[DNS_NAME_MAX];
    size_t n = 0;
    if (name.n > sizeof room)
        return 0;
    for (const struct host_address *a = map_find(h->addresses, lower(name, room)); a && n < max; a = a->next)
        ret[n++] = a->ip;
    return n;
}
