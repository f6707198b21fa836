/* Opening, asking and closing tables of any type; what the types share. */
#include "table/table_impl.h"

#include "fmt/tablespec.h"
#include "fmt/tabletext.h"
#include "os/file.h"
#include "table/fold.h"
#include "table/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const struct table_type *const types[] = {
    &table_inline,    &table_static,   &table_texthash, &table_hash,      &table_lmdb,       &table_regexp,
    &table_pcre,      &table_cidr,     &table_mmdb,     &table_sqlite,    &table_pgsql,      &table_mysql,
    &table_ldap,      &table_unionmap, &table_pipemap,  &table_randmap,   &table_socketmap,  &table_tcp,
    &table_fail_type, &table_aliases,  &table_policy,   &table_sql_users, &table_ldap_users, &table_oauth2,
};

const struct table_type *table_find_type(str name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (str_eq(name, str_c(types[i]->name)))
            return types[i];
    }
    return NULL;
}

const char *table_type_name(size_t i)
{
    return i < sizeof types / sizeof *types ? types[i]->name : NULL;
}

void table_warn(struct table *t, const char *fmt, ...)
{
    char text[500];
    va_list ap;
    if (!t->env.warn)
        return;
    size_t n = (size_t)snprintf(text, sizeof text, "%.200s: ", t->label);
    va_start(ap, fmt);
    vsnprintf(text + n, sizeof text - n, fmt, ap);
    va_end(ap);
    t->env.warn(t->env.ctx, text);
}

static enum rc fill_err(struct err *e, enum rc rc, const char *spec, const char *text)
{
    bool wrong = rc == RC_PERM || rc == RC_GONE; /* RC_INVALID: a connection is of no use any more */
    err_set(e, rc, 451, wrong ? "4.3.5" : "4.3.0",
            wrong ? "Server configuration error" : "Temporary lookup failure");
    err_note(e, "%.100s: %s", spec, text);
    return rc;
}

enum rc table_fail(const struct table *t, struct err *e, enum rc rc, const char *fmt, ...)
{
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return fill_err(e, rc, t->label, text);
}

static char *label_of(str spec)
{
    struct buf label = BUF_INIT(spec.n + 8);
    ptrdiff_t brace = str_chr(spec, '{');
    buf_puts(&label, brace < 0 ? spec : str_sub(spec, 0, (size_t)brace));
    if (brace >= 0)
        buf_puts(&label, S("{...}"));
    char *text = str_dup(buf_str(&label));
    buf_deinit(&label);
    return text;
}

static struct table *new_table(str spec, const struct table_env *env, struct table *outer, unsigned depth)
{
    struct table *t = calloc(1, sizeof *t);
    must(t);
    t->spec = str_dup(spec);
    t->label = label_of(spec);
    t->outer = outer;
    t->depth = depth;
    if (env)
        t->env = *env;
    if (t->env.timeout_ms <= 0)
        t->env.timeout_ms = TABLE_TIMEOUT_MS;
    if (t->env.file_max == 0)
        t->env.file_max = TABLE_FILE_MAX;
    if (t->env.connections == 0)
        t->env.connections = TABLE_CONNECTIONS;
    return t;
}

static enum rc open_at_depth(str spec, const struct table_env *env, struct table *outer, unsigned depth,
                             struct table **ret, struct err *e)
{
    str type, name;
    AUTO(table_closep) struct table *t = new_table(spec, env, outer, depth);
    if (depth > TABLE_NESTING_MAX)
        return table_fail(t, e, RC_PERM, "more than %d tables inside each other", TABLE_NESTING_MAX);
    if (str_chr(spec, '\0') >= 0 || tablespec_split(spec, &type, &name) != RC_OK)
        return table_fail(t, e, RC_PERM, "a table is named as type:name");
    if (str_eq(type, S("proxy")))
        return open_at_depth(name, env, outer, depth + 1, ret, e);
    const struct table_type *found = table_find_type(type);
    if (!found)
        return table_fail(t, e, RC_PERM, "there is no type of table \"" STR_FMT "\"",
                          STR_ARG(str_sub(type, 0, 40)));
    t->type = found->asks && t->env.ask ? &table_elsewhere : found;
    t->whole_keys = found->whole_keys;
    enum rc rc = t->type->open(t, name, e);
    if (rc == RC_OK) {
        *ret = t;
        t = NULL;
    }
    return rc;
}

enum rc table_open(str spec, const struct table_env *env, struct table **ret, struct err *e)
{
    return open_at_depth(spec, env, NULL, 0, ret, e);
}

enum rc table_open_inside(struct table *outer, str spec, struct table **ret, struct err *e)
{
    return open_at_depth(spec, &outer->env, outer, outer->depth + 1, ret, e);
}

struct table *table_close(struct table *t)
{
    if (!t)
        return NULL;
    pool_free(t->pool);
    if (t->type && t->type->close)
        t->type->close(t);
    while (t->folders) {
        struct table_folder *folder = t->folders;
        t->folders = folder->next;
        free(folder->path);
        free(folder);
    }
    while (t->files) {
        struct table_file *file = t->files;
        t->files = file->next;
        free(file->path);
        free(file);
    }
    free(t->spec);
    free(t->label);
    free(t);
    return NULL;
}

void table_closep(struct table **t)
{
    *t = table_close(*t);
}

enum rc table_find(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf folded = BUF_INIT(3 * TABLE_KEY_MAX);
    if (key.n > TABLE_KEY_MAX || key.n == 0 || memchr(key.p, '\0', key.n))
        return RC_GONE;
    if (t->type->folds) {
        if (table_fold(key, &folded) != RC_OK)
            return RC_GONE;
        key = buf_str(&folded);
    }
    if (t->type->asks && !t->pool)
        return table_fail(t, e, RC_TEMP, "it is not asked here");
    return t->type->find(t, key, a, ret, e);
}

enum rc table_probe(struct table *t, struct err *e)
{
    return t->pool ? pool_probe(t->pool, t, e) : RC_OK;
}

bool table_takes_whole_keys(const struct table *t)
{
    return t->whole_keys;
}

str table_spec(const struct table *t)
{
    return str_c(t->spec);
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool any_changed(const struct table *t, bool asking)
{
    struct stat now;
    for (const struct table_file *f = t->files; f; f = f->next) {
        if (f->asking != asking)
            continue;
        if (stat(f->path, &now) != 0 || now.st_ino != f->st.st_ino || now.st_dev != f->st.st_dev ||
            now.st_size != f->st.st_size || !same_time(now.st_mtim, f->st.st_mtim))
            return true;
    }
    return false;
}

bool table_changed(const struct table *t)
{
    return any_changed(t, false);
}

bool table_asking_changed(const struct table *t)
{
    return any_changed(t, true);
}

static struct table *outermost(struct table *t)
{
    while (t->outer)
        t = t->outer;
    return t;
}

static bool is_of_asking(const struct table *t)
{
    for (; t; t = t->outer)
        if (t->type && t->type->asks)
            return true;
    return false;
}

void table_remember_file(struct table *t, str path, const struct stat *st)
{
    struct table_file *file = calloc(1, sizeof *file);
    must(file);
    file->asking = is_of_asking(t);
    t = outermost(t);
    file->path = str_dup(path);
    file->st = *st;
    file->next = t->files;
    t->files = file;
}

void table_need_folder_of(struct table *t, const char *path)
{
    AUTO(str_freep) char *real = realpath(path, NULL);
    str file = str_c(real ? real : path);
    ptrdiff_t slash = str_rchr(file, '/');
    if (slash < 0)
        return;
    struct table_folder *folder = calloc(1, sizeof *folder);
    must(folder);
    folder->path = str_dup(slash == 0 ? S("/") : str_sub(file, 0, (size_t)slash));
    t = outermost(t);
    folder->next = t->folders;
    t->folders = folder;
}

void table_each_folder(const struct table *t, void (*fn)(void *ctx, const char *folder), void *ctx)
{
    for (const struct table_folder *f = t->folders; f; f = f->next)
        fn(ctx, f->path);
}

enum rc table_read_file(struct table *t, str path, struct buf *ret, struct err *e)
{
    struct stat st;
    AUTO(str_freep) char *name = str_dup(path);
    AUTO(fd_closep) int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0) {
        enum rc rc = errno == ENOENT || errno == ENOTDIR ? RC_GONE : RC_TEMP;
        return table_fail(t, e, rc, "cannot open %.150s: %s", name, strerror(errno));
    }
    if (!S_ISREG(st.st_mode))
        return table_fail(t, e, RC_PERM, "%.150s is no file", name);
    enum rc rc = fd_read_all(fd, ret);
    if (rc == RC_LIMIT)
        return table_fail(t, e, rc, "%.150s is larger than %zu bytes", name, ret->max);
    if (rc != RC_OK)
        return table_fail(t, e, rc, "cannot read %.150s: %s", name, strerror(errno));
    table_remember_file(t, path, &st);
    return RC_OK;
}

enum rc table_read_rules(struct table *t, str name, struct buf *ret, struct err *e)
{
    str list, rule, line;
    if (!str_starts(name, S("{")))
        return table_read_file(t, name, ret, e);
    if (tablespec_braced(name, &list) != RC_OK)
        return table_fail(t, e, RC_PERM, "the braces do not match");
    for (;;) {
        enum rc rc = tablespec_take(&list, &rule);
        if (rc == RC_GONE)
            break;
        if (rc != RC_OK || tablespec_braced(rule, &line) != RC_OK)
            return table_fail(t, e, RC_PERM, "each rule needs braces of its own: {{rule}, {rule}}");
        buf_puts(ret, line);
        buf_putc(ret, '\n');
    }
    return ret->overflow ? table_fail(t, e, RC_LIMIT, "too many rules") : RC_OK;
}

enum rc table_give(const struct table *t, str value, struct arena *a, str *ret, struct err *e)
{
    str copy = arena_str(a, value);
    if (arena_exhausted(a))
        return table_fail(t, e, RC_LIMIT, "there is no room for the value");
    *ret = copy;
    return RC_OK;
}

msec table_deadline(const struct table *t)
{
    return clock_mono() + t->env.timeout_ms;
}

void table_each_line(struct table *t, str text, table_line_fn *fn)
{
    AUTO(buf_deinit) struct buf joined = BUF_INIT(TABLETEXT_LINE_MAX);
    struct tabletext lines = tabletext_of(text);
    int number = 0;
    for (;;) {
        str line;
        enum rc rc = tabletext_next(&lines, &joined, &line, &number);
        if (rc == RC_GONE)
            return;
        if (rc == RC_OK)
            fn(t, line, number);
        else
            table_warn(t, "line %d: skipped, because it %s", number,
                       rc == RC_LIMIT ? "is too long" : "contains a NUL byte");
    }
}
