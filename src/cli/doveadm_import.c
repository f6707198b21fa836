/* doveadm import: a Maildir of somebody into the mailboxes of one user. */
#include "cli/doveadm.h"
#include "cli/import.h"

#include <unistd.h>

static int run(struct cli *cli, const char *user, const char *path, const char *parent)
{
    struct account_identity id;
    int status = doveadm_find(cli, &user, &id);
    if (status != EX_OK)
        return status;
    struct importer i = {.conf = cli_conf(cli), .parent = parent, .box = BUF_INIT(4 * IMAP_MAILBOX_MAX)};
    if (mail_session_start(cli, user, &id, MAIL_RIGHTS_KEEP, &i.s) != CLI_FINE)
        return EX_TEMPFAIL;
    status = import_maildir(&i, path);
    int closed = mail_session_close(&i.s);
    buf_deinit(&i.box);
    return status == CLI_FINE && closed == CLI_FINE && !i.failed ? EX_OK : EX_TEMPFAIL;
}

int doveadm_import(int argc, char **argv, struct cli *cli)
{
    const char *user = NULL;
    for (int option; (option = getopt(argc, argv, "+su:")) != -1;) {
        if (option == '?')
            return doveadm_usage();
        if (option == 'u')
            user = optarg;
    }
    if (argc - optind < 3)
        return doveadm_usage();
    const char *source = argv[optind], *parent = argv[optind + 1];
    if (strncmp(source, "maildir:", 8) != 0)
        return cli_fail_status(EX_USAGE, "%s is no maildir:", source);
    if (argc - optind > 3 || !str_ieq(str_c(argv[optind + 2]), S("ALL")))
        return cli_fail_status(EX_USAGE, "malle imports ALL of it");
    return run(cli, user, source + 8, parent);
}
