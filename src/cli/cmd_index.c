/* malle index: looks through the index of an account's mailboxes, or makes it anew, as the owner of the mail.
 */
#include "cli/accounts.h"
#include "cli/user_mail.h"
#include "cli/who_is.h"
#include "fmt/json.h"
#include "store/index_care.h"

enum { OUT_MAX = 16 << 20, LIST_BYTES_MAX = 64 << 20 };

struct work {
    struct cli *cli;
    const char *account;
    struct account_identity id;
    struct store *store;
    struct index_care found;
    struct buf out;
    struct json json; /* out is NULL: text */
    bool faults;
};

static int open_store(struct work *w)
{
    struct err e = {0};
    int status = cli_find_account(w->cli, w->account, &w->id);
    if (status == CLI_FINE && cli_open_store(cli_conf(w->cli), &w->id, NULL, &w->store, &e) != RC_OK)
        status = cli_fail("%s: %s", w->account, err_text(&e));
    return status;
}

/* --- check --- */

static void put_fault(void *ctx, str mailbox, const char *what)
{
    struct work *w = ctx;
    w->faults = true;
    if (w->json.out) {
        json_open_object(&w->json, NULL);
        if (mailbox.n)
            json_put_str(&w->json, "mailbox", mailbox);
        else
            json_put_null(&w->json, "mailbox");
        json_put_str(&w->json, "fault", str_c(what));
        json_close_object(&w->json);
    } else {
        buf_printf(&w->out, STR_FMT "%s%s\n", STR_ARG(mailbox), mailbox.n ? ": " : "", what);
    }
}

static void put_counts(struct work *w, const char *what)
{
    if (w->json.out) {
        json_put_int(&w->json, "mailboxes", w->found.mailboxes);
        json_put_int(&w->json, "messages", (int64_t)w->found.messages);
        json_close_object(&w->json);
        buf_putc(&w->out, '\n');
    } else {
        buf_printf(&w->out, "%s: %s: %u mailboxes, %llu messages\n", w->account, what, w->found.mailboxes,
                   (unsigned long long)w->found.messages);
    }
}

static int check(struct work *w)
{
    struct err e = {0};
    if (w->json.out)
        json_open_array(&w->json, "faults");
    if (store_index_check(w->store, put_fault, w, &w->found, &e) != RC_OK)
        return cli_fail("%s: the index cannot be looked at: %s", w->account, err_text(&e));
    if (w->json.out)
        json_close_array(&w->json);
    put_counts(w,
               w->faults ? "the index is damaged, malle index rebuild makes it anew" : "the index is sound");
    return w->faults ? CLI_FINDING : CLI_FINE;
}

/* --- rebuild --- */

/* Looks at each mailbox, which fills the new index. */
static enum rc fill(struct work *w, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(LIST_BYTES_MAX);
    struct store_box_info *v = NULL;
    struct store_status s;
    size_t n = 0;
    enum rc rc = store_list(w->store, a, &v, &n, e);
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        if (!v[i].exists || v[i].noselect)
            continue;
        if ((rc = store_status(w->store, v[i].name, &s, e)) == RC_OK)
            w->found.messages += s.messages;
        w->found.mailboxes++;
    }
    return rc;
}

static int rebuild(struct work *w)
{
    struct err e = {0};
    enum rc rc = store_index_rebuild(w->store, &e);
    w->store = store_close(w->store);
    if (rc == RC_OK)
        rc = cli_open_store(cli_conf(w->cli), &w->id, NULL, &w->store, &e);
    if (rc == RC_OK)
        rc = fill(w, &e);
    if (rc != RC_OK)
        return cli_fail("%s: %s", w->account, err_text(&e));
    put_counts(w, "the index is new");
    return CLI_FINE;
}

int cmd_index(int argc, char **argv, struct cli *cli)
{
    int status = cli_take_options(argc, argv, NULL, 0, &argc);
    if (status != CLI_FINE)
        return status;
    bool checks = argc == 3 && strcmp(argv[1], "check") == 0;
    if (!checks && (argc != 3 || strcmp(argv[1], "rebuild") != 0))
        return cli_usage("index needs check or rebuild, and ACCOUNT");
    struct work w = {.cli = cli, .account = argv[2], .out = BUF_INIT(OUT_MAX)};
    status = open_store(&w);
    if (status == CLI_FINE && cli->json) {
        w.json.out = &w.out;
        json_open_object(&w.json, NULL);
    }
    if (status == CLI_FINE)
        status = checks ? check(&w) : rebuild(&w);
    bool broken = status != CLI_FINE && !w.faults;
    int printed = broken ? status : cli_print(&w.out);
    store_close(w.store);
    buf_deinit(&w.out);
    return status != CLI_FINE ? status : printed;
}
