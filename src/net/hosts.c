/* The table of a hosts file, by address. */
#include "net/hosts.h"

#include "base/map.h"
#include "fmt/dns_name.h"

struct hosts {
    struct map *names; /* the 16 bytes of an address to its name, a heap string */
};

static str key_of(const struct ip_net *address)
{
    return str_mem(address->addr, sizeof address->addr);
}

/* line = address 1*( blank name ) [ "#" comment ] */
static void add_line(struct hosts *h, str line)
{
    struct ip_net ip;
    line = str_take(&line, '#');
    str address = str_word(&line), name = str_word(&line);
    if (ip_parse(address, &ip) != RC_OK || !dns_name_is_host(name) || map_find(h->names, key_of(&ip)))
        return;
    map_put(h->names, key_of(&ip), str_dup(name));
}

struct hosts *hosts_new(str text)
{
    struct hosts *h = calloc(1, sizeof *h);
    must(h);
    h->names = map_new();
    while (text.n)
        add_line(h, str_trim(str_take(&text, '\n')));
    return h;
}

struct hosts *hosts_free(struct hosts *h)
{
    size_t at = 0;
    str key;
    void *name;
    if (!h)
        return NULL;
    while (map_next(h->names, &at, &key, &name))
        free(name);
    map_free(h->names);
    free(h);
    return NULL;
}

str hosts_name(const struct hosts *h, const struct ip_net *address)
{
    return str_c(map_find(h->names, key_of(address)));
}
