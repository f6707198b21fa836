/* sqlite:/path.cf, sqlite_table(5). A database that was replaced by another file is opened anew at the next
 * query. */
#include "table/pool.h"

#include "fmt/tablequery.h"
#include "fmt/tabletext.h"
#include "os/db.h"
#include "os/file.h"
#include "table/lookup.h"
#include "table/users.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct sqlite {
    struct lookup *lookup;   /* NULL: a database of users */
    struct sql_users *users; /* NULL: a table */
    const char *path;
    char *query;
};

struct connection {
    struct db *db;
    dev_t dev; /* the file that was opened */
    ino_t ino;
};

/* --- connecting --- */

/* Whoever may only read a database in WAL mode needs the files that a writer makes beside it. */
static const char *hint_for(const char *path)
{
    enum { VERSION_AT = 18, WAL = 2 }; /* the file format's read and write versions */
    char header[VERSION_AT + 2] = "";
    AUTO(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && errno == EACCES)
        return "; the user who asks (user_proxymap in the server) must be able to read it";
    if (fd >= 0 && read(fd, header, sizeof header) == sizeof header && header[VERSION_AT] == WAL)
        return "; it is in WAL mode, where only who may write can open it while nobody else has it open: "
               "\"PRAGMA journal_mode=DELETE\" makes it readable";
    return "";
}

/* Whatever is wrong with the file may be mended: until then mail waits. */
static enum rc connect_db(struct table *t, msec deadline, void **ret, struct err *e)
{
    struct sqlite *s = t->state;
    struct err why = {0};
    struct stat st; /* from before it is opened: replaced in between, it is opened again */
    struct connection *c = calloc(1, sizeof *c);
    must(c);
    enum rc rc = RC_OK;
    if (stat(s->path, &st) != 0)
        rc = table_fail(t, e, RC_TEMP, "cannot open %.100s: %s", s->path, strerror(errno));
    else if (db_open(s->path, DB_READ_ONLY | DB_FOREIGN, &c->db, &why) != RC_OK)
        rc = table_fail(t, e, RC_TEMP, "cannot open %.80s: %.60s%s", s->path, err_text(&why),
                        hint_for(s->path));
    if (rc != RC_OK) {
        free(c);
        return rc;
    }
    db_set_patience(c->db, t->env.timeout_ms);
    c->dev = st.st_dev;
    c->ino = st.st_ino;
    *ret = c;
    return RC_OK;
}

static void disconnect_db(void *connection)
{
    struct connection *c = connection;
    db_close(c->db);
    free(c);
}

/* --- asking --- */

static bool is_replaced(const struct sqlite *s, const struct connection *c)
{
    struct stat st;
    return stat(s->path, &st) != 0 || st.st_dev != c->dev || st.st_ino != c->ino;
}

static enum rc put_row(struct table *t, const struct db_stmt *q, str key, struct buf *out, uint32_t *count,
                       struct err *e)
{
    struct sqlite *s = t->state;
    struct sql_column columns[SQL_COLUMNS_MAX];
    size_t n = 0;
    for (int i = 0; i < db_columns(q) && n < SQL_COLUMNS_MAX; i++)
        columns[n++] = (struct sql_column){db_name(q, i), db_text(q, i), db_is_null(q, i)};
    return sql_users_row(t, s->users, key, columns, n, out, count, e);
}

static enum rc run(struct table *t, struct db *db, str query, str key, struct buf *out, struct err *e)
{
    struct sqlite *s = t->state;
    struct err why = {0};
    uint32_t count = 0;
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc = db_query_text(db, &q, &why, query);
    while (rc == RC_OK && (rc = db_step(q, &why)) == RC_OK) {
        rc = s->users ? put_row(t, q, key, out, &count, e)
                      : lookup_put_value(t, s->lookup, key, db_text(q, 0), out, &count, e);
        if (rc != RC_OK)
            return rc;
    }
    if (rc != RC_GONE)
        return table_fail(t, e, rc == RC_INVALID ? RC_INVALID : RC_TEMP, "%s", err_text(&why));
    return count > 0 ? RC_OK : RC_GONE;
}

static enum rc ask_db(struct table *t, void *connection, str key, msec deadline, struct buf *out,
                      struct err *e)
{
    AUTO(buf_deinit) struct buf query = BUF_INIT(TABLETEXT_LINE_MAX);
    struct sqlite *s = t->state;
    struct connection *c = connection;
    if (is_replaced(s, c))
        return table_fail(t, e, RC_INVALID, "%.100s was replaced", s->path);
    enum rc rc = s->users ? sql_users_query(t, s->users, key, tablequery_quote_sql, NULL, &query, out, e)
                          : tablequery_put(&query, str_c(s->query), key, tablequery_quote_sql, NULL);
    if (s->users && rc == RC_GONE)
        return RC_OK;
    if (rc == RC_LIMIT)
        return table_fail(t, e, RC_TEMP, "the query is too long");
    return rc == RC_OK ? run(t, c->db, buf_str(&query), key, out, e) : rc;
}

static const struct pool_type connections = {connect_db, disconnect_db, ask_db};

/* --- the table --- */

static enum rc take_path(struct table *t, struct err *e)
{
    struct sqlite *s = t->state;
    struct stat st;
    s->path = s->users ? sql_users_connect(s->users).p : lookup_get(s->lookup, "dbpath", NULL);
    if (!s->path || !s->path[0])
        return table_fail(t, e, RC_PERM, "%s is missing", s->users ? "connect" : "dbpath");
    if (stat(s->path, &st) != 0)
        table_warn(t, "%.200s: %s", s->path, strerror(errno));
    table_need_folder_of(t, s->path);
    return RC_OK;
}

static enum rc open_sqlite(struct table *t, str name, struct err *e)
{
    static const char *const names[] = {"dbpath", NULL};
    struct sqlite *s = calloc(1, sizeof *s);
    must(s);
    t->state = s;
    enum rc rc = lookup_open(t, name, names, &s->lookup, e);
    if (rc == RC_OK)
        rc = lookup_make_query(t, s->lookup, &s->query, e);
    if (rc == RC_OK)
        rc = take_path(t, e);
    if (rc == RC_OK && !t->env.unasked)
        t->pool = pool_new(&connections, t->env.connections);
    return rc;
}

static enum rc find_sqlite(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    struct sqlite *s = t->state;
    enum rc rc = lookup_check_key(s->lookup, key, e);
    return rc == RC_OK ? pool_find(t->pool, t, key, a, ret, e) : rc;
}

static void close_sqlite(struct table *t)
{
    struct sqlite *s = t->state;
    if (!s)
        return;
    lookup_free(s->lookup);
    sql_users_free(s->users);
    free(s->query);
    free(s);
}

const struct table_type table_sqlite = {.name = "sqlite",
                                        .folds = true,
                                        .asks = true,
                                        .open = open_sqlite,
                                        .find = find_sqlite,
                                        .close = close_sqlite};

/* --- a database of users --- */

static enum rc find_users(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    return pool_find(t->pool, t, key, a, ret, e);
}

enum rc sqlite_open_users(struct table *t, struct sql_users *u, struct err *e)
{
    static const struct table_type type = {
        .name = "dovecot-sql", .whole_keys = true, .asks = true, .find = find_users, .close = close_sqlite};
    struct sqlite *s = calloc(1, sizeof *s);
    must(s);
    t->type = &type;
    t->state = s;
    s->users = u;
    enum rc rc = take_path(t, e);
    if (rc == RC_OK && !t->env.unasked)
        t->pool = pool_new(&connections, t->env.connections);
    return rc;
}
