#include "world.h"

#include "base/log.h"
#include "os/file.h"
#include "os/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t world_sibling;

static void make_file(const char *dir, const char *name, str content)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    AUTO(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    must(fd >= 0 && fd_write_all(fd, content) == RC_OK && fchown(fd, CAGE_UID, CAGE_GID) == 0);
}

static void make_folder(const char *dir, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    must(mkdir(path, 0700) == 0 && chown(path, CAGE_UID, CAGE_GID) == 0);
}

static void make_maildir(const char *path)
{
    must(mkdir(path, 0700) == 0 && chown(path, CAGE_UID, CAGE_GID) == 0);
    make_folder(path, "cur");
    make_folder(path, "new");
    make_folder(path, "tmp");
    make_file(path, "new/1", S("secret\n"));
}

static void become_user(void)
{
    must(setgroups(0, NULL) == 0 && setresgid(CAGE_GID, CAGE_GID, CAGE_GID) == 0);
    must(setresuid(CAGE_UID, CAGE_UID, CAGE_UID) == 0);
    must(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0); /* as a process that the user started */
}

/* Another process of the same user, in the folder of the other account. Ends with this one. */
static void sibling_start(const struct world *w)
{
    int ready[2];
    char byte;
    must(pipe(ready) == 0);
    world_sibling = fork();
    must(world_sibling >= 0);
    if (world_sibling == 0) {
        become_user();
        must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && chdir(w->other) == 0 && write(ready[1], "x", 1) == 1);
        for (;;)
            pause();
    }
    must(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    close(ready[1]);
}

static void sibling_stop(void)
{
    must(kill(world_sibling, SIGKILL) == 0 && waitpid(world_sibling, NULL, 0) == world_sibling);
}

static void world_make(struct world *w)
{
    char link[128];
    snprintf(w->top, sizeof w->top, "/tmp/malle-cage-XXXXXX");
    must(mkdtemp(w->top) && chmod(w->top, 0755) == 0);
    snprintf(w->own, sizeof w->own, "%s/own", w->top);
    snprintf(w->other, sizeof w->other, "%s/other", w->top);
    make_maildir(w->own);
    make_maildir(w->other);
    snprintf(link, sizeof link, "%s/link", w->own);
    must(symlink(w->other, link) == 0);
    w->leak = open(w->other, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    w->kept = open("/dev/null", O_RDWR | O_CLOEXEC);
    must(w->leak >= 0 && w->kept >= 0);
    sibling_start(w);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    return remove(path);
}

static void world_remove(const struct world *w)
{
    sibling_stop();
    close(w->leak);
    close(w->kept);
    must(nftw(w->top, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static void enter_cage(const struct world *w, bool in_chroot)
{
    const char *plain[] = {w->own, NULL}, *inside[] = {"/", NULL};
    struct sandbox sb = {.role = ROLE_MAILBOX,
                         .uid = CAGE_UID,
                         .gid = CAGE_GID,
                         .chroot_dir = in_chroot ? w->own : NULL,
                         .rw_dirs = in_chroot ? inside : plain};
    cage_enter(&sb, &w->kept, 1);
}

static _Noreturn void child(const struct world *w, enum confinement how, long (*try)(const struct world *))
{
    must(chdir(w->own) == 0);
    if (how == CONFINE_USER_ONLY)
        become_user();
    else
        enter_cage(w, how == CONFINE_CAGE_CHROOT);
    errno = 0;
    _exit(try(w) >= 0 ? 0 : errno ? errno : ECANCELED);
}

int world_try(enum confinement how, long (*try)(const struct world *))
{
    struct world w;
    int status;
    world_make(&w);
    cage_prepare(); /* as mailbox does */
    pid_t pid = fork();
    must(pid >= 0);
    if (pid == 0)
        child(&w, how, try);
    must(waitpid(pid, &status, 0) == pid);
    world_remove(&w);
    return WIFSIGNALED(status) ? KILLED + WTERMSIG(status) : WEXITSTATUS(status);
}
