/* hosts: the names that a hosts file gives to addresses (hosts(5)), both ways. Read once; a later change
 * needs a restart. */
#ifndef NET_HOSTS_H
#define NET_HOSTS_H

#include "fmt/ip.h"

struct hosts;

enum { HOSTS_BYTES_MAX = 1 << 20 };

/* From the text of the file; lines that are no entries are skipped. */
struct hosts *hosts_new(str text);
struct hosts *hosts_free(struct hosts *h); /* accepts NULL, returns NULL */
/* The first name of the address's first line, STR_NONE when it has none. */
str hosts_name(const struct hosts *h, const struct ip_net *address);
/* The addresses of all lines that have the name, of any case, in their order; how many. */
size_t hosts_addresses(const struct hosts *h, str name, struct ip_net *ret, size_t max);

#endif
