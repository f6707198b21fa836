/* malle domain quota: what each account of a domain may have, and all of them together. */
#include "account/domain_total.h"
#include "cli/accounts.h"
#include "cli/cmd_domain.h"
#include "cli/quota_ask.h"
#include "cli/quota_option.h"
#include "cli/user_names.h"
#include "fmt/json.h"

enum { USES_BYTES_MAX = 256 << 20 };

/* --- what the accounts have, from their files --- */

struct uses {
    struct arena *a;
    struct account_use *v;
    size_t n, room;
};

static int add_use(struct cli *cli, struct uses *u, str name)
{
    struct quota_answer q;
    AUTO(str_freep) char *account = str_dup(name);
    int status = cli_quota_ask(cli, account, true, &q);
    if (status != CLI_FINE || q.rc == RC_GONE)
        return status;
    if (q.rc != RC_OK) {
        cli_warn("%s is not counted: %s", account, err_text(&q.e));
        return CLI_FINE;
    }
    if (u->n == u->room) {
        u->v = arena_grow(u->a, u->v, u->n, sizeof *u->v);
        u->room = u->n < 8 ? 8 : 2 * u->n;
    }
    must(u->v);
    u->v[u->n++] = (struct account_use){arena_str(u->a, name), q.use};
    return CLI_FINE;
}

static bool is_of(str name, str domain)
{
    AUTO(buf_deinit) struct buf own = BUF_INIT(ADDRESS_MAX);
    ptrdiff_t at = str_rchr(name, '@');
    return at >= 0 && address_put_domain(str_from(name, (size_t)at + 1), &own) == RC_OK &&
           str_eq(buf_str(&own), domain);
}

/* Before the account database is opened: from then on this process reads no other file. */
static int count_all(struct cli *cli, const char *domain, struct uses *u)
{
    AUTO(buf_deinit) struct buf names = BUF_INIT(USER_NAMES_BYTES), key = BUF_INIT(ADDRESS_MAX);
    int status = CLI_FINE;
    if (address_put_domain(str_c(domain), &key) != RC_OK)
        return cli_usage("\"%s\" is no domain", domain);
    if (cli_user_names(cli, &names) != RC_OK)
        return cli_fail("not all accounts of %s can be found", domain);
    for (str rest = buf_str(&names); rest.n > 0 && status == CLI_FINE;) {
        str name = str_take(&rest, '\n');
        status = is_of(name, buf_str(&key)) ? add_use(cli, u, name) : CLI_FINE;
    }
    return status;
}

/* --- the total --- */

static uint64_t limit_of(int64_t n)
{
    return n > 0 ? (uint64_t)n : 0;
}

static int set_total(struct account_db *db, const char *domain, const struct domain_limits *l,
                     const struct uses *u)
{
    struct domain_total t = {.limits = {0}};
    struct err e = {0};
    enum rc rc = domain_total_find(db, str_c(domain), &t, &e);
    if (rc != RC_OK && rc != RC_GONE)
        return cli_fail_err(&e);
    struct account_quota q = {(int64_t)t.limits.bytes, (int64_t)t.limits.messages};
    int status = cli_quota_option(l->total, l->total_messages, &q);
    if (status != CLI_FINE)
        return status;
    const struct quota_limits limits = {limit_of(q.bytes), limit_of(q.messages), false};
    return domain_total_set(db, str_c(domain), &limits, u->v, u->n, &e) == RC_OK ? CLI_FINE
                                                                                 : cli_fail_err(&e);
}

/* --- showing --- */

static void put_json(struct buf *out, const char *domain, const struct account_quota *q,
                     const struct domain_total *t)
{
    struct json j = {.out = out};
    json_open_object(&j, NULL);
    json_put_str(&j, "domain", str_c(domain));
    json_put_int(&j, "quota_bytes", q->bytes);
    json_put_int(&j, "quota_messages", q->messages);
    if (t) {
        json_put_int(&j, "total_bytes", (int64_t)t->limits.bytes);
        json_put_int(&j, "total_messages", (int64_t)t->limits.messages);
        json_put_int(&j, "used_bytes", (int64_t)t->used.bytes);
        json_put_int(&j, "used_messages", (int64_t)t->used.messages);
    }
    json_close_object(&j);
}

static void put_text(struct buf *out, const struct account_quota *q, const struct domain_total *t)
{
    cli_quota_put(out, q);
    if (!t)
        return;
    buf_puts(out, S("\nall accounts: "));
    cli_quota_put_use(out, t->used.bytes, t->limits.bytes, "bytes, ");
    cli_quota_put_use(out, t->used.messages, t->limits.messages, "messages");
}

static int show(struct cli *cli, struct account_db *db, const char *domain, const struct account_quota *q)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 10);
    struct domain_total t;
    struct err e = {0};
    enum rc rc = domain_total_find(db, str_c(domain), &t, &e);
    if (rc != RC_OK && rc != RC_GONE)
        return cli_fail_err(&e);
    if (cli->json)
        put_json(&out, domain, q, rc == RC_OK ? &t : NULL);
    else
        put_text(&out, q, rc == RC_OK ? &t : NULL);
    buf_putc(&out, '\n');
    return cli_print(&out);
}

/* Without limits it tells. */
int cmd_domain_quota(struct cli *cli, const char *domain, const struct domain_limits *l)
{
    AUTO(account_db_closep) struct account_db *db = NULL;
    AUTO(arena_freep) struct arena *a = arena_new(USES_BYTES_MAX);
    struct uses uses = {.a = a};
    struct account_quota q = {0}, scratch = {0};
    struct err e = {0};
    bool has_total = l->total || l->total_messages;
    int status = cli_quota_option(l->total, l->total_messages, &scratch);
    if (status == CLI_FINE && has_total)
        status = count_all(cli, domain, &uses);
    if (status != CLI_FINE || cli_open_accounts(cli, &db, &status) != RC_OK)
        return status;
    if (domain_find_quota(db, str_c(domain), &q, &e) != RC_OK)
        return cli_fail_err(&e);
    status = cli_quota_option(l->bytes, l->messages, &q);
    if (status != CLI_FINE)
        return status;
    if ((l->bytes || l->messages) && domain_set_quota(db, str_c(domain), &q, &e) != RC_OK)
        return cli_fail_err(&e);
    if (has_total)
        status = set_total(db, domain, l, &uses);
    return status == CLI_FINE ? show(cli, db, domain, &q) : status;
}
