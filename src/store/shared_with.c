/* shared_with: who has rights on any mailbox of the account, from all files dovecot-acl, whoever wrote them.
 */
#include "base/map.h"
#include "os/file.h"
#include "store/store_priv.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

enum { ARENA_MAX = 4 << 20 };

struct gathering {
    struct map *seen;
    struct arena *a;
    str *v;
    size_t n;
};

static void add(struct gathering *g, str who)
{
    if (g->n == SHARED_WITH_MAX || map_find(g->seen, who))
        return;
    map_put(g->seen, who, g);
    g->v[g->n] = arena_str(g->a, who);
    g->n += g->v[g->n].p != NULL;
}

static void add_all(struct gathering *g, const struct acl *acl)
{
    for (size_t i = 0; i < acl->n; i++) {
        const struct acl_entry *x = &acl->v[i];
        if (x->id.negative || x->rights == 0)
            continue;
        if (x->id.kind == ACL_USER)
            add(g, x->id.who);
        else if (x->id.kind == ACL_ANYONE || x->id.kind == ACL_AUTHENTICATED)
            add(g, S("anyone"));
    }
}

/* What cannot be read gives nobody a right. */
static void look_into(struct gathering *g, int root_fd, const char *dir)
{
    char path[DIR_NAME_MAX + 16];
    struct err e;
    struct acl acl;
    snprintf(path, sizeof path, "%s/dovecot-acl", dir);
    if (faccessat(root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0) /* as most folders are */
        return;
    AUTO(fd_closep) int fd = openat(root_fd, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    if (fd >= 0 && acl_read(fd, a, &acl, &e) == RC_OK)
        add_all(g, &acl);
}

enum rc store_shared_with(struct store *st, struct arena *a, str **ret, size_t *ret_n, struct err *e)
{
    struct gathering g = {.a = a, .v = arena_array(a, SHARED_WITH_MAX, sizeof *g.v)};
    int fd = openat(st->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *x;
    if (!d || !g.v)
        return store_errno(e, "open", st->conf.root.p);
    g.seen = map_new();
    while ((x = readdir(d)))
        if (x->d_name[0] == '.' && x->d_name[1] != '.')
            look_into(&g, fd, x->d_name);
    closedir(d);
    map_free(g.seen);
    *ret = g.v;
    *ret_n = g.n;
    return RC_OK;
}
