#include "cli/user_names.h"

#include "cli/who_is.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

static void put_name(void *ctx, const char *name)
{
    dprintf(*(int *)ctx, "%s\n", name);
}

/* From a child: what lists users may leave this process in a folder of its own. */
enum rc cli_user_names(struct cli *cli, struct buf *ret)
{
    int fds[2], status = 0;
    fflush(NULL);
    if (pipe(fds) != 0)
        return RC_TEMP;
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        _exit(cli_each_user(cli, put_name, &fds[1]) == CLI_FINE ? 0 : 1);
    }
    close(fds[1]);
    ssize_t n = 1;
    for (char *room; pid > 0 && n > 0 && (room = buf_room(ret, 4096));) {
        while ((n = read(fds[0], room, 4096)) < 0 && errno == EINTR)
            ;
        if (n > 0)
            buf_added(ret, (size_t)n);
    }
    close(fds[0]);
    bool fine = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return fine && !ret->overflow ? RC_OK : RC_TEMP;
}
