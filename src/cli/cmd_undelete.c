/* malle undelete: brings expunged messages back, or tells what there is, as the owner of the mail. */
#include "cli/accounts.h"
#include "cli/user_mail.h"
#include "cli/who_is.h"
#include "fmt/date.h"
#include "fmt/json.h"
#include "role/quota_terms.h"
#include "store/kept.h"

enum { OUT_MAX = 16 << 20, DAY_SECONDS = 86400 };

struct work {
    struct cli *cli;
    const char *account;
    struct store *store;
    struct buf rules; /* of quota */
    struct quota_terms quota;
    struct account_identity id;
    struct buf out;
    struct json json; /* out is NULL: text */
};

static int open_store(struct work *w)
{
    struct err e = {0};
    int status = cli_find_account(w->cli, w->account, &w->id);
    if (status != CLI_FINE)
        return status;
    quota_terms_fill(cli_conf(w->cli), w->id.account, w->id.quota, &w->rules, &w->quota);
    if (cli_open_store(cli_conf(w->cli), &w->id, &w->quota, &w->store, &e) == RC_OK)
        return CLI_FINE;
    return cli_fail("%s: %s", w->account, err_text(&e));
}

/* "2026-07-17 INBOX: 12 messages" */
static void put_kept(void *ctx, int64_t day, str mailbox, uint64_t messages)
{
    struct work *w = ctx;
    AUTO(buf_deinit) struct buf when = BUF_INIT(64);
    date_format_internet(&when, day * DAY_SECONDS);
    str date = str_sub(buf_str(&when), 0, 10);
    if (w->json.out) {
        json_open_object(&w->json, NULL);
        json_put_str(&w->json, "day", date);
        json_put_str(&w->json, "mailbox", mailbox);
        json_put_int(&w->json, "messages", (int64_t)messages);
        json_close_object(&w->json);
    } else {
        buf_printf(&w->out, STR_FMT " " STR_FMT ": %llu messages\n", STR_ARG(date), STR_ARG(mailbox),
                   (unsigned long long)messages);
    }
}

static int list(struct work *w)
{
    struct err e = {0};
    if (w->json.out)
        json_open_array(&w->json, NULL);
    if (store_kept_each(w->store, put_kept, w, &e) != RC_OK)
        return cli_fail("%s: %s", w->account, err_text(&e));
    if (w->json.out)
        json_close_array(&w->json);
    if (w->json.out)
        buf_putc(&w->out, '\n');
    return cli_print(&w->out);
}

static int bring_back(struct work *w, const char *mailbox, int64_t since_day)
{
    struct undeleted done;
    struct err e = {0};
    enum rc rc = store_undelete(w->store, mailbox ? str_c(mailbox) : STR_NONE, since_day, &done, &e);
    if (w->json.out) {
        json_open_object(&w->json, NULL);
        json_put_int(&w->json, "mailboxes", done.mailboxes);
        json_put_int(&w->json, "messages", (int64_t)done.messages);
        json_put_int(&w->json, "failed", (int64_t)done.failed);
        json_close_object(&w->json);
        buf_putc(&w->out, '\n');
    } else {
        buf_printf(&w->out, "%llu messages are back in %u mailboxes\n", (unsigned long long)done.messages,
                   done.mailboxes);
    }
    int printed = cli_print(&w->out);
    if (rc != RC_OK)
        return cli_fail("%s: %s", w->account, err_text(&e));
    return done.failed
               ? cli_fail("%s: %llu could not be brought back", w->account, (unsigned long long)done.failed)
               : printed;
}

static bool parse_day(const char *text, int64_t *ret)
{
    AUTO(buf_deinit) struct buf whole = BUF_INIT(64);
    struct date d;
    buf_printf(&whole, "%sT00:00:00Z", text);
    if (date_parse_internet(buf_str(&whole), &d) != RC_OK)
        return false;
    *ret = date_day(d);
    return true;
}

int cmd_undelete(int argc, char **argv, struct cli *cli)
{
    const char *mailbox = NULL, *since = NULL;
    int64_t day = 0;
    bool lists = false;
    const struct cli_option options[] = {
        {"--mailbox", &mailbox, NULL}, {"--since", &since, NULL}, {"--list", NULL, &lists}};
    int status = cli_take_options(argc, argv, options, sizeof options / sizeof *options, &argc);
    if (status != CLI_FINE)
        return status;
    if (argc != 2 || (lists && (mailbox || since)))
        return cli_usage("undelete needs ACCOUNT, and --list alone or --mailbox NAME and --since YYYY-MM-DD");
    if (since && !parse_day(since, &day))
        return cli_usage("%s is no day such as 2026-07-17", since);
    struct work w = {
        .cli = cli, .account = argv[1], .rules = BUF_INIT(QUOTA_RULES_BYTES), .out = BUF_INIT(OUT_MAX)};
    if (cli->json)
        w.json.out = &w.out;
    status = open_store(&w);
    if (status == CLI_FINE)
        status = lists ? list(&w) : bring_back(&w, mailbox, day);
    store_close(w.store);
    buf_deinit(&w.rules);
    buf_deinit(&w.out);
    return status;
}
