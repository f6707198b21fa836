/* Erasing an account's mail in a child that becomes the mail user. */
#include "cli/accounts.h"
#include "os/file.h"
#include "os/tree.h"
#include "store/erase.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

/* The folder above path, opened with the rights that we have before we become the mail user; *ret_name is
 * path's last part, in its place. */
static int open_parent(char *path, const char **ret_name)
{
    char *slash = strrchr(path, '/');
    *slash = '\0';
    *ret_name = slash + 1;
    return open(slash == path ? "/" : path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static bool become(const struct passwd *pw)
{
    return !pw || (setgroups(0, NULL) == 0 && setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == 0 &&
                   setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == 0);
}

static int erase(int parent, const char *name, int index_parent, const char *index_name, enum cli_erase what)
{
    uint64_t count = 0;
    enum rc rc;
    if (what == CLI_ERASE_MESSAGES) {
        rc = store_erase_messages(parent, name, &count);
        if (rc == RC_OK || rc == RC_GONE)
            printf("%llu messages deleted\n", (unsigned long long)count);
    } else {
        rc = tree_remove(parent, name);
        if (rc == RC_OK && index_parent >= 0)
            rc = tree_remove(index_parent, index_name);
    }
    fflush(stdout);
    if (rc == RC_OK || rc == RC_GONE)
        return CLI_FINE;
    return cli_fail("the mail cannot be deleted: %s",
                    rc == RC_LIMIT ? "folders nested too deep" : strerror(errno));
}

/* The child: waits for the word, then works. */
static _Noreturn void work(int go_fd, struct account_identity *id, const struct passwd *owner,
                           enum cli_erase what)
{
    char go = 0;
    const char *name, *index_name = NULL;
    if (read(go_fd, &go, 1) != 1 || go != 'y')
        _exit(CLI_FINE);
    bool apart = strcmp(id->mail_dir, id->index_dir) != 0;
    int parent = open_parent(id->mail_dir, &name);
    int index_parent = apart ? open_parent(id->index_dir, &index_name) : -1;
    if (parent < 0)
        _exit(errno == ENOENT ? CLI_FINE : cli_fail("the mail cannot be reached: %s", strerror(errno)));
    if (!become(owner))
        _exit(cli_fail("the mail user cannot be used: %s", strerror(errno)));
    _exit(erase(parent, name, index_parent, index_name, what));
}

enum rc cli_eraser_start(struct cli *cli, str address, enum cli_erase what, struct cli_eraser *ret)
{
    struct address_key key;
    struct account_identity id = {0};
    struct err e = {0};
    int fds[2];
    const struct conf *c = cli_conf(cli);
    if (!c)
        return RC_PERM;
    if (address_parse(address, &key) != RC_OK || !address_is_safe_name(&key)) {
        cli_fail("'" STR_FMT "' is no account; see malle user list", STR_ARG(address));
        return RC_INVALID;
    }
    memcpy(id.account, key.text, sizeof id.account);
    const struct passwd *owner = geteuid() == 0 ? getpwnam(c->mail_user) : NULL;
    if (geteuid() == 0 && (!owner || owner->pw_uid == 0)) {
        cli_fail("the system user %s is missing; create it as README says", c->mail_user);
        return RC_PERM;
    }
    if (identity_locate(&id, str_c(c->mail_location), &e) != RC_OK) {
        cli_fail_err(&e);
        return RC_PERM;
    }
    fflush(stdout);
    if (pipe2(fds, O_CLOEXEC) != 0 || (ret->pid = fork()) < 0) {
        cli_fail("no process can be started: %s", strerror(errno));
        return RC_TEMP;
    }
    if (ret->pid == 0) {
        close(fds[1]);
        work(fds[0], &id, owner, what);
    }
    close(fds[0]);
    ret->pipe_fd = fds[1];
    return RC_OK;
}

int cli_eraser_end(struct cli_eraser *e, bool go)
{
    int status = 0;
    bool told = !go || fd_write_all(e->pipe_fd, S("y")) == RC_OK;
    close(e->pipe_fd);
    if (waitpid(e->pid, &status, 0) != e->pid || !told || !WIFEXITED(status))
        return cli_fail("the mail was not deleted; try again");
    return WEXITSTATUS(status);
}
