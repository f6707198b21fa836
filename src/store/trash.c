/* Which messages are the oldest, and taking them away. */
#include "store/trash.h"

#include "base/log.h"
#include "fmt/maildir_name.h"
#include "os/file.h"
#include "store/delivery.h"
#include "store/scan.h"
#include "store/store_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATH_BYTES = 600 };

struct trash_box {
    str name;
    int fd; /* -1: it is not there */
    struct scan files;
    struct quota_use gone;
};

struct trash_file {
    struct trash_box *box;
    const struct scan_entry *entry;
    uint32_t priority;
    int64_t received;
    uint64_t bytes;
};

struct trash {
    int root_fd;
    bool asked;
    const struct quota_terms *q;
    struct trash_box boxes[QUOTA_TRASH_MAX];
    size_t n_boxes, n_files, room;
    struct trash_file *files;
};

/* --- gathering --- */

static void put_path(const struct scan_entry *x, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%.*s", x->in_new ? "new" : "cur", (int)x->name_n, x->name);
}

/* When it was received, which is when its file was changed, and what it counts. Who only asks, which
 * strangers may do often, needs no look at files whose names have their size. */
static bool look_at(struct trash_file *f, bool asked)
{
    struct maildir_name name;
    struct stat st;
    char path[PATH_BYTES];
    str whole = str_mem(f->entry->name, f->entry->name_n);
    bool sized = maildir_name_parse(whole, &name) == RC_OK && name.has_size;
    f->bytes = sized ? name.size : 0;
    if (sized && asked)
        return true;
    put_path(f->entry, path);
    if (fstatat(f->box->fd, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    f->received = st.st_mtim.tv_sec;
    f->bytes = sized ? f->bytes : (uint64_t)st.st_size;
    return true;
}

static void add_file(struct trash *t, struct trash_box *b, uint32_t priority, const struct scan_entry *x)
{
    struct trash_file f = {.box = b, .entry = x, .priority = priority};
    if (!look_at(&f, t->asked))
        return;
    if (t->n_files == t->room) {
        t->room = t->room ? 2 * t->room : 64;
        t->files = reallocarray(t->files, t->room, sizeof *t->files);
        must(t->files);
    }
    t->files[t->n_files++] = f;
}

static void add_box(struct trash *t, uint32_t priority, str name)
{
    char dir[DELIVERY_FOLDER_MAX + 1];
    struct trash_box *b = &t->boxes[t->n_boxes++];
    struct err e = {0};
    bool quiet;
    *b = (struct trash_box){.name = name, .fd = -1};
    scan_init(&b->files);
    if (quota_limits_of(t->q->rules, name, t->q->separator).ignored || /* gives no room */
        delivery_folder_of(t->q->separator, name, dir, &e) != RC_OK)
        return;
    b->fd = openat(t->root_fd, dir[0] ? dir : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (b->fd < 0 || scan_read(&b->files, b->fd, "new", &quiet, &e) != RC_OK ||
        scan_read(&b->files, b->fd, "cur", &quiet, &e) != RC_OK)
        return;
    for (size_t i = 0; i < b->files.n; i++)
        add_file(t, b, priority, &b->files.v[i]);
}

static int by_turn(const void *a, const void *b)
{
    const struct trash_file *x = a, *y = b;
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    return x->received < y->received ? -1 : x->received > y->received;
}

static void gather(struct trash *t)
{
    for (size_t i = 0; i < t->q->n_trash && i < QUOTA_TRASH_MAX; i++) {
        uint32_t priority;
        str name;
        if (quota_trash_parse(t->q->trash[i], &priority, &name) == RC_OK)
            add_box(t, priority, name);
    }
    if (t->n_files > 0)
        qsort(t->files, t->n_files, sizeof *t->files, by_turn);
}

static void trash_deinit(struct trash *t)
{
    for (size_t i = 0; i < t->n_boxes; i++) {
        scan_deinit(&t->boxes[i].files);
        fd_closep(&t->boxes[i].fd);
    }
    free(t->files);
}

/* --- how many, and away --- */

static void subtract(struct quota_use *use, uint64_t bytes)
{
    use->bytes -= bytes < use->bytes ? bytes : use->bytes;
    use->messages -= use->messages > 0;
}

/* How many have to go; more than there are: they would not do. */
static size_t count_needed(const struct trash *t, const struct trash_wish *w, struct quota_use use)
{
    size_t n = 0;
    while (n < t->n_files && !w->fits(w->ctx, &use))
        subtract(&use, t->files[n++].bytes);
    return w->fits(w->ctx, &use) ? n : t->n_files + 1;
}

static void remove_first(struct trash *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char path[PATH_BYTES];
        struct trash_file *f = &t->files[i];
        put_path(f->entry, path);
        if (unlinkat(f->box->fd, path, 0) != 0)
            continue; /* somebody else was there before */
        f->box->gone.bytes += f->bytes;
        f->box->gone.messages++;
    }
    for (size_t i = 0; i < t->n_boxes; i++) {
        const struct trash_box *b = &t->boxes[i];
        if (b->gone.messages == 0)
            continue;
        quota_give(t->root_fd, t->q, b->name, &b->gone);
        log_info("quota_trash: %llu old messages of " STR_FMT " made room for " STR_FMT,
                 (unsigned long long)b->gone.messages, STR_ARG(b->name), STR_ARG(t->q->account));
    }
}

bool trash_empty(int root_fd, const struct quota_terms *q, const struct trash_wish *w,
                 const struct quota_use *use)
{
    AUTO(trash_deinit) struct trash t = {.root_fd = root_fd, .asked = w->asked, .q = q};
    gather(&t);
    size_t n = count_needed(&t, w, *use);
    if (n > t.n_files)
        return false;
    if (!w->asked)
        remove_first(&t, n);
    return true;
}
