/* The tables domain_total and account_use, whose triggers keep the sum, and the files in "totals" beside the
 * database. */
#include "account/domain_total.h"

#include "account/db_schema.h"
#include "fmt/idn.h"
#include "fmt/maildirsize.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "totals"

enum { PATH_BYTES = sizeof FOLDER + 1 + DOMAIN_MAX };

static enum rc domain_of(str account, struct buf *ret)
{
    ptrdiff_t at = str_rchr(account, '@');
    return at < 0 ? RC_INVALID : address_put_domain(str_from(account, (size_t)at + 1), ret);
}

/* --- called with the lock held --- */

static enum rc find(struct account_db *db, str domain, struct domain_total *ret, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    enum rc rc = db_query(
        db->db, &q, e, "SELECT bytes, messages, used_bytes, used_messages FROM domain_total WHERE name = ?1",
        DB_T(domain));
    if (rc == RC_OK)
        rc = db_step(q, e);
    if (rc == RC_OK)
        *ret = (struct domain_total){.limits = {(uint64_t)db_int(q, 0), (uint64_t)db_int(q, 1), false},
                                     .used = {(uint64_t)db_int(q, 2), (uint64_t)db_int(q, 3)}};
    return rc;
}

static enum rc fail(const char *path, struct err *e)
{
    err_set(e, RC_TEMP, 451, "4.3.0", "the mail of a domain cannot be counted");
    err_note(e, "%s beside the account database: %s", path, strerror(errno));
    return RC_TEMP;
}

static void put_path(char ret[PATH_BYTES], str domain)
{
    snprintf(ret, PATH_BYTES, FOLDER "/" STR_FMT, STR_ARG(domain));
}

static enum rc publish(struct account_db *db, str domain, const struct domain_total *t, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(MAILDIRSIZE_TOTAL_BYTES);
    char path[PATH_BYTES];
    put_path(path, domain);
    maildirsize_put_total(&text, &t->limits, (int64_t)t->used.bytes, (int64_t)t->used.messages);
    if (mkdirat(db->folder_fd, FOLDER, 0700) != 0 && errno != EEXIST)
        return fail(FOLDER, e);
    AUTO(fd_closep)
    int fd = openat(db->folder_fd, path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || pwrite(fd, text.p, text.n, 0) != (ssize_t)text.n)
        return fail(path, e);
    return RC_OK;
}

/* Whoever has the file open finds no limit in it. */
static enum rc withdraw(struct account_db *db, str domain, struct err *e)
{
    char path[PATH_BYTES];
    put_path(path, domain);
    enum rc rc = publish(db, domain, &(struct domain_total){.limits = {0}}, e);
    if (rc == RC_OK && unlinkat(db->folder_fd, path, 0) != 0)
        rc = fail(path, e);
    return rc;
}

static enum rc republish(struct account_db *db, str domain, struct err *e)
{
    struct domain_total t;
    enum rc rc = find(db, domain, &t, e);
    return rc == RC_OK ? publish(db, domain, &t, e) : rc;
}

static enum rc put_use(struct account_db *db, str domain, const struct account_use *u, struct err *e)
{
    enum rc rc = db_run(db->db, e, "DELETE FROM account_use WHERE account = ?1", DB_T(u->account));
    if (rc == RC_OK && u->use.messages > 0)
        rc = db_run(db->db, e, "INSERT INTO account_use VALUES (?1, ?2, ?3, ?4)", DB_T(u->account),
                    DB_T(domain), DB_I(u->use.bytes), DB_I(u->use.messages));
    return rc;
}

static enum rc put_uses(struct account_db *db, str domain, const struct quota_limits *limits,
                        const struct account_use *v, size_t n, struct err *e)
{
    enum rc rc = db_run(db->db, e, "INSERT INTO domain_total VALUES (?1, ?2, ?3, 0, 0)", DB_T(domain),
                        DB_I(limits->bytes), DB_I(limits->messages));
    for (size_t i = 0; i < n && rc == RC_OK; i++)
        rc = put_use(db, domain, &v[i], e);
    return rc == RC_OK ? republish(db, domain, e) : rc;
}

enum rc domain_total_forget(struct account_db *db, str account, struct err *e)
{
    AUTO(buf_deinit) struct buf domain = BUF_INIT(DOMAIN_MAX);
    enum rc rc = db_run(db->db, e, "DELETE FROM account_use WHERE account = ?1", DB_T(account));
    if (rc == RC_OK && domain_of(account, &domain) == RC_OK)
        rc = republish(db, buf_str(&domain), e);
    return rc == RC_GONE ? RC_OK : rc;
}

/* --- */

enum rc domain_total_set(struct account_db *db, str name, const struct quota_limits *limits,
                         const struct account_use *v, size_t n, struct err *e)
{
    AUTO(buf_deinit) struct buf domain = BUF_INIT(DOMAIN_MAX);
    enum rc rc = domain_key(name, &domain, e);
    if (rc == RC_OK)
        rc = account_db_begin(db, e);
    if (rc != RC_OK)
        return rc;
    rc = db_run(db->db, e, "DELETE FROM domain_total WHERE name = ?1", DB_T(buf_str(&domain)));
    bool had = rc == RC_OK && db_changes(db->db) > 0;
    if (rc == RC_OK)
        rc = db_run(db->db, e, "DELETE FROM account_use WHERE domain = ?1", DB_T(buf_str(&domain)));
    if (rc == RC_OK && (limits->bytes || limits->messages))
        rc = put_uses(db, buf_str(&domain), limits, v, n, e);
    else if (rc == RC_OK && had)
        rc = withdraw(db, buf_str(&domain), e);
    return account_db_end(db, rc, e);
}

enum rc domain_total_find(struct account_db *db, str name, struct domain_total *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf domain = BUF_INIT(DOMAIN_MAX);
    enum rc rc = domain_key(name, &domain, e);
    if (rc != RC_OK)
        return rc;
    account_db_lock(db);
    rc = find(db, buf_str(&domain), ret, e);
    account_db_unlock(db);
    return rc;
}

enum rc domain_total_of(struct account_db *db, str account, struct domain_total *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf domain = BUF_INIT(DOMAIN_MAX);
    if (domain_of(account, &domain) != RC_OK)
        return RC_GONE; /* a user of the system */
    account_db_lock(db);
    enum rc rc = find(db, buf_str(&domain), ret, e);
    account_db_unlock(db);
    return rc;
}

enum rc domain_total_note(struct account_db *db, const struct account_use *v, size_t n,
                          void (*fn)(void *ctx, str domain, const struct domain_total *before,
                                     const struct domain_total *after),
                          void *ctx, struct err *e)
{
    account_db_lock(db);
    enum rc rc = db_begin(db->db, false, e);
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        AUTO(buf_deinit) struct buf domain = BUF_INIT(DOMAIN_MAX);
        struct domain_total before, after;
        if (domain_of(v[i].account, &domain) != RC_OK)
            continue;
        rc = find(db, buf_str(&domain), &before, e);
        if (rc == RC_OK)
            rc = put_use(db, buf_str(&domain), &v[i], e);
        if (rc == RC_OK)
            rc = find(db, buf_str(&domain), &after, e);
        if (rc == RC_OK)
            rc = publish(db, buf_str(&domain), &after, e);
        if (rc == RC_OK && fn)
            fn(ctx, buf_str(&domain), &before, &after);
        rc = rc == RC_GONE ? RC_OK : rc;
    }
    return account_db_end(db, rc, e);
}

int domain_total_open(struct account_db *db, str account, struct err *e)
{
    AUTO(buf_deinit) struct buf domain = BUF_INIT(DOMAIN_MAX);
    struct domain_total t;
    char path[PATH_BYTES];
    int fd = -1;
    if (domain_of(account, &domain) != RC_OK)
        return -1;
    put_path(path, buf_str(&domain));
    account_db_lock(db);
    enum rc rc = find(db, buf_str(&domain), &t, e);
    if (rc == RC_OK)
        fd = openat(db->folder_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (rc == RC_OK && fd < 0 && errno == ENOENT && publish(db, buf_str(&domain), &t, e) == RC_OK)
        fd = openat(db->folder_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (rc == RC_OK && fd < 0)
        (void)fail(path, e);
    account_db_unlock(db);
    return fd;
}
