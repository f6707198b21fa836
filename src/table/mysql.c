/* mysql:/path.cf, mysql_table(5), and databases of users (dovecot-sql) of MySQL and MariaDB, through
 * libmariadb, which is loaded when the first such table is opened. Its calls block, each for table_timeout at
 * most. */
/* clang-format off: its macros use functions that base/banned.h takes away */
#include <errmsg.h>
#include <mysql.h>
/* clang-format on */

#include "table/mysql_host.h"
#include "table/pool.h"

#include "base/utf8.h"
#include "fmt/tablequery.h"
#include "fmt/tablespec.h"
#include "fmt/tabletext.h"
#include "table/library.h"
#include "table/lookup.h"
#include "table/users.h"

#include <pthread.h>
#include <sys/random.h>

enum { HOSTS_MAX = 20, DRAIN_MAX = 1000 };

/* The functions of libmariadb that are used, under their own names. */
#define LIBMYSQL(X)             \
    X(mysql_close)              \
    X(mysql_errno)              \
    X(mysql_error)              \
    X(mysql_fetch_fields)       \
    X(mysql_fetch_lengths)      \
    X(mysql_fetch_row)          \
    X(mysql_field_count)        \
    X(mysql_free_result)        \
    X(mysql_init)               \
    X(mysql_next_result)        \
    X(mysql_num_fields)         \
    X(mysql_options)            \
    X(mysql_real_connect)       \
    X(mysql_real_escape_string) \
    X(mysql_real_query)         \
    X(mysql_server_init)        \
    X(mysql_use_result)

struct libmariadb {
#define MEMBER(name) __typeof__(&name) name;
    LIBMYSQL(MEMBER)
};

struct mysql {
    struct libmariadb lib;
    struct lookup *lookup;   /* NULL: a database of users */
    struct sql_users *users; /* NULL: a table */
    char *query;
    struct mysql_host hosts[HOSTS_MAX];
    size_t host_count;
    struct mysql_settings settings;
    struct arena *arena; /* of hosts and settings */
};

struct connection {
    const struct libmariadb *lib;
    MYSQL *my;
};

/* --- connecting --- */

static void set_tls(const struct mysql *s, MYSQL *my)
{
    const struct {
        enum mysql_option option;
        const char *value;
    } all[] = {{MYSQL_OPT_SSL_CA, s->settings.ca_file},
               {MYSQL_OPT_SSL_CAPATH, s->settings.ca_dir},
               {MYSQL_OPT_SSL_CERT, s->settings.cert},
               {MYSQL_OPT_SSL_KEY, s->settings.key},
               {MYSQL_OPT_SSL_CIPHER, s->settings.ciphers}};
    bool wanted = false;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i].value)
            s->lib.mysql_options(my, all[i].option, all[i].value);
        wanted |= all[i].value != NULL;
    }
    const my_bool yes = 1, verify = s->settings.verify;
    if (wanted) /* else a server without TLS would be talked to in the clear */
        s->lib.mysql_options(my, MYSQL_OPT_SSL_ENFORCE, &yes);
    s->lib.mysql_options(my, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}

/* A server must not be able to ask for files of this machine. */
static MYSQL *prepare(const struct table *t, const struct mysql *s, msec left)
{
    MYSQL *my = s->lib.mysql_init(NULL);
    const unsigned int seconds = (unsigned int)((left + 999) / 1000), nothing = 0;
    const unsigned int answer = (unsigned int)((t->env.timeout_ms + 999) / 1000);
    must(my);
    s->lib.mysql_options(my, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    s->lib.mysql_options(my, MYSQL_OPT_READ_TIMEOUT, &answer);
    s->lib.mysql_options(my, MYSQL_OPT_WRITE_TIMEOUT, &answer);
    s->lib.mysql_options(my, MYSQL_OPT_LOCAL_INFILE, &nothing);
    s->lib.mysql_options(my, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    set_tls(s, my);
    return my;
}

/* The hosts in an order that begins anywhere, so that load spreads. */
static enum rc connect_mysql(struct table *t, msec deadline, void **ret, struct err *e)
{
    const struct mysql *s = t->state;
    uint32_t first = 0;
    enum rc rc = RC_TEMP;
    must(getrandom(&first, sizeof first, 0) == sizeof first);
    for (size_t i = 0; i < s->host_count; i++) {
        const struct mysql_host *h = &s->hosts[(first + i) % s->host_count];
        msec left = deadline - clock_mono();
        if (left <= 0)
            return table_fail(t, e, RC_TEMP, "no server answers within %d ms", t->env.timeout_ms);
        MYSQL *my = prepare(t, s, left);
        if (s->lib.mysql_real_connect(my, h->host, s->settings.user, s->settings.password, s->settings.dbname,
                                      h->port, h->socket, CLIENT_MULTI_RESULTS)) {
            struct connection *c = calloc(1, sizeof *c);
            must(c);
            *c = (struct connection){&s->lib, my};
            *ret = c;
            return RC_OK;
        }
        rc = table_fail(t, e, RC_TEMP, "%s", s->lib.mysql_error(my));
        s->lib.mysql_close(my);
    }
    return rc;
}

static void disconnect_mysql(void *connection)
{
    struct connection *c = connection;
    c->lib->mysql_close(c->my);
    free(c);
}

/* --- asking --- */

static void quote(void *ctx, struct buf *out, str part)
{
    struct connection *c = ctx;
    char *room = buf_room(out, 2 * part.n + 1);
    if (room)
        buf_added(out, c->lib->mysql_real_escape_string(c->my, room, part.p ? part.p : "", part.n));
}

/* RC_INVALID: the connection is lost; RC_TEMP: the query is wrong, and the connection in order. */
static enum rc fail(struct table *t, const struct connection *c, struct err *e)
{
    unsigned int code = c->lib->mysql_errno(c->my);
    bool lost = code >= CR_MIN_ERROR && code <= CR_MAX_ERROR;
    return table_fail(t, e, lost ? RC_INVALID : RC_TEMP, "%s", c->lib->mysql_error(c->my));
}

static enum rc put_user(struct table *t, struct connection *c, MYSQL_RES *result, MYSQL_ROW row, str key,
                        struct buf *out, uint32_t *count, struct err *e)
{
    const struct mysql *s = t->state;
    const MYSQL_FIELD *fields = c->lib->mysql_fetch_fields(result);
    const unsigned long *lengths = c->lib->mysql_fetch_lengths(result);
    unsigned int wide = c->lib->mysql_num_fields(result);
    struct sql_column columns[SQL_COLUMNS_MAX];
    size_t n = 0;
    for (unsigned int i = 0; i < wide && n < SQL_COLUMNS_MAX; i++)
        columns[n++] = (struct sql_column){str_c(fields[i].name),
                                           row[i] ? str_mem(row[i], lengths[i]) : STR_NONE, !row[i]};
    return sql_users_row(t, s->users, key, columns, n, out, count, e);
}

/* Every column of the row is a value. */
static enum rc put_values(struct table *t, struct connection *c, MYSQL_RES *result, MYSQL_ROW row, str key,
                          struct buf *out, uint32_t *count, struct err *e)
{
    const struct mysql *s = t->state;
    const unsigned long *lengths = c->lib->mysql_fetch_lengths(result);
    unsigned int wide = c->lib->mysql_num_fields(result);
    enum rc rc = RC_OK;
    for (unsigned int i = 0; i < wide && rc == RC_OK; i++)
        if (row[i])
            rc = lookup_put_value(t, s->lookup, key, str_mem(row[i], lengths[i]), out, count, e);
    return rc;
}

/* All rows must be taken, or the connection cannot be used again; when the answer is too long it is given up.
 */
static enum rc take_rows(struct table *t, struct connection *c, MYSQL_RES *result, str key, struct buf *out,
                         uint32_t *count, struct err *e)
{
    const struct mysql *s = t->state;
    enum rc said = RC_OK;
    MYSQL_ROW row;
    for (unsigned drained = 0; (row = c->lib->mysql_fetch_row(result));) {
        if (said == RC_OK)
            said = s->users ? put_user(t, c, result, row, key, out, count, e)
                            : put_values(t, c, result, row, key, out, count, e);
        else if (++drained > DRAIN_MAX)
            return RC_INVALID;
    }
    return c->lib->mysql_errno(c->my) != 0 ? fail(t, c, e) : said;
}

/* A stored procedure has a result of its own for each of its statements, and one without rows. */
static enum rc take_results(struct table *t, struct connection *c, str key, struct buf *out, struct err *e)
{
    uint32_t count = 0;
    enum rc said = RC_OK;
    int more;
    do {
        MYSQL_RES *result = c->lib->mysql_use_result(c->my);
        if (!result && c->lib->mysql_field_count(c->my) > 0)
            return fail(t, c, e);
        enum rc rc = result ? take_rows(t, c, result, key, out, &count, e) : RC_OK;
        if (rc == RC_INVALID) /* rows that are not taken are not waited for: the connection is closed */
            result->handle = NULL;
        if (result)
            c->lib->mysql_free_result(result);
        if (rc == RC_INVALID)
            return rc;
        said = said == RC_OK ? rc : said;
        more = c->lib->mysql_next_result(c->my);
    } while (more == 0);
    if (more > 0)
        return fail(t, c, e);
    return said == RC_OK && count == 0 ? RC_GONE : said;
}

static enum rc ask_mysql(struct table *t, void *connection, str key, msec deadline, struct buf *out,
                         struct err *e)
{
    AUTO(buf_deinit) struct buf query = BUF_INIT(TABLETEXT_LINE_MAX);
    struct mysql *s = t->state;
    struct connection *c = connection;
    enum rc rc = s->users ? sql_users_query(t, s->users, key, quote, c, &query, out, e)
                          : tablequery_put(&query, str_c(s->query), key, quote, c);
    if (s->users && rc == RC_GONE)
        return RC_OK;
    if (rc == RC_LIMIT)
        return table_fail(t, e, RC_TEMP, "the query is too long");
    if (rc == RC_OK && c->lib->mysql_real_query(c->my, query.p, query.n) != 0)
        return fail(t, c, e);
    return rc == RC_OK ? take_results(t, c, key, out, e) : rc;
}

static const struct pool_type connections = {connect_mysql, disconnect_mysql, ask_mysql};

/* --- opening --- */

static enum rc load(struct table *t, struct libmariadb *ret, struct err *e)
{
    static const char *const files[] = {"libmariadb.so.3", NULL};
#define SYMBOL(name) {#name, offsetof(struct libmariadb, name)},
    static const struct library_symbol symbols[] = {LIBMYSQL(SYMBOL){NULL, 0}};
    enum rc rc = library_load(t, files, "libmariadb3", symbols, ret, e);
    if (rc == RC_OK && ret->mysql_server_init(0, NULL, NULL) != 0)
        return table_fail(t, e, RC_PERM, "libmariadb cannot be used");
    return rc;
}

/* A pool, or nothing when nobody asks here. */
static enum rc get_ready(struct table *t, struct err *e)
{
    struct mysql *s = t->state;
    const char *const paths[] = {s->settings.ca_file, s->settings.ca_dir, s->settings.cert, s->settings.key};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (paths[i] && paths[i][0])
            table_need_folder_of(t, paths[i]);
    enum rc rc = t->env.unasked ? RC_OK : load(t, &s->lib, e);
    if (rc == RC_OK && !t->env.unasked)
        t->pool = pool_new(&connections, t->env.connections);
    return rc;
}

static struct mysql *new_state(struct table *t)
{
    struct mysql *s = calloc(1, sizeof *s);
    must(s);
    s->arena = arena_new(MYSQL_SETTINGS_ARENA);
    t->state = s;
    return s;
}

static void close_mysql(struct table *t)
{
    struct mysql *s = t->state;
    if (!s)
        return;
    lookup_free(s->lookup);
    sql_users_free(s->users);
    arena_free(s->arena);
    free(s->query);
    free(s);
}

/* --- the table --- */

static enum rc take_hosts(struct table *t, struct err *e)
{
    struct mysql *s = t->state;
    str list = str_c(lookup_get(s->lookup, "hosts", "localhost")), host;
    while (tablespec_take(&list, &host) == RC_OK) {
        if (s->host_count == HOSTS_MAX)
            return table_fail(t, e, RC_PERM, "hosts: at most %d", HOSTS_MAX);
        if (mysql_host_parse(host, s->arena, &s->hosts[s->host_count++]) != RC_OK)
            return table_fail(t, e, RC_PERM, "hosts: " STR_FMT " is no host", STR_ARG(str_sub(host, 0, 60)));
    }
    return s->host_count > 0 ? RC_OK : table_fail(t, e, RC_PERM, "hosts is empty");
}

static enum rc open_mysql(struct table *t, str name, struct err *e)
{
    static const char *const names[] = {"hosts",        "user",        "password",        "dbname",
                                        "charset",      "tls_CAfile",  "tls_CApath",      "tls_cert_file",
                                        "tls_key_file", "tls_ciphers", "tls_verify_cert", NULL};
    struct mysql *s = new_state(t);
    enum rc rc = lookup_open(t, name, names, &s->lookup, e);
    if (rc == RC_OK)
        rc = lookup_make_query(t, s->lookup, &s->query, e);
    if (rc == RC_OK)
        rc = take_hosts(t, e);
    if (rc != RC_OK)
        return rc;
    s->settings = (struct mysql_settings){.user = lookup_get(s->lookup, "user", NULL),
                                          .password = lookup_get(s->lookup, "password", NULL),
                                          .dbname = lookup_get(s->lookup, "dbname", NULL),
                                          .ca_file = lookup_get(s->lookup, "tls_CAfile", NULL),
                                          .ca_dir = lookup_get(s->lookup, "tls_CApath", NULL),
                                          .cert = lookup_get(s->lookup, "tls_cert_file", NULL),
                                          .key = lookup_get(s->lookup, "tls_key_file", NULL),
                                          .ciphers = lookup_get(s->lookup, "tls_ciphers", NULL),
                                          .verify = lookup_get_bool(s->lookup, "tls_verify_cert")};
    return get_ready(t, e);
}

/* A key that is no UTF-8 cannot be in the database, and would be an error there. */
static enum rc find_mysql(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    struct mysql *s = t->state;
    enum rc rc = utf8_valid(key) ? lookup_check_key(s->lookup, key, e) : RC_GONE;
    return rc == RC_OK ? pool_find(t->pool, t, key, a, ret, e) : rc;
}

const struct table_type table_mysql = {.name = "mysql",
                                       .folds = true,
                                       .asks = true,
                                       .open = open_mysql,
                                       .find = find_mysql,
                                       .close = close_mysql};

/* --- a database of users --- */

static enum rc find_users(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    return utf8_valid(key) ? pool_find(t->pool, t, key, a, ret, e) : RC_GONE;
}

enum rc mysql_open_users(struct table *t, struct sql_users *u, struct err *e)
{
    static const struct table_type type = {
        .name = "dovecot-sql", .whole_keys = true, .asks = true, .find = find_users, .close = close_mysql};
    struct mysql *s = new_state(t);
    struct err why = {0};
    t->type = &type;
    s->users = u;
    if (mysql_connect_parse(sql_users_connect(u), s->arena, s->hosts, HOSTS_MAX, &s->host_count, &s->settings,
                            &why) != RC_OK)
        return table_fail(t, e, RC_PERM, "connect: %s", err_text(&why));
    return get_ready(t, e);
}
