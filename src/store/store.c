/* store: opens and closes an account: its Maildir, its index, and on the first time its default mailboxes. */
#include "os/file.h"
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void free_conf(struct store_conf *c)
{
    free((char *)c->account.p);
    free((char *)c->root.p);
    free((char *)c->index_dir.p);
    free((char *)c->hostname.p);
}

static str own(str s)
{
    return (str){str_dup(s), s.n};
}

static struct store *new_store(const struct store_conf *conf)
{
    struct store *st = calloc(1, sizeof *st);
    must(st);
    st->root_fd = -1;
    st->lock_file = (struct dotlock_file)DOTLOCK_FILE_INIT;
    st->conf = *conf;
    st->conf.account = own(conf->account);
    st->conf.root = own(conf->root);
    st->conf.index_dir = own(conf->index_dir);
    st->conf.hostname = own(conf->hostname);
    if (st->conf.keyword_max > KEYWORD_BITS)
        st->conf.keyword_max = KEYWORD_BITS;
    if (st->conf.separator != '/')
        st->conf.separator = '.';
    struct buf b = BUF_INIT(4096);
    str dir = conf->index_dir.n ? conf->index_dir : conf->root;
    buf_printf(&b, STR_FMT "/malle.index", STR_ARG(dir));
    st->index_path = str_dup(buf_str(&b));
    buf_deinit(&b);
    return st;
}

/* *ret_new: the Maildir was made by this call. */
static enum rc open_root(struct store *st, bool *ret_new, struct err *e)
{
    static const char *const subs[] = {"cur", "new", "tmp"};
    const char *root = st->conf.root.p;
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    st->root_fd = open(root, flags);
    if (st->root_fd < 0 && errno == ENOENT) {
        if (file_make_dirs(root, 0700) != RC_OK)
            return store_errno(e, "mkdir", root);
        st->root_fd = open(root, flags);
    }
    if (st->root_fd < 0)
        return store_errno(e, "open", root);
    *ret_new = faccessat(st->root_fd, subs[0], F_OK, AT_SYMLINK_NOFOLLOW) != 0;
    for (size_t i = 0; i < 3; i++)
        if (file_make_dir_at(st->root_fd, subs[i], 0700) != RC_OK)
            return store_errno(e, "mkdir", subs[i]);
    if (st->conf.index_dir.n && file_make_dirs(st->conf.index_dir.p, 0700) != RC_OK)
        return store_errno(e, "mkdir", st->conf.index_dir.p);
    return RC_OK;
}

static enum rc create_defaults(struct store *st, struct err *e)
{
    static const struct {
        const char *name;
        enum special_use use;
    } rows[] = {
        {"Drafts", USE_DRAFTS}, {"Sent", USE_SENT},       {"Junk", USE_JUNK},
        {"Trash", USE_TRASH},   {"Archive", USE_ARCHIVE},
    };
    enum rc rc = store_subscribe(st, S("INBOX"), true, e);
    for (size_t i = 0; i < sizeof rows / sizeof *rows && rc == RC_OK; i++) {
        rc = store_create(st, str_c(rows[i].name), rows[i].use, e);
        if (rc == RC_OK || rc == RC_PERM)
            rc = store_subscribe(st, str_c(rows[i].name), true, e);
    }
    return rc;
}

/* A delivery may have made the Maildir before the first session: an account without subscriptions is a new
 * one too. */
static bool is_new_account(const struct store *st)
{
    struct stat s;
    return fstatat(st->root_fd, "subscriptions", &s, AT_SYMLINK_NOFOLLOW) != 0 &&
           fstatat(st->root_fd, "dovecot-uidlist", &s, AT_SYMLINK_NOFOLLOW) != 0;
}

enum rc store_open(const struct store_conf *conf, struct store **ret, struct err *e)
{
    bool made = false;
    struct store *st = new_store(conf);
    enum rc rc = open_root(st, &made, e);
    bool fresh = rc == RC_OK && (made || is_new_account(st));
    if (rc == RC_OK)
        rc = index_open(st, e);
    if (rc == RC_OK && fresh && conf->create_defaults)
        rc = create_defaults(st, e);
    if (rc != RC_OK) {
        store_close(st);
        return rc;
    }
    *ret = st;
    return RC_OK;
}

void store_flush_names(struct store *st)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    AUTO(db_done) struct db_stmt *q = NULL;
    struct err e;
    str dirs[64];
    size_t n = 0;
    enum rc rc =
        db_query(st->db, &q, &e, "SELECT DISTINCT dir FROM pending JOIN mailbox ON mailbox.id = mailbox");
    while (n < 64 && rc == RC_OK && (rc = db_step(q, &e)) == RC_OK)
        dirs[n++] = arena_str(a, db_text(q, 0));
    db_done(&q);
    for (size_t i = 0; i < n; i++) {
        struct folder f;
        if (dirs[i].p && folder_open(st, dirs[i].p, &f, &e) == RC_OK) {
            rc = file_names_flush(&f, &e); /* what fails stays pending for the next session */
            folder_close(&f);
        }
    }
}

void store_on_progress(struct store *st, void (*tell)(void *ctx, uint32_t done, uint32_t all), void *ctx)
{
    st->tell_progress = tell;
    st->progress_ctx = ctx;
}

struct store *store_close(struct store *st)
{
    if (!st)
        return NULL;
    if (st->db && !st->stale)
        store_flush_names(st);
    if (st->root_fd >= 0)
        kept_purge(st);
    db_close(st->db);
    dotlock_file_remove(&st->lock_file);
    fd_closep(&st->root_fd);
    free_conf(&st->conf);
    free(st->index_path);
    free(st);
    return NULL;
}

bool store_is_stale(const struct store *st)
{
    return st->stale;
}
