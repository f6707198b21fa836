/* malle import: mail into an account, from a Maildir, mbox files or another IMAP server. */
#include "cli/accounts.h"
#include "cli/imap_remote.h"
#include "cli/import.h"
#include "fmt/json.h"
#include "fmt/sasl.h"

static int print_result(const struct importer *i, bool as_json)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
    struct json j = {.out = &out};
    if (as_json) {
        json_open_object(&j, NULL);
        json_put_int(&j, "mailboxes", (int64_t)i->mailboxes);
        json_put_int(&j, "messages", (int64_t)i->messages);
        json_put_int(&j, "failed", (int64_t)i->failed);
        json_close_object(&j);
        buf_putc(&out, '\n');
    } else {
        buf_printf(&out, "%llu messages came into %llu mailboxes", (unsigned long long)i->messages,
                   (unsigned long long)i->mailboxes);
        if (i->failed)
            buf_printf(&out, "; %llu did not", (unsigned long long)i->failed);
        buf_putc(&out, '\n');
    }
    return cli_print(&out);
}

/* What was said on the command line. */
struct request {
    const char *account, *maildir, *mbox, *mailbox;
    struct imap_remote remote; /* server is NULL: not this */
};

static int run_imap(struct importer *i, const struct request *q)
{
    struct imap_client *c = imap_remote_open(&q->remote, i->conf->message_size_limit);
    int status = c ? import_imap(i, c) : CLI_FINDING;
    imap_client_free(c);
    return status;
}

/* With another server this process needs no rights of its caller. */
static int run(struct cli *cli, const struct request *q)
{
    struct importer i = {
        .conf = cli_conf(cli), .mailbox = q->mailbox, .parent = "", .box = BUF_INIT(4 * IMAP_MAILBOX_MAX)};
    enum mail_rights rights = q->remote.server ? MAIL_RIGHTS_DROP : MAIL_RIGHTS_KEEP;
    int status = i.conf ? mail_session_open(cli, q->account, rights, &i.s) : CLI_FINDING;
    if (status != CLI_FINE)
        return status;
    if (q->remote.server)
        status = run_imap(&i, q);
    else
        status = q->maildir ? import_maildir(&i, q->maildir) : import_mbox(&i, q->mbox);
    int ended = mail_session_close(&i.s), printed = i.mailboxes ? print_result(&i, cli->json) : CLI_FINE;
    buf_deinit(&i.box);
    if (status != CLI_FINE || ended != CLI_FINE)
        return status != CLI_FINE ? status : ended;
    return i.failed ? CLI_FINDING : printed;
}

int cmd_import(int argc, char **argv, struct cli *cli)
{
    AUTO(buf_wipe) struct buf secret = BUF_INIT(SASL_PASSWORD_MAX);
    const char *password = NULL;
    struct request q = {0};
    const struct cli_option options[] = {
        {"--maildir", &q.maildir, NULL},        {"--mbox", &q.mbox, NULL},
        {"--mailbox", &q.mailbox, NULL},        {"--imap", &q.remote.server, NULL},
        {"--user", &q.remote.user, NULL},       {"--password", &password, NULL},
        {"--ca-file", &q.remote.ca_file, NULL}, {"--starttls", NULL, &q.remote.starttls},
    };
    int status = cli_take_options(argc, argv, options, sizeof options / sizeof *options, &argc);
    if (status != CLI_FINE)
        return status;
    if (argc != 2 || !!q.maildir + !!q.mbox + !!q.remote.server != 1 || !q.remote.user != !q.remote.server)
        return cli_usage(
            "import needs ACCOUNT and --maildir FOLDER, --mbox FILE or --imap SERVER --user NAME");
    if (q.remote.server && cli_read_password(password, "Password at the other server: ", &secret) != RC_OK)
        return CLI_FINDING;
    q.account = argv[1];
    q.remote.password = buf_str(&secret);
    return run(cli, &q);
}
