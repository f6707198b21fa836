/* doveadm quota get and recalc: what users have and may have, as Dovecot's plugin quota prints it. */
#include "base/arena.h"
#include "cli/doveadm.h"
#include "cli/doveadm_print.h"
#include "cli/quota_ask.h"
#include "cli/user_names.h"
#include "conf/conf.h"

#include <unistd.h>

enum { CELLS_BYTES_MAX = 64 << 20, COLUMNS_ALONE = 5, COLUMNS_ALL = 6 };

struct work {
    struct cli *cli;
    bool all, recount;
    struct arena *a;
    str *cells;
    size_t n, room; /* cells */
};

static void add_cell(struct work *w, str text)
{
    if (w->n == w->room) {
        w->cells = arena_grow(w->a, w->cells, w->n, sizeof *w->cells);
        w->room = w->n < 8 ? 8 : 2 * w->n;
    }
    must(w->cells);
    w->cells[w->n++] = arena_str(w->a, text);
}

static void add_number(struct work *w, uint64_t n)
{
    add_cell(w, arena_printf(w->a, "%llu", (unsigned long long)n));
}

/* The part in percent, rounded down; 0 without a limit. */
static void add_resource(struct work *w, const char *user, const char *type, uint64_t use, uint64_t limit)
{
    if (w->all)
        add_cell(w, str_c(user));
    add_cell(w, str_c(w->cli->conf->quota_name));
    add_cell(w, str_c(type));
    add_number(w, use);
    if (limit)
        add_number(w, limit);
    else
        add_cell(w, S("-"));
    add_number(w, limit ? (uint64_t)((unsigned __int128)use * 100 / limit) : 0);
}

static int ask_one(struct work *w, const char *user)
{
    struct quota_answer q;
    if (cli_quota_ask(w->cli, user, w->recount, &q) != CLI_FINE)
        return EX_TEMPFAIL;
    if (q.rc == RC_GONE)
        return doveadm_error(EX_NOUSER, user, "User doesn't exist");
    if (q.rc != RC_OK)
        return doveadm_error(EX_TEMPFAIL, user, "Failed to look up the quota: %s", err_text(&q.e));
    if (w->recount)
        return EX_OK;
    add_resource(w, user, "STORAGE", (q.use.bytes + 1023) / 1024, (q.limits.bytes + 1023) / 1024);
    add_resource(w, user, "MESSAGE", q.use.messages, q.limits.messages);
    return EX_OK;
}

/* --- -A --- */

static int ask_all(struct work *w)
{
    AUTO(buf_deinit) struct buf names = BUF_INIT(USER_NAMES_BYTES);
    int status = EX_OK;
    if (cli_user_names(w->cli, &names) != RC_OK)
        return doveadm_error(EX_TEMPFAIL, NULL, "Failed to iterate through some users");
    str rest = buf_str(&names);
    while (rest.n > 0) {
        AUTO(str_freep) char *name = str_dup(str_take(&rest, '\n'));
        int one = ask_one(w, name);
        status = one != EX_OK ? one : status;
    }
    return status;
}

static int work_on(int argc, char **argv, struct cli *cli, bool recount)
{
    static const struct doveadm_column columns[COLUMNS_ALL] = {
        {"username", "Username"},
        {"root", "Quota name"},
        {"type", "Type"},
        {"value", "Value", .right = true},
        {"limit", "Limit", .right = true},
        {"percent", "%", .right = true},
    };
    AUTO(arena_freep) struct arena *a = arena_new(CELLS_BYTES_MAX);
    struct work w = {.cli = cli, .recount = recount, .a = a};
    const char *user = getenv("USER");
    for (int option; (option = getopt(argc, argv, "+Au:")) != -1;) {
        if (option == '?')
            return doveadm_usage();
        w.all |= option == 'A';
        if (option == 'u')
            user = optarg;
    }
    if (optind < argc)
        return doveadm_usage();
    if (!cli_conf(cli))
        return EX_TEMPFAIL;
    if (!user && !w.all)
        return cli_fail_status(EX_USAGE, "USER environment is missing and -u option not used");
    int status = w.all ? ask_all(&w) : ask_one(&w, user);
    size_t n = w.all ? COLUMNS_ALL : COLUMNS_ALONE;
    if (!recount && (w.n > 0 || w.all))
        doveadm_print(DOVEADM_TABLE, columns + (COLUMNS_ALL - n), n, w.cells, w.n / n);
    return status;
}

int doveadm_quota_get(int argc, char **argv, struct cli *cli)
{
    return work_on(argc, argv, cli, false);
}

int doveadm_quota_recalc(int argc, char **argv, struct cli *cli)
{
    return work_on(argc, argv, cli, true);
}
