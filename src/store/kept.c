#include "store/kept.h"

#include "base/num.h"
#include "fmt/maildir_name.h"
#include "os/file.h"
#include "os/tree.h"
#include "store/delivery.h"
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define KEPT_DIR "..malle-expunged"
enum { DAY_SECONDS = 86400, DAY_MS = 86400000, DAY_MAX = 10000000, PATH_BYTES = 600 };

static int64_t today(void)
{
    return clock_seconds() / DAY_SECONDS;
}

static bool parse_day(const char *entry, int64_t *ret)
{
    uint64_t day;
    if (num_parse_u64(str_c(entry), DAY_MAX, &day) != RC_OK)
        return false;
    *ret = (int64_t)day;
    return true;
}

static const char *dir_of_entry(const char *entry)
{
    return strcmp(entry, "INBOX") == 0 ? "" : entry;
}

/* --- keeping --- */

enum rc kept_open(const struct folder *f, int *ret_fd, struct err *e)
{
    AUTO(fd_closep) int top = -1, day = -1;
    char name[24];
    const char *box = f->dir[0] ? f->dir : "INBOX";
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    *ret_fd = -1;
    if (f->st->conf.kept_ms == 0)
        return RC_OK;
    snprintf(name, sizeof name, "%lld", (long long)today());
    if (file_make_dir_at(f->st->root_fd, KEPT_DIR, 0700) == RC_OK)
        top = openat(f->st->root_fd, KEPT_DIR, flags);
    if (top >= 0 && file_make_dir_at(top, name, 0700) == RC_OK)
        day = openat(top, name, flags);
    if (day >= 0 && file_make_dir_at(day, box, 0700) == RC_OK)
        *ret_fd = openat(day, box, flags);
    return *ret_fd >= 0 ? RC_OK : store_errno(e, "make", KEPT_DIR);
}

static enum rc purge_day(void *ctx, int dir_fd, const char *entry)
{
    const struct store *st = ctx;
    int64_t day;
    int64_t kept_days = (st->conf.kept_ms + DAY_MS - 1) / DAY_MS;
    if (parse_day(entry, &day) && (kept_days == 0 || day + kept_days < today()))
        (void)!tree_remove(dir_fd, entry); /* else at the next end of a session */
    return RC_OK;
}

void kept_purge(struct store *st)
{
    if (tree_each(st->root_fd, KEPT_DIR, purge_day, (void *)st) == RC_OK && st->conf.kept_ms == 0)
        unlinkat(st->root_fd, KEPT_DIR, AT_REMOVEDIR);
}

/* --- looking --- */

struct look {
    struct store *st;
    void (*fn)(void *ctx, int64_t day, str mailbox, uint64_t messages);
    void *ctx;
    int64_t day;
};

static enum rc count_entry(void *count, int dir_fd, const char *entry)
{
    struct maildir_name name;
    *(uint64_t *)count += maildir_name_parse(str_c(entry), &name) == RC_OK;
    return RC_OK;
}

static enum rc look_at_box(void *ctx, int dir_fd, const char *entry)
{
    struct look *l = ctx;
    AUTO(buf_deinit) struct buf name = BUF_INIT(4 * DIR_NAME_MAX);
    uint64_t messages = 0;
    if (delivery_name_of(l->st->conf.separator, str_c(dir_of_entry(entry)), &name) == RC_OK &&
        tree_each(dir_fd, entry, count_entry, &messages) == RC_OK && messages)
        l->fn(l->ctx, l->day, buf_str(&name), messages);
    return RC_OK;
}

static enum rc look_at_day(void *ctx, int dir_fd, const char *entry)
{
    struct look *l = ctx;
    return parse_day(entry, &l->day) ? tree_each(dir_fd, entry, look_at_box, l) : RC_OK;
}

enum rc store_kept_each(struct store *st, void (*fn)(void *ctx, int64_t day, str mailbox, uint64_t messages),
                        void *ctx, struct err *e)
{
    struct look l = {.st = st, .fn = fn, .ctx = ctx};
    enum rc rc = tree_each(st->root_fd, KEPT_DIR, look_at_day, &l);
    return rc == RC_OK || rc == RC_GONE ? RC_OK : store_errno(e, "read", KEPT_DIR);
}

/* --- bringing back --- */

struct back {
    struct store *st;
    str mailbox;
    int64_t since_day;
    struct undeleted *done;
    struct err *e;
    struct folder f; /* the mailbox being filled */
};

/* A name that no message had before: else it would get the UID of the one that is gone. */
static bool put_new_name(const struct maildir_name *old, struct buf *out)
{
    buf_printf(out, "%016llx." STR_FMT, (unsigned long long)store_random(), STR_ARG(old->base));
    maildir_info_format(out, old->info, old->flags & ~(unsigned)MAILDIR_TRASHED, old->keywords);
    return out->n <= MAILDIR_NAME_MAX;
}

static enum rc bring_file(void *ctx, int dir_fd, const char *entry)
{
    struct back *b = ctx;
    AUTO(buf_deinit) struct buf to = BUF_INIT(PATH_BYTES);
    struct maildir_name name;
    struct quota_taken taken;
    struct stat st;
    if (maildir_name_parse(str_c(entry), &name) != RC_OK ||
        fstatat(dir_fd, entry, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return RC_OK; /* it is no message */
    if (!S_ISREG(st.st_mode) || !put_new_name(&name, &to)) {
        b->done->failed++;
        return RC_OK;
    }
    const struct folder_load load = {
        .use = {.bytes = name.has_size ? name.size : (uint64_t)st.st_size, .messages = 1},
        .way = QUOTA_SAVED};
    enum rc rc = folder_take(&b->f, &load, &taken, b->e);
    if (rc != RC_OK)
        return rc;
    bool moved = renameat(dir_fd, entry, b->f.cur_fd, buf_cstr(&to)) == 0;
    if (!moved)
        rc = store_errno(b->e, "rename", entry);
    folder_taken_end(&b->f, &taken, moved);
    b->done->messages += moved;
    return rc;
}

static enum rc open_folder(struct back *b, const char *dir, str name)
{
    enum rc rc = folder_open(b->st, dir, &b->f, b->e);
    if (rc != RC_GONE)
        return rc;
    rc = store_create(b->st, name, USE_NONE, b->e);
    return rc == RC_OK ? folder_open(b->st, dir, &b->f, b->e) : rc;
}

static enum rc bring_box(void *ctx, int dir_fd, const char *entry)
{
    struct back *b = ctx;
    AUTO(buf_deinit) struct buf name = BUF_INIT(4 * DIR_NAME_MAX);
    const char *dir = dir_of_entry(entry);
    if (delivery_name_of(b->st->conf.separator, str_c(dir), &name) != RC_OK ||
        (b->mailbox.p && !str_eq(buf_str(&name), b->mailbox)))
        return RC_OK;
    enum rc rc = open_folder(b, dir, buf_str(&name));
    if (rc != RC_OK)
        return rc;
    uint64_t before = b->done->messages;
    rc = tree_each(dir_fd, entry, bring_file, b);
    if (b->done->messages > before) {
        struct err ignored;
        b->done->mailboxes++;
        enum rc merged = fsync(b->f.cur_fd) == 0 ? folder_merge(&b->f, MERGE_FORCE, rc ? &ignored : b->e)
                                                 : store_errno(rc ? &ignored : b->e, "sync", entry);
        rc = rc ? rc : merged;
    }
    folder_close(&b->f);
    unlinkat(dir_fd, entry, AT_REMOVEDIR); /* where nothing is left */
    return index_result(b->st, rc, b->e);
}

static enum rc bring_day(void *ctx, int dir_fd, const char *entry)
{
    struct back *b = ctx;
    int64_t day;
    if (!parse_day(entry, &day) || day < b->since_day)
        return RC_OK;
    enum rc rc = tree_each(dir_fd, entry, bring_box, b);
    unlinkat(dir_fd, entry, AT_REMOVEDIR);
    return rc;
}

enum rc store_undelete(struct store *st, str mailbox, int64_t since_day, struct undeleted *ret, struct err *e)
{
    struct back b = {.st = st, .mailbox = mailbox, .since_day = since_day, .done = ret, .e = e};
    *ret = (struct undeleted){0};
    enum rc rc = index_check(st, e);
    if (rc == RC_OK)
        rc = tree_each(st->root_fd, KEPT_DIR, bring_day, &b);
    if (rc == RC_TEMP && e && e->rc == RC_OK)
        rc = store_errno(e, "read", KEPT_DIR);
    return rc == RC_GONE ? RC_OK : rc; /* nothing was ever kept */
}
