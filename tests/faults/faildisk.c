/* faildisk: a library for LD_PRELOAD that makes calls on regular files fail with EIO, as a failing disk does,
 * and syncs take long, as those of a busy disk do: so many in a million, and so many microseconds, as the
 * struct in the file that FAILDISK names says, which is mapped when the program
 * starts, so what is written there counts at once in all of its processes, in locked ones, too. Only files on
 * the file system that holds FAILDISK's file are meant; files in memory, sockets and pipes are on others. */
#undef _FILE_OFFSET_BITS /* pread is not to be another name of pread64 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct orders {
    volatile uint64_t millionth, sync_us;
    uint64_t failed; /* how many calls did */
};

static struct orders *orders;
static dev_t disk;
static uint64_t calls;

__attribute__((constructor)) static void map_orders(void)
{
    const char *path = getenv("FAILDISK");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    struct stat st;
    void *p = fd >= 0 && fstat(fd, &st) == 0
                  ? mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                  : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    if (p == MAP_FAILED)
        abort(); /* a test that fails nothing would prove nothing */
    disk = st.st_dev;
    orders = p;
}

/* splitmix64 over the number of the call */
static uint64_t chance(void)
{
    uint64_t z =
        (__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) + (uint64_t)getpid() * 1000003) * 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % 1000000;
}

static int is_meant(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) && st.st_dev == disk;
}

static int fails(int fd)
{
    if (!orders || orders->millionth == 0 || chance() >= orders->millionth || !is_meant(fd))
        return 0;
    __atomic_add_fetch(&orders->failed, 1, __ATOMIC_RELAXED);
    errno = EIO;
    return 1;
}

ssize_t read(int fd, void *p, size_t n)
{
    return fails(fd) ? -1 : syscall(SYS_read, fd, p, n);
}

ssize_t write(int fd, const void *p, size_t n)
{
    return fails(fd) ? -1 : syscall(SYS_write, fd, p, n);
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
    return fails(fd) ? -1 : syscall(SYS_writev, fd, v, n);
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
    return fails(fd) ? -1 : syscall(SYS_pread64, fd, p, n, at);
}

ssize_t pread64(int fd, void *p, size_t n, off_t at)
{
    return pread(fd, p, n, at);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return fails(fd) ? -1 : syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    return pwrite(fd, p, n, at);
}

static void take_long(int fd)
{
    uint64_t us = orders ? orders->sync_us : 0;
    if (us && is_meant(fd))
        usleep((useconds_t)us);
}

int fsync(int fd)
{
    take_long(fd);
    return fails(fd) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    take_long(fd);
    return fails(fd) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t n)
{
    return fails(fd) ? -1 : (int)syscall(SYS_ftruncate, fd, n);
}

int ftruncate64(int fd, off_t n)
{
    return ftruncate(fd, n);
}
