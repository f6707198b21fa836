#include "cli/quota_ask.h"

#include "cli/user_mail.h"
#include "cli/who_is.h"
#include "os/file.h"
#include "role/quota_terms.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static enum rc look(const struct conf *c, const struct account_identity *id, const struct quota_terms *q,
                    bool recount, struct quota_answer *ret)
{
    AUTO(fd_closep) int dir = -1;
    enum rc rc = cli_open_maildir(c, id, &dir, &ret->e);
    return rc == RC_OK ? quota_count(dir, q, recount, &ret->use, &ret->e) : rc;
}

/* shared: with the child. */
static int look_in_child(const struct conf *c, const struct account_identity *id, bool recount,
                         struct quota_answer *shared)
{
    AUTO(buf_deinit) struct buf rules = BUF_INIT(QUOTA_RULES_BYTES);
    struct quota_terms q;
    int status = 0;
    quota_terms_fill(c, id->account, id->quota, &rules, &q);
    shared->limits = quota_limits_of(q.rules, STR_NONE, q.separator);
    if (access(id->mail_dir, F_OK) != 0 && errno == ENOENT)
        return CLI_FINE; /* no mail came yet */
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return cli_fail("no process can be started: %s", strerror(errno));
    if (pid == 0) {
        shared->rc = look(c, id, &q, recount, shared);
        _exit(0);
    }
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return cli_fail("the mail of %s could not be looked at", id->account);
    return CLI_FINE;
}

int cli_quota_ask(struct cli *cli, const char *name, bool recount, struct quota_answer *ret)
{
    struct who_is who;
    if (cli_who_is(cli, name, NULL, &who) != CLI_FINE)
        return CLI_FINDING;
    *ret = (struct quota_answer){.rc = who.rc, .e = who.e};
    if (who.rc != RC_OK)
        return CLI_FINE;
    struct quota_answer *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(shared != MAP_FAILED);
    int status = look_in_child(cli_conf(cli), &who.id, recount, shared);
    *ret = *shared;
    munmap(shared, sizeof *shared);
    return status;
}
