/* pgsql:/path.cf, pgsql_table(5), through libpq, which is loaded when the first such table is opened. Calls
 * that could block are made in their asynchronous form, so that the deadline of a query holds. */
#include "table/pool.h"

#include "base/utf8.h"
#include "fmt/tablequery.h"
#include "fmt/tablespec.h"
#include "fmt/tabletext.h"
#include "table/library.h"
#include "table/lookup.h"
#include "table/users.h"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/random.h>

enum { HOSTS_MAX = 20 };

/* The functions of libpq that are used, under their own names. */
#define LIBPQ(X)            \
    X(PQclear)              \
    X(PQconnectPoll)        \
    X(PQconnectStartParams) \
    X(PQconsumeInput)       \
    X(PQerrorMessage)       \
    X(PQescapeStringConn)   \
    X(PQfinish)             \
    X(PQflush)              \
    X(PQfname)              \
    X(PQgetResult)          \
    X(PQgetisnull)          \
    X(PQgetlength)          \
    X(PQgetvalue)           \
    X(PQisBusy)             \
    X(PQnfields)            \
    X(PQntuples)            \
    X(PQresultErrorMessage) \
    X(PQresultStatus)       \
    X(PQsendQuery)          \
    X(PQsetSingleRowMode)   \
    X(PQsetnonblocking)     \
    X(PQsocket)             \
    X(PQstatus)

struct libpq {
#define MEMBER(name) __typeof__(&name) name;
    LIBPQ(MEMBER)
};

struct pgsql {
    struct libpq pq;
    struct lookup *lookup;   /* NULL: a database of users */
    struct sql_users *users; /* NULL: a table */
    char *query;
    str hosts[HOSTS_MAX]; /* views of the setting */
    size_t host_count;
};

struct connection {
    const struct libpq *pq;
    PGconn *conn;
};

/* Waits for the socket; false when the deadline has passed. */
static bool wait_for(const struct libpq *pq, PGconn *conn, short events, msec deadline)
{
    struct pollfd p = {.fd = pq->PQsocket(conn), .events = events};
    msec left = deadline - clock_mono();
    return left > 0 && poll(&p, 1, (int)left) > 0;
}

/* --- connecting --- */

struct address {
    char host[256], port[16];
};

/* unix:/path, inet:host:port, host:port, host; a path may name the folder or the socket in it. */
static enum rc parse_host(str text, struct address *ret)
{
    static const char socket_name[] = "/.s.PGSQL.";
    if (str_starts(text, S("unix:")) || str_starts(text, S("inet:")))
        text = str_from(text, 5);
    str host = text, port = STR_NONE;
    ptrdiff_t colon = str_rchr(text, ':'), name = str_find(text, str_c(socket_name));
    if (str_starts(text, S("/")) && name > 0) {
        host = str_sub(text, 0, (size_t)name);
        port = str_from(text, (size_t)name + strlen(socket_name));
    } else if (!str_starts(text, S("/")) && colon > 0) {
        host = str_sub(text, 0, (size_t)colon);
        port = str_from(text, (size_t)colon + 1);
    }
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = str_sub(host, 1, host.n - 2);
    return str_copy(ret->host, sizeof ret->host, host) || str_copy(ret->port, sizeof ret->port, port)
               ? RC_INVALID
               : RC_OK;
}

static PGconn *start(const struct pgsql *s, str host)
{
    struct address address = {0};
    const char *names[12], *values[12];
    size_t n = 0;
    AUTO(str_freep) char *uri = str_dup(host);
    bool is_uri = s->users || str_find(host, S("://")) >= 0; /* or a whole connection string */
    if (!is_uri && parse_host(host, &address) != RC_OK)
        return NULL;
    const struct {
        const char *name, *value;
    } all[] = {
        {"host", is_uri ? NULL : address.host},
        {"port", address.port[0] ? address.port : NULL},
        {"user", s->users ? NULL : lookup_get(s->lookup, "user", NULL)},
        {"password", s->users ? NULL : lookup_get(s->lookup, "password", NULL)},
        {"dbname", is_uri ? uri : lookup_get(s->lookup, "dbname", NULL)},
        {"client_encoding", "UTF8"},
        {"fallback_application_name", "malle"},
        {"gssencmode", "disable"}, /* Kerberos needs more files and system calls than a role has */
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i].value) {
            names[n] = all[i].name;
            values[n++] = all[i].value;
        }
    }
    names[n] = values[n] = NULL;
    return s->pq.PQconnectStartParams(names, values, 1);
}

static enum rc finish_connecting(struct table *t, PGconn *conn, msec deadline, struct err *e)
{
    const struct pgsql *s = t->state;
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;
    while (s->pq.PQstatus(conn) != CONNECTION_BAD && want != PGRES_POLLING_FAILED) {
        if (want == PGRES_POLLING_OK)
            return s->pq.PQsetnonblocking(conn, 1) == 0 ? RC_OK : table_fail(t, e, RC_TEMP, "no connection");
        if (!wait_for(&s->pq, conn, want == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline))
            return table_fail(t, e, RC_TEMP, "the server does not answer");
        want = s->pq.PQconnectPoll(conn);
    }
    return table_fail(t, e, RC_TEMP, "%s", s->pq.PQerrorMessage(conn));
}

/* The hosts in an order that begins anywhere, so that load spreads. */
static enum rc connect_pg(struct table *t, msec deadline, void **ret, struct err *e)
{
    const struct pgsql *s = t->state;
    uint32_t first = 0;
    enum rc rc = RC_TEMP;
    must(getrandom(&first, sizeof first, 0) == sizeof first);
    for (size_t i = 0; i < s->host_count; i++) {
        PGconn *conn = start(s, s->hosts[(first + i) % s->host_count]);
        rc = conn ? finish_connecting(t, conn, deadline, e)
                  : table_fail(t, e, RC_PERM, "hosts: a name is too long");
        if (rc == RC_OK) {
            struct connection *c = calloc(1, sizeof *c);
            must(c);
            *c = (struct connection){&s->pq, conn};
            *ret = c;
            return RC_OK;
        }
        if (conn)
            s->pq.PQfinish(conn);
    }
    return rc;
}

static void disconnect_pg(void *connection)
{
    struct connection *c = connection;
    c->pq->PQfinish(c->conn);
    free(c);
}

/* --- asking --- */

static void quote(void *ctx, struct buf *out, str part)
{
    struct connection *c = ctx;
    int failed = 0;
    char *room = buf_room(out, 2 * part.n + 1);
    if (room)
        buf_added(out, c->pq->PQescapeStringConn(c->conn, room, part.p, part.n, &failed));
}

static enum rc send_query(struct table *t, struct connection *c, const char *query, msec deadline,
                          struct err *e)
{
    const struct libpq *pq = c->pq;
    int left = 1;
    if (!pq->PQsendQuery(c->conn, query) || !pq->PQsetSingleRowMode(c->conn))
        return table_fail(t, e, RC_INVALID, "%s", pq->PQerrorMessage(c->conn));
    while ((left = pq->PQflush(c->conn)) > 0) {
        if (!wait_for(pq, c->conn, POLLOUT | POLLIN, deadline) || !pq->PQconsumeInput(c->conn))
            return table_fail(t, e, RC_INVALID, "the query cannot be sent");
    }
    return left == 0 ? RC_OK : table_fail(t, e, RC_INVALID, "%s", pq->PQerrorMessage(c->conn));
}

/* The next result, NULL behind the last one. */
static enum rc next_result(struct table *t, struct connection *c, msec deadline, PGresult **ret,
                           struct err *e)
{
    const struct libpq *pq = c->pq;
    while (pq->PQisBusy(c->conn)) {
        if (!wait_for(pq, c->conn, POLLIN, deadline))
            return table_fail(t, e, RC_INVALID, "no answer within %d ms", t->env.timeout_ms);
        if (!pq->PQconsumeInput(c->conn))
            return table_fail(t, e, RC_INVALID, "%s", pq->PQerrorMessage(c->conn));
    }
    *ret = pq->PQgetResult(c->conn);
    return RC_OK;
}

static enum rc put_row(struct table *t, struct connection *c, PGresult *result, int row, str key,
                       struct buf *out, uint32_t *count, struct err *e)
{
    const struct libpq *pq = c->pq;
    struct pgsql *s = t->state;
    struct sql_column columns[SQL_COLUMNS_MAX];
    size_t n = 0;
    for (int i = 0; i < pq->PQnfields(result) && n < SQL_COLUMNS_MAX; i++)
        columns[n++] = (struct sql_column){
            str_c(pq->PQfname(result, i)),
            str_mem(pq->PQgetvalue(result, row, i), (size_t)pq->PQgetlength(result, row, i)),
            pq->PQgetisnull(result, row, i) != 0};
    return sql_users_row(t, s->users, key, columns, n, out, count, e);
}

/* Every column of every row is a value. An error of the query leaves the connection in order. */
static enum rc put_rows(struct table *t, struct connection *c, PGresult *result, str key, struct buf *out,
                        uint32_t *count, struct err *e)
{
    const struct libpq *pq = c->pq;
    struct pgsql *s = t->state;
    ExecStatusType status = pq->PQresultStatus(result);
    if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        return table_fail(t, e, RC_TEMP, "%s", pq->PQresultErrorMessage(result));
    for (int row = 0; row < pq->PQntuples(result); row++) {
        enum rc put = s->users ? put_row(t, c, result, row, key, out, count, e) : RC_OK;
        if (put != RC_OK)
            return put;
        for (int column = 0; !s->users && column < pq->PQnfields(result); column++) {
            str value =
                str_mem(pq->PQgetvalue(result, row, column), (size_t)pq->PQgetlength(result, row, column));
            if (pq->PQgetisnull(result, row, column))
                continue;
            enum rc rc = lookup_put_value(t, s->lookup, key, value, out, count, e);
            if (rc != RC_OK)
                return rc;
        }
    }
    return RC_OK;
}

/* All results must be taken, or the connection cannot be used again; when the answer is too long it is given
 * up. */
static enum rc take_results(struct table *t, struct connection *c, str key, msec deadline, struct buf *out,
                            struct err *e)
{
    uint32_t count = 0, results = 0;
    enum rc said = RC_OK;
    for (;;) {
        PGresult *result = NULL;
        enum rc rc = next_result(t, c, deadline, &result, e);
        if (rc != RC_OK)
            return rc;
        if (!result)
            break;
        rc = put_rows(t, c, result, key, out, &count, e);
        c->pq->PQclear(result);
        said = said == RC_OK ? rc : said;
        if (said != RC_OK && results++ > 1000)
            return RC_INVALID;
    }
    if (c->pq->PQstatus(c->conn) == CONNECTION_BAD)
        return table_fail(t, e, RC_INVALID, "%s", c->pq->PQerrorMessage(c->conn));
    return said == RC_OK && count == 0 ? RC_GONE : said;
}

static enum rc ask_pg(struct table *t, void *connection, str key, msec deadline, struct buf *out,
                      struct err *e)
{
    AUTO(buf_deinit) struct buf query = BUF_INIT(TABLETEXT_LINE_MAX);
    struct pgsql *s = t->state;
    struct connection *c = connection;
    enum rc rc = s->users ? sql_users_query(t, s->users, key, quote, c, &query, out, e)
                          : tablequery_put(&query, str_c(s->query), key, quote, c);
    if (s->users && rc == RC_GONE)
        return RC_OK;
    if (rc == RC_LIMIT)
        return table_fail(t, e, RC_TEMP, "the query is too long");
    if (rc == RC_OK)
        rc = send_query(t, c, buf_cstr(&query), deadline, e);
    return rc == RC_OK ? take_results(t, c, key, deadline, out, e) : rc;
}

static const struct pool_type connections = {connect_pg, disconnect_pg, ask_pg};

/* --- the table --- */

static enum rc load(struct table *t, struct libpq *ret, struct err *e)
{
    static const char *const files[] = {"libpq.so.5", NULL};
#define SYMBOL(name) {#name, offsetof(struct libpq, name)},
    static const struct library_symbol symbols[] = {LIBPQ(SYMBOL){NULL, 0}};
    return library_load(t, files, "libpq5", symbols, ret, e);
}

static enum rc take_hosts(struct table *t, struct err *e)
{
    struct pgsql *s = t->state;
    str list = str_c(lookup_get(s->lookup, "hosts", "localhost")), host;
    while (tablespec_take(&list, &host) == RC_OK) {
        if (s->host_count == HOSTS_MAX)
            return table_fail(t, e, RC_PERM, "hosts: at most %d", HOSTS_MAX);
        s->hosts[s->host_count++] = host;
    }
    return s->host_count > 0 ? RC_OK : table_fail(t, e, RC_PERM, "hosts is empty");
}

static enum rc open_pgsql(struct table *t, str name, struct err *e)
{
    static const char *const names[] = {"hosts", "user", "password", "dbname", "encoding", NULL};
    struct pgsql *s = calloc(1, sizeof *s);
    must(s);
    t->state = s;
    enum rc rc = lookup_open(t, name, names, &s->lookup, e);
    if (rc == RC_OK)
        rc = lookup_make_query(t, s->lookup, &s->query, e);
    if (rc == RC_OK)
        rc = take_hosts(t, e);
    if (rc != RC_OK || t->env.unasked)
        return rc;
    rc = load(t, &s->pq, e);
    if (rc == RC_OK)
        t->pool = pool_new(&connections, t->env.connections);
    return rc;
}

/* A key that is no UTF-8 cannot be in the database, and would be an error there. */
static enum rc find_pgsql(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    struct pgsql *s = t->state;
    enum rc rc = utf8_valid(key) ? lookup_check_key(s->lookup, key, e) : RC_GONE;
    return rc == RC_OK ? pool_find(t->pool, t, key, a, ret, e) : rc;
}

static void close_pgsql(struct table *t)
{
    struct pgsql *s = t->state;
    if (!s)
        return;
    lookup_free(s->lookup);
    sql_users_free(s->users);
    free(s->query);
    free(s);
}

const struct table_type table_pgsql = {.name = "pgsql",
                                       .folds = true,
                                       .asks = true,
                                       .open = open_pgsql,
                                       .find = find_pgsql,
                                       .close = close_pgsql};

/* --- a database of users --- */

static enum rc find_users(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    return utf8_valid(key) ? pool_find(t->pool, t, key, a, ret, e) : RC_GONE;
}

enum rc pgsql_open_users(struct table *t, struct sql_users *u, struct err *e)
{
    static const struct table_type type = {
        .name = "dovecot-sql", .whole_keys = true, .asks = true, .find = find_users, .close = close_pgsql};
    struct pgsql *s = calloc(1, sizeof *s);
    must(s);
    t->type = &type;
    t->state = s;
    s->users = u;
    s->hosts[s->host_count++] = sql_users_connect(u);
    if (s->hosts[0].n == 0)
        return table_fail(t, e, RC_PERM, "connect is missing");
    enum rc rc = t->env.unasked ? RC_OK : load(t, &s->pq, e);
    if (rc == RC_OK && !t->env.unasked)
        t->pool = pool_new(&connections, t->env.connections);
    return rc;
}
