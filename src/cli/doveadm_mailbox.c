/* doveadm mailbox: the mailboxes of one user, changed as that user through the store that sessions use. */
#include "cli/doveadm.h"
#include "cli/doveadm_print.h"
#include "cli/user_mail.h"
#include "cli/who_is.h"
#include "fmt/imap_match.h"
#include "role/quota_terms.h"

#include <unistd.h>

enum { LIST_BYTES_MAX = 64 << 20 };

struct work {
    struct cli *cli;
    const char *user;
    struct store *store;
    struct buf rules; /* of quota */
    struct quota_terms quota;
    bool subscriptions, recursive, total; /* -s, -r, -t */
    char **words;                         /* what follows the options, and NULL */
    int n;
};

/* --- opening --- */

int doveadm_find(struct cli *cli, const char **user, struct account_identity *ret)
{
    struct who_is who;
    if (!*user)
        *user = getenv("USER");
    if (!*user)
        return cli_fail_status(EX_USAGE, "USER environment is missing and -u option not used");
    if (cli_who_is(cli, *user, NULL, &who) != CLI_FINE)
        return EX_TEMPFAIL;
    if (who.rc == RC_GONE)
        return doveadm_error(EX_NOUSER, *user, "User doesn't exist");
    if (who.rc != RC_OK)
        return doveadm_error(EX_TEMPFAIL, *user, "User initialization failed: %s", err_text(&who.e));
    *ret = who.id;
    return EX_OK;
}

static int open_work(struct work *w)
{
    struct account_identity id;
    struct err e = {0};
    int status = doveadm_find(w->cli, &w->user, &id);
    if (status != EX_OK)
        return status;
    quota_terms_fill(w->cli->conf, id.account, id.quota, &w->rules, &w->quota);
    if (cli_open_store(w->cli->conf, &id, &w->quota, &w->store, &e) == RC_OK)
        return EX_OK;
    return doveadm_error(EX_TEMPFAIL, w->user, "User initialization failed: %s", err_text(&e));
}

struct task {
    int (*run)(struct work *w);
    const char *options; /* among "+rstu:" */
    int min, max;        /* how many words must follow; max 0: any number */
};

static int work_on(int argc, char **argv, struct cli *cli, struct task t)
{
    struct work w = {.cli = cli, .rules = BUF_INIT(QUOTA_RULES_BYTES)};
    for (int option; (option = getopt(argc, argv, t.options)) != -1;) {
        if (option == '?')
            return doveadm_usage();
        w.subscriptions |= option == 's';
        w.recursive |= option == 'r';
        w.total |= option == 't';
        if (option == 'u')
            w.user = optarg;
    }
    w.words = argv + optind;
    w.n = argc - optind;
    int status = w.n < t.min || (t.max && w.n > t.max) ? doveadm_usage() : open_work(&w);
    if (status == EX_OK)
        status = t.run(&w);
    w.store = store_close(w.store);
    buf_deinit(&w.rules);
    return status;
}

/* --- what Dovecot says of failures --- */

static int status_of(enum rc rc)
{
    switch (rc) {
    case RC_OK:
        return EX_OK;
    case RC_GONE:
        return DOVEADM_NOT_FOUND;
    case RC_PERM:
    case RC_INVALID:
        return EX_DATAERR;
    case RC_LIMIT:
        return EX_CANTCREAT;
    case RC_TEMP:
        break;
    }
    return EX_TEMPFAIL;
}

static int failed(const struct work *w, enum rc rc, const char *what, const char *name, const struct err *e)
{
    return doveadm_error(status_of(rc), w->user, "Can't %s mailbox %s: %s", what, name, err_text(e));
}

/* --- list and status --- */

static bool is_meant(const struct work *w, int first, str name)
{
    char separator = w->cli->conf->hierarchy_separator[0];
    for (int i = first; i < w->n; i++)
        if (imap_match(str_c(w->words[i]), name, separator))
            return true;
    return w->n <= first;
}

/* Calls fn for each mailbox that is meant by the words from `first` on. */
static int each_box(struct work *w, int first,
                    int (*fn)(struct work *w, const struct store_box_info *box, void *ctx), void *ctx)
{
    AUTO(arena_freep) struct arena *a = arena_new(LIST_BYTES_MAX);
    struct store_box_info *v = NULL;
    struct err e = {0};
    size_t n = 0;
    int status = EX_OK;
    if (store_list(w->store, a, &v, &n, &e) != RC_OK)
        return doveadm_error(EX_TEMPFAIL, w->user, "Listing mailboxes failed: %s", err_text(&e));
    for (size_t i = 0; i < n; i++) {
        int one = is_meant(w, first, v[i].name) ? fn(w, &v[i], ctx) : EX_OK;
        status = one != EX_OK ? one : status;
    }
    return status;
}

static int add_name(struct work *w, const struct store_box_info *box, void *ctx)
{
    struct doveadm_rows *r = ctx;
    if (w->subscriptions ? box->subscribed : box->exists)
        *doveadm_add_row(r) = arena_str(r->a, box->name);
    return EX_OK;
}

static int list(struct work *w)
{
    static const struct doveadm_column column = {"mailbox", "mailbox", .bare = true};
    AUTO(arena_freep) struct arena *a = arena_new(LIST_BYTES_MAX);
    struct doveadm_rows rows = {.a = a, .columns = 1};
    int status = each_box(w, 0, add_name, &rows);
    doveadm_print(DOVEADM_FLOW, &column, 1, rows.cells, rows.n);
    return status;
}

int doveadm_mailbox_list(int argc, char **argv, struct cli *cli)
{
    return work_on(argc, argv, cli, (struct task){list, "+su:", 0, 0});
}

enum field { MESSAGES, RECENT, UIDNEXT, UIDVALIDITY, UNSEEN, HIGHESTMODSEQ, VSIZE, FIELDS };
enum { OF_TOTAL = 1 << MESSAGES | 1 << RECENT | 1 << UNSEEN | 1 << VSIZE, OF_BOX = (1 << FIELDS) - 1 };
static const char *const field_names[FIELDS] = {"messages", "recent",        "uidnext", "uidvalidity",
                                                "unseen",   "highestmodseq", "vsize"};

static int parse_fields(const struct work *w, unsigned *ret)
{
    str rest = str_c(w->words[0]);
    for (str word; (word = str_word(&rest)).n;) {
        unsigned bits = str_eq(word, S("all")) ? (w->total ? OF_TOTAL : OF_BOX) : 0;
        for (unsigned i = 0; i < FIELDS; i++)
            bits |= str_eq(word, str_c(field_names[i])) ? 1u << i : 0;
        if (!bits)
            return cli_fail_status(EX_USAGE, "Unknown status field: " STR_FMT, STR_ARG(word));
        if (w->total && (bits & ~(unsigned)OF_TOTAL))
            return cli_fail_status(EX_USAGE, "Status field " STR_FMT " can't be used with -t", STR_ARG(word));
        *ret |= bits;
    }
    return *ret ? EX_OK : cli_fail_status(EX_USAGE, "No status fields");
}

static void put_fields(unsigned fields, const struct store_status *s, struct arena *a, str *cells)
{
    const uint64_t values[FIELDS] = {s->messages, s->recent,        s->uidnext, s->uidvalidity,
                                     s->unseen,   s->highestmodseq, s->size};
    for (unsigned i = 0; i < FIELDS; i++)
        if (fields & 1u << i)
            *cells++ = arena_printf(a, "%llu", (unsigned long long)values[i]);
}

struct counting {
    unsigned fields;
    struct store_status sum;
    bool found;
    struct doveadm_rows rows;
};

/* A name that stands alone must be there; among others, and as a mask, it only chooses. */
static int tell_missing(const struct work *w, const struct counting *c)
{
    const char *name = w->words[1];
    if (c->found || w->n > 2 || strpbrk(name, "*%"))
        return EX_OK;
    return doveadm_error(DOVEADM_NOT_FOUND, w->user,
                         "Mailbox %s: Failed to lookup mailbox status: Mailbox doesn't exist: %s", name,
                         name);
}

static int count_box(struct work *w, const struct store_box_info *box, void *ctx)
{
    struct counting *c = ctx;
    struct store_status s = {0};
    struct err e = {0};
    if (!box->exists || box->noselect)
        return EX_OK;
    c->found = true;
    enum rc rc = store_status(w->store, box->name, &s, &e);
    if (rc != RC_OK)
        return doveadm_error(status_of(rc), w->user,
                             "Mailbox " STR_FMT ": Failed to lookup mailbox status: %s", STR_ARG(box->name),
                             err_text(&e));
    if (w->total) {
        c->sum.messages += s.messages;
        c->sum.recent += s.recent;
        c->sum.unseen += s.unseen;
        c->sum.size += s.size;
        return EX_OK;
    }
    str *cells = doveadm_add_row(&c->rows);
    cells[0] = arena_str(c->rows.a, box->name);
    put_fields(c->fields, &s, c->rows.a, cells + 1);
    return EX_OK;
}

/* The columns: the name, but not of a total, and the fields. */
static size_t columns_of(const struct work *w, unsigned fields, struct doveadm_column ret[FIELDS + 1])
{
    size_t n = 0;
    if (!w->total)
        ret[n++] = (struct doveadm_column){"mailbox", "mailbox", .bare = true};
    for (unsigned i = 0; i < FIELDS; i++)
        if (fields & 1u << i)
            ret[n++] = (struct doveadm_column){field_names[i], field_names[i]};
    return n;
}

static int status(struct work *w)
{
    AUTO(arena_freep) struct arena *a = arena_new(LIST_BYTES_MAX);
    struct counting c = {.rows = {.a = a}};
    struct doveadm_column columns[FIELDS + 1];
    int result = parse_fields(w, &c.fields);
    if (result != EX_OK)
        return result;
    c.rows.columns = columns_of(w, c.fields, columns);
    result = each_box(w, 1, count_box, &c);
    if (result == EX_OK)
        result = tell_missing(w, &c);
    if (w->total)
        put_fields(c.fields, &c.sum, a, doveadm_add_row(&c.rows));
    doveadm_print(DOVEADM_FLOW, columns, c.rows.columns, c.rows.cells, c.rows.n);
    return result;
}

int doveadm_mailbox_status(int argc, char **argv, struct cli *cli)
{
    return work_on(argc, argv, cli, (struct task){status, "+tu:", 2, 0});
}

/* --- changing --- */

static int subscribe(const struct work *w, const char *name, bool subscribed)
{
    struct err e = {0};
    enum rc rc = store_subscribe(w->store, str_c(name), subscribed, &e);
    return rc == RC_OK ? EX_OK : failed(w, rc, subscribed ? "subscribe to" : "unsubscribe", name, &e);
}

static int create(struct work *w, const char *name)
{
    struct err e = {0};
    enum rc rc = store_create(w->store, str_c(name), USE_NONE, &e);
    int status = rc == RC_OK ? EX_OK : failed(w, rc, "create", name, &e);
    int subscribed = w->subscriptions ? subscribe(w, name, true) : EX_OK;
    return status != EX_OK ? status : subscribed;
}

static int delete_one(struct work *w, const char *name)
{
    struct err e = {0};
    enum rc rc = store_delete(w->store, str_c(name), &e);
    int status = rc == RC_OK ? EX_OK : failed(w, rc, "delete", name, &e);
    int subscribed = w->subscriptions ? subscribe(w, name, false) : EX_OK;
    return status != EX_OK ? status : subscribed;
}

/* The children first; the list is sorted, so they come behind their parents. */
static int delete_below(struct work *w, const char *name)
{
    AUTO(arena_freep) struct arena *a = arena_new(LIST_BYTES_MAX);
    AUTO(str_freep) char *prefix = str_dup(str_c(name));
    struct store_box_info *v = NULL;
    struct err e = {0};
    size_t n = 0;
    int status = EX_OK;
    if (store_list(w->store, a, &v, &n, &e) != RC_OK)
        return doveadm_error(EX_TEMPFAIL, w->user, "Listing mailboxes failed: %s", err_text(&e));
    for (size_t i = n; i-- > 0;) {
        str child = str_from(v[i].name, strlen(prefix));
        if (!v[i].exists || v[i].noselect || !str_starts(v[i].name, str_c(prefix)) || child.n == 0 ||
            child.p[0] != w->cli->conf->hierarchy_separator[0])
            continue;
        AUTO(str_freep) char *full = str_dup(v[i].name);
        int one = delete_one(w, full);
        status = one != EX_OK ? one : status;
    }
    return status;
}

static int delete (struct work *w, const char *name)
{
    int below = w->recursive ? delete_below(w, name) : EX_OK;
    int status = delete_one(w, name);
    return status != EX_OK ? status : below;
}

static int each_word(struct work *w, int (*fn)(struct work *w, const char *name))
{
    int result = EX_OK;
    for (int i = 0; i < w->n; i++) {
        int one = fn(w, w->words[i]);
        result = one != EX_OK ? one : result;
    }
    return result;
}

static int create_all(struct work *w)
{
    return each_word(w, create);
}

static int delete_all(struct work *w)
{
    return each_word(w, delete);
}

static int subscribe_one(struct work *w, const char *name)
{
    return subscribe(w, name, true);
}

static int unsubscribe_one(struct work *w, const char *name)
{
    return subscribe(w, name, false);
}

static int subscribe_all(struct work *w)
{
    return each_word(w, subscribe_one);
}

static int unsubscribe_all(struct work *w)
{
    return each_word(w, unsubscribe_one);
}

static int rename_it(struct work *w)
{
    struct err e = {0};
    enum rc rc = store_rename(w->store, str_c(w->words[0]), str_c(w->words[1]), &e);
    if (rc != RC_OK)
        return doveadm_error(status_of(rc), w->user, "Can't rename mailbox %s to %s: %s", w->words[0],
                             w->words[1], err_text(&e));
    if (!w->subscriptions)
        return EX_OK;
    int before = subscribe(w, w->words[0], false), after = subscribe(w, w->words[1], true);
    return before != EX_OK ? before : after;
}

int doveadm_mailbox_create(int argc, char **argv, struct cli *cli)
{
    return work_on(argc, argv, cli, (struct task){create_all, "+su:", 1, 0});
}

int doveadm_mailbox_delete(int argc, char **argv, struct cli *cli)
{
    return work_on(argc, argv, cli, (struct task){delete_all, "+rsu:", 1, 0});
}

int doveadm_mailbox_subscribe(int argc, char **argv, struct cli *cli)
{
    return work_on(argc, argv, cli, (struct task){subscribe_all, "+u:", 1, 0});
}

int doveadm_mailbox_unsubscribe(int argc, char **argv, struct cli *cli)
{
    return work_on(argc, argv, cli, (struct task){unsubscribe_all, "+u:", 1, 0});
}

int doveadm_mailbox_rename(int argc, char **argv, struct cli *cli)
{
    return work_on(argc, argv, cli, (struct task){rename_it, "+su:", 2, 2});
}
