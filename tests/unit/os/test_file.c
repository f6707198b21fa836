/* os/file: nameless files, also where the file system has no O_TMPFILE, and folders. openat is this program's
 * own, so that it can be such a file system. */
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

static int tmpfile_errno;

int openat(int dir, const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    if (tmpfile_errno && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = tmpfile_errno;
        return -1;
    }
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}

static char root[64];

static int setup(void **state)
{
    snprintf(root, sizeof root, "/tmp/malle-file-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
    return rmdir(root); /* nothing may be left */
}

static void nameless_files(void **state)
{
    const int errors[] = {0, EOPNOTSUPP, EISDIR, ENOENT};
    int dir = open(root, O_RDONLY | O_DIRECTORY);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct stat st;
        char text[4] = "";
        tmpfile_errno = errors[i];
        int fd = file_open_nameless(dir);
        tmpfile_errno = 0;
        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_nlink, 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(fd_write_all(fd, S("abc")), RC_OK);
        assert_int_equal(pread(fd, text, 3, 0), 3);
        assert_string_equal(text, "abc");
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        close(fd);
    }
    tmpfile_errno = ENOSPC; /* a full disk is a full disk */
    assert_int_equal(file_open_nameless(dir), -1);
    assert_int_equal(errno, ENOSPC);
    tmpfile_errno = 0;
    close(dir);
}

static void folders(void **state)
{
    char path[100];
    struct stat st;
    int dir = open(root, O_RDONLY | O_DIRECTORY);
    snprintf(path, sizeof path, "%s/a/b", root);
    assert_int_equal(file_make_dirs(path, 0750), RC_OK);
    assert_int_equal(file_make_dirs(path, 0750), RC_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0750);
    assert_int_equal(file_make_dir_at(dir, "a", 0700), RC_OK);
    assert_int_equal(file_make_dir_at(dir, "no/such", 0700), RC_TEMP);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(unlinkat(dir, "a/b", AT_REMOVEDIR), 0);
    assert_int_equal(unlinkat(dir, "a", AT_REMOVEDIR), 0);
    close(dir);
}

int main(void)
{
    umask(022);
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(nameless_files, setup, teardown),
                                       cmocka_unit_test_setup_teardown(folders, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
