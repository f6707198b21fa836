/* scan: the names in a folder's new/ and cur/, read once and looked up by base. What cannot be a message's
 * name (fmt/maildir_name.h) and what is no plain file is left out. */
#ifndef STORE_SCAN_H
#define STORE_SCAN_H

#include "base/str.h"

#include <sys/stat.h>

enum { SCAN_NAMES_MAX = 20000000 };

struct scan_entry {
    char *name; /* NUL-terminated, owned by the scan */
    uint16_t base_n, name_n;
    bool in_new, seen; /* seen: for the caller, false at first */
};

struct scan {
    struct scan_entry *v;
    size_t n, cap;
    uint32_t *slot; /* open addressing: index + 1 */
    size_t slots;
    char *block; /* names are cut from blocks, chained by their first bytes */
    size_t block_left;
    char *block_at;
};

void scan_init(struct scan *s);
void scan_deinit(struct scan *s);
/* Adds all names in the folder `sub` ("new", "cur") of dir_fd. *ret_stable tells that nothing changed
 * meanwhile. A base that is there already keeps its first entry, but cur/ beats new/. */
MUST_USE enum rc scan_read(struct scan *s, int dir_fd, const char *sub, bool *ret_stable, struct err *e);
struct scan_entry *scan_find(const struct scan *s, str base);
/* Whether it still has this name, and what it is then. */
bool scan_entry_exists(int dir_fd, const struct scan_entry *x, struct stat *ret);
static inline str scan_base(const struct scan_entry *x)
{
    return str_mem(x->name, x->base_n);
}
static inline str scan_info(const struct scan_entry *x)
{
    return str_mem(x->name + x->base_n, (size_t)(x->name_n - x->base_n));
}

#endif
