/* hash and lmdb tables, and the writing of their files; the only file that includes lmdb.h. */
#include "table/lmdb.h"

#include "base/num.h"

#include "os/file.h"
#include "table/table_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <unistd.h>

/* Address space, not memory: LMDB's file grows as needed up to this. Small entries take up to ten times their
 * text. */
#define MAP_BYTES_MIN    ((size_t)16 << 20)
#define MAP_BYTES_A_BYTE 16
#define READ_FLAGS       (MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS)
enum { PATH_BYTES_MAX = 4096 };

struct reader {
    MDB_env *env;
    MDB_dbi dbi;
};

static enum rc fail(struct err *e, int code, const char *what, const char *path)
{
    enum rc rc = code == ENOENT                                        ? RC_GONE
                 : code == MDB_INVALID || code == MDB_VERSION_MISMATCH ? RC_PERM
                                                                       : RC_TEMP;
    return err_set(e, rc, 0, "", "%s %.120s: %s", what, path, mdb_strerror(code));
}

static void reader_close(struct reader *r)
{
    if (r->env)
        mdb_env_close(r->env);
    r->env = NULL;
}

static enum rc reader_open(struct reader *r, const char *path, struct err *e)
{
    MDB_txn *txn;
    int code = mdb_env_create(&r->env);
    if (code == 0)
        code = mdb_env_open(r->env, path, READ_FLAGS, 0);
    if (code == 0)
        code = mdb_txn_begin(r->env, NULL, MDB_RDONLY, &txn);
    if (code == 0) {
        code = mdb_dbi_open(txn, NULL, 0, &r->dbi);
        if (code == 0)
            code = mdb_txn_commit(txn); /* keeps the handle open */
        else
            mdb_txn_abort(txn);
    }
    if (code == 0)
        return RC_OK;
    reader_close(r);
    return fail(e, code, "cannot open", path);
}

/* --- the tables --- */

/* As Postfix: the file of the source is looked at, because an edit that nobody made a table of is a mistake.
 */
static void warn_when_old(struct table *t, str source, const struct stat *made)
{
    struct stat st;
    AUTO(str_freep) char *path = str_dup(source);
    if (stat(path, &st) == 0 && st.st_mtim.tv_sec > made->st_mtim.tv_sec)
        table_warn(t, "%.150s.lmdb is older than %.150s; run malle postmap", path, path);
}

static enum rc open_lmdb(struct table *t, str name, struct err *e)
{
    char path[PATH_BYTES_MAX];
    struct err why = {0};
    struct stat st;
    struct reader *r = calloc(1, sizeof *r);
    must(r);
    t->state = r;
    if ((size_t)snprintf(path, sizeof path, STR_FMT ".lmdb", STR_ARG(name)) >= sizeof path)
        return table_fail(t, e, RC_PERM, "the name is too long");
    if (stat(path, &st) != 0)
        return table_fail(t, e, errno == ENOENT ? RC_GONE : RC_TEMP,
                          "%.150s: %s; malle postmap %s:" STR_FMT " makes it", path, strerror(errno),
                          t->type->name, STR_ARG(str_sub(name, 0, 100)));
    enum rc rc = reader_open(r, path, &why);
    if (rc != RC_OK)
        return table_fail(t, e, rc, "%s", err_text(&why));
    table_remember_file(t, str_c(path), &st);
    warn_when_old(t, name, &st);
    return RC_OK;
}

static void close_lmdb(struct table *t)
{
    struct reader *r = t->state;
    if (r)
        reader_close(r);
    free(r);
}

static str without_nul(const MDB_val *v)
{
    str s = str_mem(v->mv_data, v->mv_size);
    if (s.n > 0 && s.p[s.n - 1] == '\0')
        s.n--;
    return s;
}

/* With a NUL first, as both programs write it by default; Postfix can be told to leave it away. */
static int get(MDB_txn *txn, MDB_dbi dbi, str key, MDB_val *ret)
{
    char z[LMDB_KEY_MAX + 1];
    memcpy(z, key.p, key.n);
    z[key.n] = '\0';
    MDB_val k = {key.n + 1, z};
    int code = mdb_get(txn, dbi, &k, ret);
    k.mv_size = key.n;
    return code == MDB_NOTFOUND ? mdb_get(txn, dbi, &k, ret) : code;
}

static enum rc find_lmdb(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    struct reader *r = t->state;
    MDB_txn *txn;
    MDB_val value;
    if (key.n > LMDB_KEY_MAX)
        return RC_GONE;
    int code = mdb_txn_begin(r->env, NULL, MDB_RDONLY, &txn);
    if (code != 0)
        return table_fail(t, e, RC_TEMP, "%s", mdb_strerror(code));
    code = get(txn, r->dbi, key, &value);
    enum rc rc = RC_GONE;
    if (code == 0)
        rc = table_give(t, without_nul(&value), a, ret, e);
    else if (code != MDB_NOTFOUND)
        rc = table_fail(t, e, RC_TEMP, "%s", mdb_strerror(code));
    mdb_txn_abort(txn);
    return rc;
}

const struct table_type table_hash = {"hash", false, true, open_lmdb, find_lmdb, close_lmdb};
const struct table_type table_lmdb = {"lmdb", false, true, open_lmdb, find_lmdb, close_lmdb};

enum rc lmdb_each(const char *path, lmdb_entry_fn *fn, void *ctx, struct err *e)
{
    struct reader r = {0};
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    enum rc rc = reader_open(&r, path, e);
    if (rc != RC_OK)
        return rc;
    int code = mdb_txn_begin(r.env, NULL, MDB_RDONLY, &txn);
    if (code == 0)
        code = mdb_cursor_open(txn, r.dbi, &cursor);
    while (rc == RC_OK && code == 0 && (code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
        rc = fn(ctx, without_nul(&key), without_nul(&value));
    if (code != 0 && code != MDB_NOTFOUND)
        rc = fail(e, code, "cannot read", path);
    if (cursor)
        mdb_cursor_close(cursor);
    if (txn)
        mdb_txn_abort(txn);
    reader_close(&r);
    return rc;
}

/* --- writing --- */

struct lmdb_writer {
    char path[PATH_BYTES_MAX], tmp[PATH_BYTES_MAX + 8];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    bool made; /* tmp is there and ours */
};

static int begin(struct lmdb_writer *w, size_t content_bytes)
{
    size_t map;
    if (!num_mul(content_bytes, MAP_BYTES_A_BYTE, &map) || !num_add(map, MAP_BYTES_MIN, &map))
        return ENOMEM;
    int code = mdb_env_create(&w->env);
    if (code == 0)
        code = mdb_env_set_mapsize(w->env, map);
    if (code == 0)
        code = mdb_env_open(w->env, w->tmp, MDB_NOSUBDIR | MDB_NOLOCK, 0600);
    if (code == 0)
        code = mdb_txn_begin(w->env, NULL, 0, &w->txn);
    if (code == 0)
        code = mdb_dbi_open(w->txn, NULL, 0, &w->dbi);
    return code;
}

enum rc lmdb_create(const char *path, mode_t mode, size_t content_bytes, struct lmdb_writer **ret,
                    struct err *e)
{
    AUTO(lmdb_freep) struct lmdb_writer *w = calloc(1, sizeof *w);
    must(w);
    if (str_copy(w->path, sizeof w->path, str_c(path)) != RC_OK)
        return err_set(e, RC_PERM, 0, "", "the name of the file is too long");
    snprintf(w->tmp, sizeof w->tmp, "%s.XXXXXX", w->path);
    AUTO(fd_closep) int fd = mkostemp(w->tmp, O_CLOEXEC);
    if (fd < 0)
        return err_set(e, RC_TEMP, 0, "", "cannot make %.120s: %s", w->tmp, strerror(errno));
    w->made = true;
    if (fchmod(fd, mode) != 0)
        return err_set(e, RC_TEMP, 0, "", "cannot set the mode of %.120s: %s", w->tmp, strerror(errno));
    int code = begin(w, content_bytes);
    if (code != 0)
        return fail(e, code, "cannot make", w->tmp);
    *ret = w;
    w = NULL;
    return RC_OK;
}

enum rc lmdb_put(struct lmdb_writer *w, str key, str value, bool replace, struct err *e)
{
    if (key.n == 0 || key.n > LMDB_KEY_MAX)
        return RC_LIMIT;
    AUTO(str_freep) char *k = str_dup(key);
    AUTO(str_freep) char *v = str_dup(value);
    MDB_val mdb_key = {key.n + 1, k}, mdb_value = {value.n + 1, v};
    int code = mdb_put(w->txn, w->dbi, &mdb_key, &mdb_value, replace ? 0 : MDB_NOOVERWRITE);
    if (code == MDB_KEYEXIST)
        return RC_GONE;
    return code == 0 ? RC_OK : fail(e, code, "cannot write", w->tmp);
}

static enum rc sync_folder(const char *path)
{
    ptrdiff_t slash = str_rchr(str_c(path), '/');
    AUTO(str_freep) char *folder = str_dup(slash < 0 ? S(".") : str_sub(str_c(path), 0, (size_t)slash + 1));
    AUTO(fd_closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0 ? RC_OK : RC_TEMP;
}

enum rc lmdb_commit(struct lmdb_writer *w, struct err *e)
{
    MDB_txn *txn = w->txn;
    w->txn = NULL;
    int code = mdb_txn_commit(txn);
    if (code == 0)
        code = mdb_env_sync(w->env, 1);
    if (code != 0)
        return fail(e, code, "cannot write", w->tmp);
    if (rename(w->tmp, w->path) != 0)
        return err_set(e, RC_TEMP, 0, "", "cannot name %.120s: %s", w->path, strerror(errno));
    w->made = false;
    return sync_folder(w->path) == RC_OK
               ? RC_OK
               : err_set(e, RC_TEMP, 0, "", "cannot sync the folder of %.120s", w->path);
}

struct lmdb_writer *lmdb_free(struct lmdb_writer *w)
{
    if (!w)
        return NULL;
    if (w->txn)
        mdb_txn_abort(w->txn);
    if (w->env)
        mdb_env_close(w->env);
    if (w->made)
        unlink(w->tmp);
    free(w);
    return NULL;
}

void lmdb_freep(struct lmdb_writer **w)
{
    *w = lmdb_free(*w);
}
