/* Becoming the owner of the account database, and options. */
#include "cli/accounts.h"

#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

int cli_fail_err(const struct err *e)
{
    return cli_fail("%s", err_text(e));
}

/* Opens STATE/auth, made when missing with its owner and mode 0700. */
static int open_folder(const struct conf *c, const struct passwd *owner)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(4096);
    if (file_make_dirs(c->state_dir, 0755) != RC_OK)
        return -1;
    buf_printf(&path, "%s/auth", c->state_dir);
    bool made = mkdir(buf_cstr(&path), 0700) == 0;
    if (!made && errno != EEXIST)
        return -1;
    int fd = open(buf_cstr(&path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && made && owner && fchown(fd, owner->pw_uid, owner->pw_gid) != 0)
        fd_closep(&fd);
    return fd;
}

static bool become(const struct passwd *owner, int folder)
{
    if (fchdir(folder) != 0)
        return false;
    if (!owner)
        return true;
    return chroot(".") == 0 && setgroups(0, NULL) == 0 &&
           setresgid(owner->pw_gid, owner->pw_gid, owner->pw_gid) == 0 &&
           setresuid(owner->pw_uid, owner->pw_uid, owner->pw_uid) == 0;
}

enum rc cli_open_accounts(struct cli *cli, struct account_db **ret, int *ret_status)
{
    struct err e = {0};
    const struct conf *c = cli_conf(cli);
    *ret_status = CLI_FINDING;
    if (!c)
        return RC_PERM;
    const struct passwd *owner = geteuid() == 0 ? getpwnam(c->user_auth) : NULL;
    if (geteuid() == 0 && (!owner || owner->pw_uid == 0)) {
        *ret_status = cli_fail("the system user %s is missing; create it as README says", c->user_auth);
        return RC_PERM;
    }
    AUTO(fd_closep) int folder = open_folder(c, owner);
    if (folder < 0 || !become(owner, folder)) {
        *ret_status = cli_fail("%s/auth cannot be used: %s; run as root or as the user that runs malle",
                               c->state_dir, strerror(errno));
        return RC_PERM;
    }
    enum rc rc = account_db_open(ACCOUNT_DB_NAME, true, ret, &e);
    if (rc != RC_OK)
        *ret_status = cli_fail_err(&e);
    return rc;
}

static const struct cli_option *find_option(const char *name, const struct cli_option *options, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    }
    return NULL;
}

int cli_take_options(int argc, char **argv, const struct cli_option *options, size_t n, int *ret_argc)
{
    int kept = 0;
    bool open = true;
    for (int i = 0; i < argc; i++) {
        if (open && strcmp(argv[i], "--") == 0) {
            open = false;
            continue;
        }
        if (!open || strncmp(argv[i], "--", 2) != 0) {
            argv[kept++] = argv[i];
            continue;
        }
        const struct cli_option *o = find_option(argv[i], options, n);
        if (!o)
            return cli_usage("there is no option \"%s\" here", argv[i]);
        if (o->flag)
            *o->flag = true;
        else if (i + 1 < argc)
            *o->value = argv[++i];
        else
            return cli_usage("%s needs a value", argv[i]);
    }
    *ret_argc = kept;
    return CLI_FINE;
}
