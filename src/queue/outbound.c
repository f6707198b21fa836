/* Counting what accounts send, and the breaker. */
#include "queue/outbound.h"

#include "base/log.h"
#include "fmt/ip.h"
#include "queue/new_id.h"

#include <inttypes.h>
#include <time.h>

enum {
    HOUR_MS = 3600000,
    DAY_HOURS = 24,
    KEPT_HOURS = 30 * DAY_HOURS,
    SETTLED_HOURS = 7 * DAY_HOURS, /* an account that sends for so long has habits */
    SURGE_FACTOR = 10,             /* times its busiest hour */
    FAILED_PART = 4,               /* one in four recipients */
    NOTE_MAX = 8192,
    V4_BITS = 96 + 16, /* networks as providers hand them out */
    V6_BITS = 32
};

enum rc outbound_schema(struct db *db, struct err *e)
{
    return db_script(
        db,
        "CREATE TABLE IF NOT EXISTS usage(account TEXT NOT NULL, hour INTEGER NOT NULL,"
        " messages INTEGER NOT NULL, rcpts INTEGER NOT NULL, failed INTEGER NOT NULL,"
        " PRIMARY KEY(account, hour)) WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS network(account TEXT NOT NULL, net BLOB NOT NULL, first INTEGER NOT NULL,"
        " seen INTEGER NOT NULL, PRIMARY KEY(account, net)) WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS freeze(account TEXT PRIMARY KEY, since INTEGER NOT NULL,"
        " reason TEXT NOT NULL) WITHOUT ROWID;"
        "CREATE INDEX IF NOT EXISTS message_account ON message(account) WHERE account<>'';",
        e);
}

/* --- what was sent --- */

struct usage {
    int64_t hour_messages, hour_rcpts, hour_failed, day_messages, day_rcpts; /* this one not included */
    int64_t busiest; /* recipients in an earlier hour */
    int64_t first;   /* hour */
};

static int64_t this_hour(void)
{
    return queue_wall() / HOUR_MS;
}

static enum rc read_usage(struct queue *q, str account, struct usage *ret, struct err *e)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    int64_t hour = this_hour();
    enum rc rc = db_query(
        q->writer, &s, e,
        "SELECT total(messages) FILTER(WHERE hour=?2),total(rcpts) FILTER(WHERE hour=?2),"
        "total(failed) FILTER(WHERE hour=?2),total(messages) FILTER(WHERE hour>?2-24 AND hour<=?2),"
        "total(rcpts) FILTER(WHERE hour>?2-24 AND hour<=?2),max(rcpts) FILTER(WHERE hour<?2),min(hour)"
        " FROM usage WHERE account=?1",
        DB_T(account), DB_I(hour));
    if (rc == RC_OK)
        rc = db_step(s, e);
    if (rc == RC_OK)
        *ret = (struct usage){.hour_messages = db_int(s, 0),
                              .hour_rcpts = db_int(s, 1),
                              .hour_failed = db_int(s, 2),
                              .day_messages = db_int(s, 3),
                              .day_rcpts = db_int(s, 4),
                              .busiest = db_int(s, 5),
                              .first = db_is_null(s, 6) ? hour : db_int(s, 6)};
    return rc;
}

static enum rc count(struct queue *q, str account, int64_t messages, int64_t rcpts, int64_t failed,
                     struct err *e)
{
    int64_t hour = this_hour();
    enum rc rc = db_run(q->writer, e,
                        "INSERT INTO usage VALUES(?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET"
                        " messages=messages+?3,rcpts=rcpts+?4,failed=failed+?5",
                        DB_T(account), DB_I(hour), DB_I(messages), DB_I(rcpts), DB_I(failed));
    if (rc == RC_OK)
        rc = db_run(q->writer, e, "DELETE FROM usage WHERE account=?1 AND hour<?2", DB_T(account),
                    DB_I(hour - KEPT_HOURS));
    return rc;
}

/* --- the breaker --- */

/* A message of our own about an account, to someone here. */
static enum rc tell(struct queue *q, str account, str to, const char *reason, struct queue_touches *t,
                    struct err *e)
{
    char id[QUEUE_ID_SIZE], date[64];
    time_t now = (time_t)clock_seconds();
    struct tm tm;
    const struct conf *c = q->conf;
    AUTO(buf_deinit) struct buf text = BUF_INIT(NOTE_MAX);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &tm));
    buf_printf(
        &text,
        "From: Mail Delivery System <MAILER-DAEMON@%s>\nTo: <" STR_FMT ">\nDate: %s\nMessage-ID: <%s@%s>\n"
        "Subject: Sending from " STR_FMT " is stopped\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=utf-8\n\n",
        c->hostname, STR_ARG(to), date, queue_new_id(id).p, c->hostname, STR_ARG(account));
    buf_printf(&text,
               "Mail from " STR_FMT " to other servers is refused since now:\n\n    %s\n\n"
               "Perhaps somebody else knows the password. Mail that was not sent yet is kept. Reading mail "
               "goes on.\n\n"
               "Change the password first. Then the administrator of %s looks at what is kept\n"
               "(malle queue list --sender " STR_FMT ") and lets it go on (malle user unfreeze " STR_FMT
               ").\n",
               STR_ARG(account), reason, c->hostname, STR_ARG(account), STR_ARG(account));
    if (text.overflow)
        return RC_OK; /* a reason or names beyond any measure: the log has them */
    const struct queue_own own = {
        .to = to, .id = str_c(id), .content = buf_str(&text), .via = S(""), .flags = QUEUE_8BIT};
    return queue_put_own(q, &own, t, e);
}

static enum rc tell_both(struct queue *q, str account, const char *reason, struct queue_touches *t,
                         struct err *e)
{
    const struct conf *c = q->conf;
    AUTO(buf_deinit) struct buf user = BUF_INIT(QUEUE_SITE_MAX), postmaster = BUF_INIT(QUEUE_SITE_MAX);
    buf_puts(&user, account);
    if (str_chr(account, '@') < 0)
        buf_printf(&user, "@%s", c->hostname);
    buf_printf(&postmaster, "postmaster@%s", c->hostname);
    enum rc rc = tell(q, account, buf_str(&user), reason, t, e);
    return rc == RC_OK ? tell(q, account, buf_str(&postmaster), reason, t, e) : rc;
}

enum rc outbound_freeze(struct queue *q, str account, const char *reason, struct queue_touches *t,
                        struct err *e)
{
    enum rc rc = db_run(q->writer, e, "INSERT OR IGNORE INTO freeze VALUES(?1,?2,?3)", DB_T(account),
                        DB_I(queue_wall()), DB_T(str_c(reason)));
    if (rc != RC_OK || db_changes(q->writer) == 0)
        return rc;
    rc = db_run(q->writer, e,
                "UPDATE rcpt SET held=?2,due=?3 WHERE state=0 AND held=0 AND local=0 AND message IN"
                " (SELECT n FROM message WHERE account=?1 AND account<>'')",
                DB_T(account), DB_I(HELD_BY_BREAKER), DB_I(QUEUE_NEVER));
    if (rc == RC_OK)
        rc = tell_both(q, account, reason, t, e);
    if (rc == RC_OK)
        log_warn("sending from " STR_FMT " is frozen: %s", STR_ARG(account), reason);
    return rc;
}

static enum rc find_frozen(struct queue *q, str account, bool *ret, struct err *e)
{
    int64_t since;
    enum rc rc = db_get_int(q->writer, &since, e, "SELECT since FROM freeze WHERE account=?1", DB_T(account));
    *ret = rc == RC_OK;
    return rc == RC_GONE ? RC_OK : rc;
}

/* Of "name[address]". False: none of the internet. */
static bool address_of(str client, str *ret_text, struct ip_net *ret)
{
    int64_t open = str_chr(client, '[');
    if (open < 0 || client.p[client.n - 1] != ']')
        return false;
    *ret_text = str_sub(client, (size_t)open + 1, client.n - (size_t)open - 2);
    return ip_parse(*ret_text, ret) == RC_OK && !ip_is_loopback(ret);
}

static bool network_of(str client, struct ip_net *ret)
{
    str text;
    if (!address_of(client, &text, ret))
        return false;
    ret->bits = ip_is_mapped_v4(ret) ? V4_BITS : V6_BITS;
    memset(ret->addr + ret->bits / 8, 0, sizeof ret->addr - ret->bits / 8);
    return true;
}

str outbound_country(const struct queue *q, const struct queue_envelope *v, struct arena *a)
{
    struct ip_net address;
    struct err e = {0};
    str text, country = STR_NONE;
    struct table_list *l = q->tables ? q->tables->v[TABLES_COUNTRY] : NULL;
    if (!l || v->account.n == 0 || !address_of(v->client, &text, &address))
        return STR_NONE;
    enum rc rc = table_list_find(l, TABLE_WHOLE_KEY, text, a, &country, &e);
    if (rc != RC_OK && rc != RC_GONE)
        log_error("outbound_country_maps: %s", err_text(&e));
    return rc == RC_OK ? country : STR_NONE;
}

struct places { /* from where an account sends, new within the hour */
    int64_t networks, countries;
};

/* A network is told from a country by its type. */
static enum rc note_place(struct queue *q, str account, struct db_val place, int64_t now, struct err *e)
{
    return db_run(q->writer, e, "INSERT INTO network VALUES(?1,?2,?3,?3) ON CONFLICT DO UPDATE SET seen=?3",
                  DB_T(account), place, DB_I(now));
}

static enum rc note_places(struct queue *q, const struct queue_envelope *v, str country,
                           struct places *ret_new, struct err *e)
{
    static const char new_ones[] = "SELECT count(*) FROM network WHERE account=?1 AND first>?2 AND first<=?3 "
                                   "AND typeof(net)=?4";
    struct ip_net net;
    int64_t now = queue_wall();
    enum rc rc = RC_OK;
    *ret_new = (struct places){0};
    if (!network_of(v->client, &net))
        return RC_OK;
    rc = note_place(q, v->account, DB_B(str_mem(net.addr, sizeof net.addr)), now, e);
    if (rc == RC_OK && country.n > 0)
        rc = note_place(q, v->account, DB_T(country), now, e);
    if (rc == RC_OK)
        rc = db_run(q->writer, e, "DELETE FROM network WHERE account=?1 AND seen<?2", DB_T(v->account),
                    DB_I(now - (int64_t)KEPT_HOURS * HOUR_MS));
    if (rc == RC_OK)
        rc = db_get_int(q->writer, &ret_new->networks, e, new_ones, DB_T(v->account), DB_I(now - HOUR_MS),
                        DB_I(now), DB_T(S("blob")));
    if (rc == RC_OK)
        rc = db_get_int(q->writer, &ret_new->countries, e, new_ones, DB_T(v->account), DB_I(now - HOUR_MS),
                        DB_I(now), DB_T(S("text")));
    return rc;
}

/* Writes why the account behaves as stolen ones do; false when it does not. Only one with habits can break
 * them. */
static bool is_suspicious(const struct conf *c, const struct usage *u, size_t rcpts,
                          const struct places *new_ones, char *reason, size_t size)
{
    int64_t hour = u->hour_rcpts + (int64_t)rcpts;
    if (this_hour() - u->first < SETTLED_HOURS)
        return false;
    if (c->outbound_surge_recipients > 0 && hour > c->outbound_surge_recipients &&
        hour > SURGE_FACTOR * u->busiest)
        snprintf(reason, size, "%" PRId64 " recipients within an hour, where its busiest hour had %" PRId64,
                 hour, u->busiest);
    else if (c->outbound_new_networks > 0 && new_ones->networks > c->outbound_new_networks)
        snprintf(reason, size, "it sends from %" PRId64 " networks within an hour that it never used before",
                 new_ones->networks);
    else if (c->outbound_new_countries > 0 && new_ones->countries > c->outbound_new_countries)
        snprintf(reason, size, "it sends from %" PRId64 " countries within an hour that it never used before",
                 new_ones->countries);
    else
        return false;
    return true;
}

/* --- limits --- */

static bool over(int64_t limit, int64_t used, const char *what, struct err *ret_why)
{
    if (limit == 0 || used <= limit)
        return false;
    (void)err_set(ret_why, RC_TEMP, 450, "4.7.1",
                  "Error: too much mail: this account may send to %" PRId64 " %s", limit, what);
    return true;
}

static bool is_over_limit(const struct conf *c, const struct usage *u, size_t rcpts, struct err *ret_why)
{
    return over(c->outbound_messages_per_hour, u->hour_messages + 1, "messages an hour", ret_why) ||
           over(c->outbound_recipients_per_hour, u->hour_rcpts + (int64_t)rcpts, "recipients an hour",
                ret_why) ||
           over(c->outbound_messages_per_day, u->day_messages + 1, "messages a day", ret_why) ||
           over(c->outbound_recipients_per_day, u->day_rcpts + (int64_t)rcpts, "recipients a day", ret_why);
}

static enum rc refuse_frozen(struct err *ret_why)
{
    (void)err_set(ret_why, RC_TEMP, 450, "4.7.1",
                  "Error: sending from this account is stopped; see your mail");
    return RC_OK;
}

enum rc outbound_admit(struct queue *q, const struct queue_envelope *v, str country, size_t rcpts,
                       struct err *ret_why, struct queue_touches *t, struct err *e)
{
    struct usage u;
    char reason[200];
    bool frozen;
    struct places new_ones;
    *ret_why = (struct err){0};
    enum rc rc = find_frozen(q, v->account, &frozen, e);
    if (rc == RC_OK && frozen)
        return refuse_frozen(ret_why);
    if (rc == RC_OK)
        rc = read_usage(q, v->account, &u, e);
    if (rc == RC_OK)
        rc = note_places(q, v, country, &new_ones, e);
    if (rc != RC_OK)
        return rc;
    if (is_suspicious(q->conf, &u, rcpts, &new_ones, reason, sizeof reason)) {
        rc = outbound_freeze(q, v->account, reason, t, e);
        return rc == RC_OK ? refuse_frozen(ret_why) : rc;
    }
    return is_over_limit(q->conf, &u, rcpts, ret_why) ? RC_OK : count(q, v->account, 1, (int64_t)rcpts, 0, e);
}

enum rc outbound_note_failed(struct queue *q, const struct queue_envelope *v, size_t rcpts,
                             struct queue_touches *t, struct err *e)
{
    struct usage u;
    char reason[200];
    int64_t limit = ((const struct conf *)q->conf)->outbound_failures_per_hour;
    enum rc rc = count(q, v->account, 0, 0, (int64_t)rcpts, e);
    if (rc == RC_OK)
        rc = read_usage(q, v->account, &u, e);
    if (rc != RC_OK || limit == 0 || u.hour_failed <= limit || u.hour_failed * FAILED_PART < u.hour_rcpts)
        return rc;
    snprintf(reason, sizeof reason, "%" PRId64 " recipients within an hour do not exist or refuse its mail",
             u.hour_failed);
    return outbound_freeze(q, v->account, reason, t, e);
}
