/* scan: one readdir pass over a folder of a Maildir; names go into large blocks, because there may be a
 * million. */
#include "store/scan.h"

#include "base/map.h"
#include "fmt/maildir_name.h"
#include "os/file.h"
#include "store/store_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1 << 18, PATH_BYTES = 600 };

void scan_init(struct scan *s)
{
    *s = (struct scan){0};
}

void scan_deinit(struct scan *s)
{
    while (s->block) {
        char *next;
        memcpy(&next, s->block, sizeof next);
        free(s->block);
        s->block = next;
    }
    free(s->v);
    free(s->slot);
    scan_init(s);
}

static char *keep_name(struct scan *s, const char *name, size_t n)
{
    if (s->block_left < n + 1) {
        char *b = malloc(BLOCK_BYTES);
        must(b);
        memcpy(b, &s->block, sizeof s->block);
        s->block = b;
        s->block_at = b + sizeof s->block;
        s->block_left = BLOCK_BYTES - sizeof s->block;
    }
    char *at = s->block_at;
    memcpy(at, name, n + 1);
    s->block_at += n + 1;
    s->block_left -= n + 1;
    return at;
}

/* The slot of a base: where it is, or where it would go. */
static uint32_t *find_slot(const struct scan *s, str base)
{
    size_t i = (size_t)map_hash(base) & (s->slots - 1);
    while (s->slot[i] && !str_eq(scan_base(&s->v[s->slot[i] - 1]), base))
        i = (i + 1) & (s->slots - 1);
    return &s->slot[i];
}

static void grow_slots(struct scan *s)
{
    size_t slots = s->slots ? s->slots * 2 : 1024;
    free(s->slot);
    s->slot = calloc(slots, sizeof *s->slot);
    must(s->slot);
    s->slots = slots;
    for (size_t i = 0; i < s->n; i++)
        *find_slot(s, scan_base(&s->v[i])) = (uint32_t)i + 1;
}

struct scan_entry *scan_find(const struct scan *s, str base)
{
    uint32_t *slot = s->slots ? find_slot(s, base) : NULL;
    return slot && *slot ? &s->v[*slot - 1] : NULL;
}

static void add_name(struct scan *s, str name, size_t base_n, bool in_new)
{
    if (s->n * 2 >= s->slots)
        grow_slots(s);
    uint32_t *slot = find_slot(s, str_sub(name, 0, base_n));
    struct scan_entry x = {NULL, (uint16_t)base_n, (uint16_t)name.n, in_new, false};
    if (*slot) {
        struct scan_entry *old = &s->v[*slot - 1];
        if (old->in_new && !in_new) {
            x.name = keep_name(s, name.p, name.n);
            *old = x;
        }
        return;
    }
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 512;
        s->v = reallocarray(s->v, s->cap, sizeof *s->v);
        must(s->v);
    }
    x.name = keep_name(s, name.p, name.n);
    s->v[s->n++] = x;
    *slot = (uint32_t)s->n;
}

static bool is_plain_file(int fd, const struct dirent *d)
{
    struct stat st;
    if (d->d_type != DT_UNKNOWN)
        return d->d_type == DT_REG;
    return fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

enum rc scan_read(struct scan *s, int dir_fd, const char *sub, bool *ret_stable, struct err *e)
{
    int fd = openat(dir_fd, sub, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        enum rc rc = store_errno(e, "open", sub);
        fd_closep(&fd);
        return rc;
    }
    int64_t before = dir_time_ns(fd);
    bool in_new = str_eq(str_c(sub), S("new"));
    const struct dirent *entry;
    struct maildir_name m;
    errno = 0;
    while ((entry = readdir(d)) && s->n < SCAN_NAMES_MAX) {
        str name = str_c(entry->d_name);
        if (maildir_name_parse(name, &m) == RC_OK && is_plain_file(fd, entry))
            add_name(s, name, m.base.n, in_new);
        errno = 0;
    }
    enum rc rc = errno ? store_errno(e, "read", sub) : RC_OK;
    *ret_stable = before == dir_time_ns(fd);
    closedir(d);
    return rc;
}

bool scan_entry_exists(int dir_fd, const struct scan_entry *x, struct stat *ret)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(PATH_BYTES);
    file_path(&path, x->in_new, scan_base(x), scan_info(x));
    return fstatat(dir_fd, buf_cstr(&path), ret, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(ret->st_mode);
}
