/* Making tables: entries go into a new file, which takes the old one's place. */
#include "table/postmap.h"

#include "fmt/tabletext.h"
#include "table/fold.h"
#include "table/lmdb.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>

enum { PATH_BYTES_MAX = 4096 };

struct postmap {
    const struct postmap_options *options;
    const char *path;
    struct lmdb_writer *writer;
};

void postmap_warn(const struct postmap *p, const char *fmt, ...)
{
    char text[500];
    va_list ap;
    if (!p->options->warn)
        return;
    size_t n = (size_t)snprintf(text, sizeof text, "%.200s: ", p->path);
    va_start(ap, fmt);
    vsnprintf(text + n, sizeof text - n, fmt, ap);
    va_end(ap);
    p->options->warn(p->options->ctx, text);
}

static enum rc fold(const struct postmap *p, str key, struct buf *out)
{
    if (!p->options->keep_case)
        return table_fold(key, out);
    buf_puts(out, key);
    return out->overflow ? RC_LIMIT : RC_OK;
}

enum rc postmap_put(struct postmap *p, str key, str value, int number, struct err *e)
{
    AUTO(buf_deinit) struct buf folded = BUF_INIT(3 * TABLETEXT_LINE_MAX);
    enum rc rc = fold(p, key, &folded);
    if (rc == RC_OK)
        rc = lmdb_put(p->writer, buf_str(&folded), value, p->options->replace, e);
    if (rc == RC_LIMIT) {
        postmap_warn(p, "line %d: skipped: a key has at most %d bytes", number, LMDB_KEY_MAX);
        return RC_OK;
    }
    if (rc == RC_GONE && !p->options->skip_duplicates)
        postmap_warn(p, "line %d: duplicate entry: \"" STR_FMT "\"", number, STR_ARG(str_sub(key, 0, 200)));
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc put_line(struct postmap *p, str line, int number, struct err *e)
{
    str key, value;
    const char *problem = tabletext_entry(line, &key, &value);
    if (problem) {
        postmap_warn(p, "line %d: skipped: %s", number, problem);
        return RC_OK;
    }
    if (str_ends(key, S(":")))
        postmap_warn(p, "line %d: a \":\" behind the key; is this a file of aliases?", number);
    return postmap_put(p, key, value, number, e);
}

enum rc postmap_read_table(struct postmap *p, str text, struct err *e)
{
    AUTO(buf_deinit) struct buf joined = BUF_INIT(TABLETEXT_LINE_MAX);
    struct tabletext lines = tabletext_of(text);
    str line;
    int number = 0;
    for (;;) {
        enum rc rc = tabletext_next(&lines, &joined, &line, &number);
        if (rc == RC_GONE)
            return RC_OK;
        if (rc != RC_OK)
            postmap_warn(p, "line %d: skipped, because it %s", number,
                         rc == RC_LIMIT ? "is too long" : "has a NUL byte");
        else if ((rc = put_line(p, line, number, e)) != RC_OK)
            return rc;
    }
}

static enum rc table_path(const char *path, char ret[PATH_BYTES_MAX], struct err *e)
{
    if ((size_t)snprintf(ret, PATH_BYTES_MAX, "%s.lmdb", path) >= PATH_BYTES_MAX)
        return err_set(e, RC_PERM, 0, "", "the name of the file is too long");
    return RC_OK;
}

static mode_t mode_for(const char *source, const struct postmap_options *o)
{
    struct stat st;
    return o->default_mode || stat(source, &st) != 0 ? 0644 : 0600 | (st.st_mode & 066);
}

struct copying {
    struct postmap *p;
    const str *without; /* sorted */
    size_t without_n, found;
    struct err *e;
};

static int compare(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

static enum rc copy_entry(void *ctx, str key, str value)
{
    struct copying *c = ctx;
    if (c->without_n > 0 && bsearch(&key, c->without, c->without_n, sizeof key, compare)) {
        c->found++;
        return RC_OK;
    }
    return lmdb_put(c->p->writer, key, value, true, c->e);
}

static enum rc create(struct postmap *p, const char *table, size_t content_bytes, struct err *e)
{
    struct stat st;
    if (stat(table, &st) == 0)
        content_bytes += (size_t)st.st_size;
    return lmdb_create(table, mode_for(p->path, p->options), content_bytes, &p->writer, e);
}

enum rc postmap_make(const char *path, str text, postmap_source *source, const struct postmap_options *o,
                     struct err *e)
{
    char table[PATH_BYTES_MAX];
    struct postmap p = {.options = o, .path = path};
    struct copying copying = {.p = &p, .e = e};
    enum rc rc = table_path(path, table, e);
    if (rc == RC_OK)
        rc = create(&p, table, text.n, e);
    if (rc == RC_OK && o->incremental) {
        rc = lmdb_each(table, copy_entry, &copying, e);
        rc = rc == RC_GONE ? RC_OK : rc;
    }
    if (rc == RC_OK)
        rc = source(&p, text, e);
    if (rc == RC_OK)
        rc = lmdb_commit(p.writer, e);
    lmdb_free(p.writer);
    return rc;
}

/* The keys as they are in the table, sorted. */
static str *fold_keys(const struct postmap *p, const str *keys, size_t n, struct arena *a)
{
    AUTO(buf_deinit) struct buf folded = BUF_INIT(3 * TABLE_KEY_MAX);
    str *out = arena_array(a, n, sizeof *out);
    for (size_t i = 0; out && i < n; i++) {
        buf_reset(&folded);
        out[i] = fold(p, keys[i], &folded) == RC_OK ? arena_str(a, buf_str(&folded)) : STR_NONE;
    }
    if (!out || arena_exhausted(a))
        return NULL;
    qsort(out, n, sizeof *out, compare);
    return out;
}

enum rc postmap_delete(const char *path, const str *keys, size_t n, const struct postmap_options *o,
                       size_t *ret_found, struct err *e)
{
    char table[PATH_BYTES_MAX];
    AUTO(arena_freep) struct arena *a = arena_new(TABLE_FILE_MAX);
    struct postmap p = {.options = o, .path = path};
    struct copying copying = {.p = &p, .without_n = n, .e = e};
    enum rc rc = table_path(path, table, e);
    struct stat st;
    if (rc == RC_OK && stat(table, &st) != 0)
        return err_set(e, errno == ENOENT ? RC_GONE : RC_TEMP, 0, "", "%.150s: %s", table, strerror(errno));
    if (rc == RC_OK && !(copying.without = fold_keys(&p, keys, n, a)))
        rc = err_set(e, RC_LIMIT, 0, "", "too many keys");
    if (rc == RC_OK)
        rc = create(&p, table, 0, e);
    if (rc == RC_OK)
        rc = lmdb_each(table, copy_entry, &copying, e);
    if (rc == RC_OK && copying.found > 0)
        rc = lmdb_commit(p.writer, e);
    lmdb_free(p.writer);
    if (rc == RC_OK)
        *ret_found = copying.found;
    return rc;
}

enum rc postmap_each(const char *path, postmap_entry_fn *fn, void *ctx, struct err *e)
{
    char table[PATH_BYTES_MAX];
    enum rc rc = table_path(path, table, e);
    return rc == RC_OK ? lmdb_each(table, fn, ctx, e) : rc;
}
