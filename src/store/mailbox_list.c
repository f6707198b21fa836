/* mailbox_list: LIST and LSUB: the folders on disk, the subscribed names, and the parents that exist only as
 * part of their children's names. */
#include "base/map.h"
#include "os/file.h"
#include "store/store_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct listing {
    struct store *st;
    bool whole; /* also what a guest may not look up */
    struct arena *a;
    struct store_box_info *v;
    size_t n, cap;
    struct map *by_name; /* index + 1 */
    enum rc rc;
};

static struct store_box_info *entry(struct listing *l, str name)
{
    uintptr_t at = (uintptr_t)map_find(l->by_name, name);
    if (at)
        return &l->v[at - 1];
    if (l->n == l->cap) {
        l->v = arena_grow(l->a, l->v, l->n, sizeof *l->v);
        l->cap = l->cap * 2 > 8 ? l->cap * 2 : 8;
    }
    str copy = l->v ? arena_str(l->a, name) : STR_NONE;
    if (!copy.p) {
        l->rc = RC_LIMIT;
        return NULL;
    }
    l->v[l->n++] = (struct store_box_info){.name = copy};
    map_put(l->by_name, name, (void *)(uintptr_t)l->n);
    return &l->v[l->n - 1];
}

/* name_from_dir, into the listing's arena-backed entry; NULL when the folder's name means no mailbox. */
static struct store_box_info *entry_of_dir(struct listing *l, str dir)
{
    struct buf name = BUF_INIT(4 * DIR_NAME_MAX + STORE_PREFIX_MAX);
    struct store_box_info *x = NULL;
    if (name_from_dir(l->st, dir, &name) == RC_OK)
        x = entry(l, buf_str(&name));
    buf_deinit(&name);
    return x;
}

static bool is_folder(int fd, const struct dirent *d)
{
    struct stat st;
    if (d->d_type != DT_UNKNOWN)
        return d->d_type == DT_DIR;
    return fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* "." is the INBOX. */
static bool may_see(const struct listing *l, const char *dir)
{
    if (l->whole || !l->st->conf.guest)
        return true;
    AUTO(fd_closep) int fd = openat(l->st->root_fd, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 && (folder_rights(l->st, fd) & ACL_L);
}

static enum rc add_folders(struct listing *l, struct err *e)
{
    int fd = openat(l->st->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d)
        return store_errno(e, "open", l->st->conf.root.p);
    const struct dirent *x;
    while (l->rc == RC_OK && (x = readdir(d))) {
        if (x->d_name[0] != '.' || x->d_name[1] == '\0' || x->d_name[1] == '.' || !is_folder(fd, x) ||
            !may_see(l, x->d_name))
            continue;
        struct store_box_info *info = entry_of_dir(l, str_c(x->d_name));
        if (info) {
            info->exists = true;
            info->use = l->st->conf.guest ? USE_NONE : folder_use(l->st, x->d_name);
        }
    }
    closedir(d);
    return l->rc;
}

static bool is_shared(const struct store *st, str name)
{
    return st->conf.shared_prefix.n > 0 && str_starts(name, st->conf.shared_prefix);
}

/* A line has a folder's name, or, with the separator in it, the whole name of a mailbox of others. */
static struct store_box_info *entry_of_subscription(struct listing *l, str line)
{
    AUTO(buf_deinit) struct buf dir = BUF_INIT(DIR_NAME_MAX + 1);
    if (is_shared(l->st, line))
        return entry(l, line);
    if (!str_ieq(line, S("INBOX"))) {
        buf_putc(&dir, '.');
        buf_puts(&dir, line);
    }
    return entry_of_dir(l, buf_str(&dir));
}

static enum rc add_subscriptions(struct listing *l, struct err *e)
{
    str *names;
    size_t n;
    enum rc rc = subscriptions_read(l->st, l->a, &names, &n, e);
    for (size_t i = 0; i < n && rc == RC_OK && l->rc == RC_OK; i++) {
        struct store_box_info *x = entry_of_subscription(l, names[i]);
        if (x)
            x->subscribed = true;
    }
    return rc == RC_OK ? l->rc : rc;
}

/* Walks up the names of existing mailboxes. */
static void add_parents(struct listing *l)
{
    size_t n = l->n;
    for (size_t i = 0; i < n; i++) {
        str name = l->v[i].name;
        if (!l->v[i].exists)
            continue;
        for (ptrdiff_t at; (at = str_rchr(name, l->st->conf.separator)) > 0;) {
            name = str_sub(name, 0, (size_t)at);
            struct store_box_info *parent = entry(l, name);
            if (!parent)
                return;
            parent->has_children = true;
            parent->noselect = !parent->exists;
        }
    }
}

static int by_name(const void *a, const void *b)
{
    const struct store_box_info *x = a, *y = b;
    bool x_inbox = str_eq(x->name, S("INBOX")), y_inbox = str_eq(y->name, S("INBOX"));
    return x_inbox != y_inbox ? (x_inbox ? -1 : 1) : str_cmp(x->name, y->name);
}

static enum rc list(struct store *st, bool whole, struct arena *a, struct store_box_info **ret, size_t *ret_n,
                    struct err *e)
{
    struct listing l = {.st = st, .whole = whole, .a = a, .by_name = map_new()};
    struct store_box_info *inbox = may_see(&l, ".") ? entry_of_dir(&l, STR_NONE) : NULL;
    if (inbox)
        inbox->exists = true;
    enum rc rc = l.rc == RC_OK ? add_folders(&l, e) : l.rc;
    if (rc == RC_OK && !st->conf.guest)
        rc = add_subscriptions(&l, e);
    if (rc == RC_OK) {
        add_parents(&l);
        rc = l.rc;
    }
    map_free(l.by_name);
    if (rc == RC_LIMIT)
        return err_set(e, RC_LIMIT, 0, "5.2.0", "Too many mailboxes");
    if (rc == RC_OK) {
        if (l.n > 0)
            qsort(l.v, l.n, sizeof *l.v, by_name);
        *ret = l.v;
        *ret_n = l.n;
    }
    return rc;
}

enum rc store_list(struct store *st, struct arena *a, struct store_box_info **ret, size_t *ret_n,
                   struct err *e)
{
    return list(st, false, a, ret, ret_n, e);
}

enum rc mailbox_count(struct store *st, size_t *ret, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(64 << 20);
    struct store_box_info *v;
    size_t n, count = 0;
    enum rc rc = list(st, true, a, &v, &n, e);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < n; i++)
        count += v[i].exists;
    *ret = count;
    return RC_OK;
}

enum rc store_subscribe(struct store *st, str name, bool subscribed, struct err *e)
{
    char dir[DIR_NAME_MAX + 1];
    if (st->conf.guest)
        return store_not_permitted(e);
    if (is_shared(st, name))
        return name_is_plain(name) ? subscriptions_set(st, name, subscribed, e)
                                   : store_refuse(e, "Mailbox name is not allowed");
    enum rc rc = name_to_dir(st, name, dir, e);
    if (rc != RC_OK)
        return rc;
    return subscriptions_set(st, dir[0] ? str_c(dir + 1) : S("INBOX"), subscribed, e);
}
