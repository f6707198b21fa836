/* doveadm mailbox mutf7 and path: what mailboxes are called on the disk and in IMAP; and purge, which in
 * Maildirs has nothing to do. */
#include "cli/doveadm.h"
#include "cli/doveadm_print.h"
#include "fmt/mutf7.h"
#include "store/delivery.h"

#include <unistd.h>

enum { NAMES_BYTES_MAX = 4 << 20, NAME_BYTES_MAX = 4096 };

static int print_names(const struct doveadm_rows *rows, const char *title)
{
    const struct doveadm_column column = {title, title, .bare = true};
    doveadm_print(DOVEADM_FLOW, &column, 1, rows->cells, rows->n);
    return EX_OK;
}

/* -7: from the form of IMAP and of folders; -8: to it. */
int doveadm_mailbox_mutf7(int argc, char **argv, struct cli *cli)
{
    AUTO(arena_freep) struct arena *a = arena_new(NAMES_BYTES_MAX);
    struct doveadm_rows rows = {.a = a, .columns = 1};
    bool from = false;
    for (int option; (option = getopt(argc, argv, "+78")) != -1;) {
        if (option == '?')
            return doveadm_usage();
        from = option == '7';
    }
    if (optind == argc)
        return doveadm_usage();
    for (; optind < argc; optind++) {
        AUTO(buf_deinit) struct buf name = BUF_INIT(NAME_BYTES_MAX);
        str word = str_c(argv[optind]);
        if ((from ? mutf7_decode(word, &name) : mutf7_encode(word, &name)) == RC_OK)
            *doveadm_add_row(&rows) = arena_str(a, buf_str(&name));
        else
            doveadm_error(EX_DATAERR, NULL, "Mailbox name not valid %s: %s", from ? "mUTF-7" : "UTF-8",
                          argv[optind]);
    }
    return print_names(&rows, "");
}

static const char *path_type_of(const struct account_identity *id, const char *type)
{
    if (!type || strcmp(type, "mailbox") == 0 || strcmp(type, "dir") == 0 || strcmp(type, "control") == 0)
        return id->mail_dir;
    return strcmp(type, "index") == 0 ? id->index_dir : NULL;
}

int doveadm_mailbox_path(int argc, char **argv, struct cli *cli)
{
    AUTO(arena_freep) struct arena *a = arena_new(NAMES_BYTES_MAX);
    struct doveadm_rows rows = {.a = a, .columns = 1};
    struct account_identity id;
    struct err e = {0};
    const char *user = NULL, *type = NULL;
    char folder[DELIVERY_FOLDER_MAX + 1];
    for (int option; (option = getopt(argc, argv, "+t:u:")) != -1;) {
        if (option == '?')
            return doveadm_usage();
        *(option == 't' ? &type : &user) = optarg;
    }
    if (argc - optind != 1)
        return doveadm_usage();
    int status = doveadm_find(cli, &user, &id);
    if (status != EX_OK)
        return status;
    const char *root = path_type_of(&id, type);
    if (!root)
        return doveadm_usage();
    if (delivery_folder_of(cli->conf->hierarchy_separator[0], str_c(argv[optind]), folder, &e) != RC_OK)
        return doveadm_error(EX_DATAERR, user, "Invalid mailbox name '%s': %s", argv[optind], err_text(&e));
    *doveadm_add_row(&rows) = arena_printf(a, "%s%s%s", root, folder[0] ? "/" : "", folder);
    return print_names(&rows, "path");
}

int doveadm_purge(int argc, char **argv, struct cli *cli)
{
    struct account_identity id;
    const char *user = NULL;
    for (int option; (option = getopt(argc, argv, "+u:")) != -1;) {
        if (option == '?')
            return doveadm_usage();
        user = optarg;
    }
    return optind == argc ? doveadm_find(cli, &user, &id) : doveadm_usage();
}
