/* doveadm mailbox: the mailboxes of one user, changed as that user through the store that sessions use. */
#include "cli/doveadm.h"
#include "cli/who_is.h"
#include "fmt/imap_match.h"
#include "os/file.h"
#include "role/mail_root.h"
#include "store/delivery.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST_BYTES_MAX = 64 << 20, KEYWORDS_MAX = 64 };

struct work {
    struct cli *cli;
    const char *user;
    struct store *store;
    bool subscriptions, recursive, total; /* -s, -r, -t */
    char **words;                         /* what follows the options, and NULL */
    int n;
};

/* --- opening --- */

static bool become(const struct account_identity *id)
{
    umask(0077);
    return geteuid() != 0 ||
           (setgroups(id->n_groups, id->groups) == 0 && setresgid(id->gid, id->gid, id->gid) == 0 &&
            setresuid(id->uid, id->uid, id->uid) == 0);
}

static enum rc open_store(const struct conf *c, const struct account_identity *id, struct store **ret,
                          struct err *e)
{
    AUTO(fd_closep) int dir = -1;
    const struct store_conf sc = {.account = str_c(id->account),
                                  .root = str_c(id->mail_dir),
                                  .index_dir = str_c(id->index_dir),
                                  .hostname = str_c(c->hostname),
                                  .separator = c->hierarchy_separator[0],
                                  .mailbox_max = (unsigned)c->mailbox_max,
                                  .keyword_max = KEYWORDS_MAX,
                                  .append_max = c->message_size_limit,
                                  .create_defaults = true};
    AUTO(buf_deinit) struct buf root = BUF_INIT(IDENTITY_PATH_MAX);
    if (mail_root_make(c, id, &root, e) != RC_OK)
        return RC_TEMP;
    if (!become(id))
        return err_set(e, RC_PERM, 0, "", "cannot become uid %u: %s", id->uid, strerror(errno));
    enum rc rc = delivery_open_maildir(AT_FDCWD, sc.root, true, &dir, e);
    if (rc == RC_OK && file_make_dirs(id->index_dir, 0700) != RC_OK)
        rc = err_set(e, RC_TEMP, 0, "", "cannot make %s: %s", id->index_dir, strerror(errno));
    return rc == RC_OK ? store_open(&sc, ret, e) : rc;
}

static int open_work(struct work *w)
{
    struct who_is who;
    struct err e = {0};
    if (!w->user)
        w->user = getenv("USER");
    if (!w->user)
        return cli_fail_status(EX_USAGE, "USER environment is missing and -u option not used");
    if (cli_who_is(w->cli, w->user, NULL, &who) != CLI_FINE)
        return EX_TEMPFAIL;
    if (who.rc == RC_GONE)
        return doveadm_error(EX_NOUSER, w->user, "User doesn't exist");
    if (who.rc == RC_OK && open_store(w->cli->conf, &who.id, &w->store, &e) == RC_OK)
        return EX_OK;
    return doveadm_error(EX_TEMPFAIL, w->user, "User initialization failed: %s",
                         err_text(who.rc == RC_OK ? &e : &who.e));
}

/* Options are among "rstu:". min, max: how many words must follow; max 0: any number. */
static int begin(int argc, char **argv, struct cli *cli, const char *options, int min, int max,
                 struct work *w)
{
    *w = (struct work){.cli = cli};
    for (int option; (option = getopt(argc, argv, options)) != -1;) {
        if (option == '?')
            return doveadm_usage();
        w->subscriptions |= option == 's';
        w->recursive |= option == 'r';
        w->total |= option == 't';
        if (option == 'u')
            w->user = optarg;
    }
    w->words = argv + optind;
    w->n = argc - optind;
    return w->n < min || (max && w->n > max) ? doveadm_usage() : open_work(w);
}

static int end(struct work *w, int status)
{
    w->store = store_close(w->store);
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

static int print_name(struct work *w, const struct store_box_info *box, void *ctx)
{
    if (w->subscriptions ? box->subscribed : box->exists)
        printf(STR_FMT "\n", STR_ARG(box->name));
    return EX_OK;
}

int doveadm_mailbox_list(int argc, char **argv, struct cli *cli)
{
    struct work w;
    int status = begin(argc, argv, cli, "+su:", 0, 0, &w);
    return status == EX_OK ? end(&w, each_box(&w, 0, print_name, NULL)) : status;
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

static void print_fields(unsigned fields, const struct store_status *s)
{
    const uint64_t values[FIELDS] = {s->messages, s->recent,        s->uidnext, s->uidvalidity,
                                     s->unseen,   s->highestmodseq, s->size};
    bool first = true;
    for (unsigned i = 0; i < FIELDS; i++) {
        if (!(fields & 1u << i))
            continue;
        printf("%s%s=%llu", first ? "" : " ", field_names[i], (unsigned long long)values[i]);
        first = false;
    }
    putchar('\n');
}

struct counting {
    unsigned fields;
    struct store_status sum;
    bool found;
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
    printf(STR_FMT " ", STR_ARG(box->name));
    print_fields(c->fields, &s);
    return EX_OK;
}

int doveadm_mailbox_status(int argc, char **argv, struct cli *cli)
{
    struct work w;
    struct counting c = {0};
    int status = begin(argc, argv, cli, "+tu:", 2, 0, &w);
    if (status != EX_OK)
        return status;
    status = parse_fields(&w, &c.fields);
    if (status == EX_OK)
        status = each_box(&w, 1, count_box, &c);
    if (status == EX_OK)
        status = tell_missing(&w, &c);
    if (w.total && c.fields)
        print_fields(c.fields, &c.sum);
    return end(&w, status);
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

static int subscribe_one(struct work *w, const char *name)
{
    return subscribe(w, name, true);
}

static int unsubscribe_one(struct work *w, const char *name)
{
    return subscribe(w, name, false);
}

static int each_word(int argc, char **argv, struct cli *cli, const char *options,
                     int (*fn)(struct work *w, const char *name))
{
    struct work w;
    int status = begin(argc, argv, cli, options, 1, 0, &w);
    if (status != EX_OK)
        return status;
    for (int i = 0; i < w.n; i++) {
        int one = fn(&w, w.words[i]);
        status = one != EX_OK ? one : status;
    }
    return end(&w, status);
}

int doveadm_mailbox_create(int argc, char **argv, struct cli *cli)
{
    return each_word(argc, argv, cli, "+su:", create);
}

int doveadm_mailbox_delete(int argc, char **argv, struct cli *cli)
{
    return each_word(argc, argv, cli, "+rsu:", delete);
}

int doveadm_mailbox_subscribe(int argc, char **argv, struct cli *cli)
{
    return each_word(argc, argv, cli, "+u:", subscribe_one);
}

int doveadm_mailbox_unsubscribe(int argc, char **argv, struct cli *cli)
{
    return each_word(argc, argv, cli, "+u:", unsubscribe_one);
}

int doveadm_mailbox_rename(int argc, char **argv, struct cli *cli)
{
    struct work w;
    struct err e = {0};
    int status = begin(argc, argv, cli, "+su:", 2, 2, &w);
    if (status != EX_OK)
        return status;
    enum rc rc = store_rename(w.store, str_c(w.words[0]), str_c(w.words[1]), &e);
    if (rc != RC_OK)
        status = doveadm_error(status_of(rc), w.user, "Can't rename mailbox %s to %s: %s", w.words[0],
                               w.words[1], err_text(&e));
    if (rc == RC_OK && w.subscriptions) {
        int before = subscribe(&w, w.words[0], false), after = subscribe(&w, w.words[1], true);
        status = before != EX_OK ? before : after;
    }
    return end(&w, status);
}
