/* passwd-files, in a table of those that were read lately, and shadow(5). */
#include "account/database_entry.h"

#include "account/identity.h"
#include "conf/conf.h"
#include "fmt/passwd_file.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <shadow.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_KEPT = 32, PATH_BYTES_MAX = 4096, NAME_MAX_BYTES = 256, ROOM = 64 << 10 };

static struct kept {
    char *path;
    struct stat st;
    struct buf text;
    unsigned long used;
} kept[FILES_KEPT];
static unsigned long uses;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static enum rc cannot(struct err *e, str what, const char *why)
{
    (void)err_set(e, RC_TEMP, 451, "4.3.0", "Temporary lookup failure");
    err_note(e, STR_FMT ": %s", STR_ARG(str_sub(what, 0, 200)), why);
    return RC_TEMP;
}

/* --- files --- */

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The place of this path, or the one that was not used for the longest time; with the lock held. */
static struct kept *place_of(const char *path)
{
    struct kept *oldest = &kept[0];
    for (size_t i = 0; i < FILES_KEPT; i++) {
        if (kept[i].path && strcmp(kept[i].path, path) == 0)
            return &kept[i];
        if (kept[i].used < oldest->used)
            oldest = &kept[i];
    }
    str_freep(&oldest->path);
    buf_wipe(&oldest->text);
    buf_init(&oldest->text, PASSWD_FILE_MAX);
    oldest->st = (struct stat){0};
    oldest->path = str_dup(str_c(path));
    return oldest;
}

static enum rc read_kept(struct kept *k, struct err *e)
{
    struct stat st;
    AUTO(fd_closep) int fd = open(k->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0)
        return cannot(e, str_c(k->path), strerror(errno));
    if (!S_ISREG(st.st_mode))
        return cannot(e, str_c(k->path), "it is no file");
    if (is_same(&st, &k->st))
        return RC_OK;
    buf_wipe(&k->text);
    buf_init(&k->text, PASSWD_FILE_MAX);
    k->st = (struct stat){0};
    if (st.st_size > PASSWD_FILE_MAX || !buf_room(&k->text, (size_t)st.st_size + 1) ||
        fd_read_all(fd, &k->text) != RC_OK)
        return cannot(e, str_c(k->path), "it is too large, or the disk fails");
    k->st = st;
    return RC_OK;
}

/* The file's text, with the lock held. */
static enum rc text_of(const char *path, str *ret, struct err *e)
{
    struct kept *k = place_of(path);
    enum rc rc = read_kept(k, e);
    k->used = ++uses;
    if (rc == RC_OK)
        *ret = buf_str(&k->text);
    return rc;
}

static enum rc put_field(struct authdb_fields *f, str name, str value, struct arena *a)
{
    return value.n > 0 ? authdb_fields_set(f, name, arena_str(a, value)) : RC_OK;
}

/* A line that ends before the uid is of a passdb only. */
static enum rc put_entry(const struct passwd_entry *entry, bool passdb, struct arena *a,
                         struct authdb_fields *ret)
{
    if (!passdb && !entry->uid.p)
        return RC_GONE;
    const struct {
        str name, value;
        bool passdb;
    } parts[] = {{S("password"), entry->password, true},
                 {S("uid"), entry->uid, false},
                 {S("gid"), entry->gid, false},
                 {S("home"), entry->home, false}};
    enum rc rc = put_field(ret, S("extra"), entry->extra, a);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && rc == RC_OK; i++)
        if (parts[i].passdb == passdb)
            rc = put_field(ret, parts[i].name, parts[i].value, a);
    return rc == RC_OK && arena_exhausted(a) ? RC_LIMIT : rc;
}

static enum rc find_in_file(const struct authdb *db, bool passdb, str user, struct arena *a,
                            struct authdb_fields *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(PATH_BYTES_MAX), key = BUF_INIT(PATH_BYTES_MAX);
    const struct authdb_vars vars = {.user = user, .original = user};
    struct passwd_entry entry;
    str text;
    enum rc rc =
        authdb_expand(db->path, &(struct authdb_expansion){.vars = &vars, .is_path = true}, &path, e);
    if (rc == RC_INVALID)
        return RC_GONE; /* its name leads to no file of the administrator's */
    if (rc == RC_OK)
        rc = authdb_expand(db->username_format, &(struct authdb_expansion){.vars = &vars}, &key, e);
    if (rc != RC_OK)
        return cannot(e, db->args, "its variables cannot be filled in");
    must(pthread_mutex_lock(&lock) == 0);
    rc = text_of(buf_cstr(&path), &text, e);
    if (rc == RC_OK)
        rc = passwd_file_find(text, buf_str(&key), &entry);
    if (rc == RC_OK)
        rc = put_entry(&entry, passdb, a, ret);
    if (rc == RC_LIMIT)
        rc = cannot(e, db->path, "an entry is too long");
    must(pthread_mutex_unlock(&lock) == 0);
    /* one file for each domain: no file, no such domain */
    if (rc == RC_TEMP && str_chr(db->path, '%') >= 0 && access(buf_cstr(&path), F_OK) != 0 && errno == ENOENT)
        return RC_GONE;
    return rc;
}

/* --- shadow --- */

static enum rc find_in_shadow(str user, struct arena *a, struct authdb_fields *ret, struct err *e)
{
    char name[NAME_MAX_BYTES];
    AUTO(buf_wipe) struct buf room = BUF_INIT(ROOM), stored = BUF_INIT(PASSWORD_STORED_MAX);
    struct spwd entry, *found = NULL;
    char *space = buf_room(&room, ROOM);
    if (user.n == 0 || str_copy(name, sizeof name, user) != RC_OK)
        return RC_GONE;
    int error = getspnam_r(name, &entry, space, ROOM, &found);
    if (space)
        buf_added(&room, ROOM); /* so that it is wiped */
    if (!found && (error == 0 || error == ENOENT || error == ESRCH))
        return RC_GONE;
    if (!found)
        return cannot(e, S("shadow"), strerror(error));
    buf_printf(&stored, "{CRYPT}%s", found->sp_pwdp);
    return put_field(ret, S("password"), buf_str(&stored), a) == RC_OK && !stored.overflow
               ? RC_OK
               : cannot(e, S("shadow"), "an entry is too long");
}

/* --- what the configuration names --- */

static const struct authdb *find_named(const struct conf *c, bool passdb, enum authdb_driver driver, str args,
                                       struct authdb *list)
{
    size_t n = 0;
    if (authdb_parse(str_c(passdb ? c->passdb : c->userdb), passdb, list, &n, NULL) != RC_OK)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (list[i].driver == driver && str_eq(list[i].args, args))
            return &list[i];
    return NULL;
}

enum rc database_entry_find(const struct conf *c, bool passdb, enum authdb_driver driver, str args, str user,
                            struct arena *a, struct authdb_fields *ret, struct err *e)
{
    struct authdb list[AUTHDB_MAX];
    const struct authdb *db = find_named(c, passdb, driver, args, list);
    if (!db)
        return cannot(e, args, "the configuration has no such database");
    return driver == AUTHDB_PASSWD_FILE ? find_in_file(db, passdb, user, a, ret, e)
                                        : find_in_shadow(user, a, ret, e);
}

enum rc database_entry_each(const struct authdb *db, void (*fn)(void *ctx, str name), void *ctx,
                            struct err *e)
{
    AUTO(str_freep) char *path = str_dup(db->path);
    struct passwd_entry entry;
    str text;
    if (str_chr(db->path, '%') >= 0)
        return RC_OK;
    must(pthread_mutex_lock(&lock) == 0);
    enum rc rc = text_of(path, &text, e);
    while (rc == RC_OK && passwd_file_next(&text, &entry) == RC_OK)
        fn(ctx, entry.name);
    must(pthread_mutex_unlock(&lock) == 0);
    return rc;
}

static void each_system_user(const struct conf *c, void (*fn)(void *ctx, str name), void *ctx)
{
    must(pthread_mutex_lock(&lock) == 0);
    setpwent();
    for (const struct passwd *pw; (pw = getpwent());)
        if (identity_uid_permitted(pw->pw_uid, c->first_valid_uid, c->last_valid_uid))
            fn(ctx, str_c(pw->pw_name));
    endpwent();
    must(pthread_mutex_unlock(&lock) == 0);
}

enum rc database_entry_list(const struct conf *c, enum authdb_driver driver, str args,
                            void (*fn)(void *ctx, str name), void *ctx, struct err *e)
{
    struct authdb list[AUTHDB_MAX];
    bool passwd = driver == AUTHDB_PASSWD && c->system_users;
    const struct authdb *db = passwd ? NULL : find_named(c, false, driver, args, list);
    if (!passwd && (!db || driver != AUTHDB_PASSWD_FILE))
        return cannot(e, args, "the configuration has no such database that could be listed");
    if (!passwd)
        return database_entry_each(db, fn, ctx, e);
    each_system_user(c, fn, ctx);
    return RC_OK;
}

enum rc database_entry_ids(str user, str group, uid_t *ret_uid, gid_t *ret_gid, struct err *e)
{
    char name[NAME_MAX_BYTES];
    struct passwd entry, *pw = NULL;
    struct group record, *gr = NULL;
    AUTO(buf_deinit) struct buf room = BUF_INIT(ROOM);
    char *space = buf_room(&room, ROOM);
    int error = 0;
    if (user.n > 0) {
        error =
            str_copy(name, sizeof name, user) == RC_OK ? getpwnam_r(name, &entry, space, ROOM, &pw) : ENOENT;
        if (pw)
            *ret_uid = pw->pw_uid;
    }
    if (group.n > 0 && error == 0) {
        error = str_copy(name, sizeof name, group) == RC_OK ? getgrnam_r(name, &record, space, ROOM, &gr)
                                                            : ENOENT;
        if (gr)
            *ret_gid = gr->gr_gid;
    }
    if (error != 0 && error != ENOENT && error != ESRCH)
        return cannot(e, S("passwd"), strerror(error));
    return (user.n == 0 || pw) && (group.n == 0 || gr) ? RC_OK : RC_GONE;
}
