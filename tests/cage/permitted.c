/* What a session needs to do in its cage. */
#include "attempts.h"

#include "os/db.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static long whole(bool ok)
{
    return ok ? 0 : -1;
}

static int make(const char *path)
{
    return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static long deliver_and_move(const struct world *w)
{
    int fd = make("tmp/2"), dir = open("new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return whole(fd >= 0 && dir >= 0 && write(fd, "mail\n", 5) == 5 && fsync(fd) == 0 &&
                 renameat2(AT_FDCWD, "tmp/2", AT_FDCWD, "new/2", RENAME_NOREPLACE) == 0 && fsync(dir) == 0 &&
                 rename("new/2", "cur/2:2,S") == 0);
}

static long copy_by_link(const struct world *w)
{
    return whole(mkdir(".Sent", 0700) == 0 && mkdir(".Sent/cur", 0700) == 0 &&
                 link("new/1", ".Sent/cur/1") == 0);
}

static long nameless_file(const struct world *w)
{
    int fd = open("tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    return whole(fd >= 0 && write(fd, "x", 1) == 1);
}

static long remove_folder(const struct world *w)
{
    return whole(mkdir(".Old", 0700) == 0 && close(make(".Old/f")) == 0 && unlink(".Old/f") == 0 &&
                 rmdir(".Old") == 0);
}

static long descriptor_forms(const struct world *w)
{
    int fd = make("tmp/3");
    struct timespec t[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    return whole(fd >= 0 && fchmod(fd, 0640) == 0 && futimens(fd, t) == 0 && ftruncate(fd, 8192) == 0 &&
                 fchown(fd, CAGE_UID, CAGE_GID) == 0);
}

static long locks_and_maps(const struct world *w)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    int fd = make("tmp/4");
    if (fd < 0 || flock(fd, LOCK_EX) != 0 || fcntl(fd, F_SETLK, &lock) != 0 || ftruncate(fd, 4096) != 0)
        return -1;
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return -1;
    p[0] = 'x';
    return munmap(p, 4096);
}

static long list_folder(const struct world *w)
{
    DIR *d = opendir("new");
    int n = 0;
    while (d && readdir(d))
        n++;
    return whole(d && closedir(d) == 0 && n == 3);
}

static long database(const struct world *w)
{
    struct db *db = NULL;
    struct err e = {0};
    bool ok = db_open("malle.index", DB_CREATE, &db, &e) == RC_OK &&
              db_script(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)", &e) == RC_OK;
    db_closep(&db);
    return whole(ok);
}

static long kept_descriptor(const struct world *w)
{
    struct pollfd pfd = {.fd = w->kept, .events = POLLOUT};
    return whole(write(w->kept, "x", 1) == 1 && poll(&pfd, 1, 0) == 1);
}

static long no_other_descriptor(const struct world *w)
{
    for (int fd = 3; fd < 1024; fd++)
        if (fd != w->kept && fcntl(fd, F_GETFD) >= 0)
            return -1;
    return 0;
}

static long identity(const struct world *w)
{
    return whole(getuid() == CAGE_UID && geteuid() == CAGE_UID && getgid() == CAGE_GID &&
                 getegid() == CAGE_GID);
}

static long not_dumpable(const struct world *w)
{
    return whole(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
}

static long memory_and_chance(const struct world *w)
{
    char key[16];
    char *p = malloc(4 << 20);
    bool ok = p && getrandom(key, sizeof key, 0) == sizeof key;
    free(p);
    return whole(ok);
}

/* Whose other end goes to mailbox, to ask for mailboxes of others. */
static long socket_pair(const struct world *w)
{
    int pair[2];
    char byte;
    bool ok = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0;
    return whole(ok && write(pair[0], "x", 1) == 1 && read(pair[1], &byte, 1) == 1);
}

/* A broken invariant must end the session with SIGABRT, not go on. */
static long abort_itself(const struct world *w)
{
    abort();
}

const struct attempt permitted[] = {
    {"deliver_and_move", deliver_and_move, 0, 0},
    {"copy_by_link", copy_by_link, 0, 0},
    {"nameless_file", nameless_file, 0, 0},
    {"remove_folder", remove_folder, 0, 0},
    {"descriptor_forms", descriptor_forms, 0, 0},
    {"locks_and_maps", locks_and_maps, 0, 0},
    {"list_folder", list_folder, 0, 0},
    {"database", database, 0, 0},
    {"kept_descriptor", kept_descriptor, 0, 0},
    {"no_other_descriptor", no_other_descriptor, 0, 0},
    {"identity", identity, 0, 0},
    {"not_dumpable", not_dumpable, 0, 0},
    {"memory_and_chance", memory_and_chance, 0, 0},
    {"socket_pair", socket_pair, 0, 0},
    {"abort_itself", abort_itself, KILLED + SIGABRT, KILLED + SIGABRT},
};
const size_t n_permitted = sizeof permitted / sizeof *permitted;
