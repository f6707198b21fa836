/* cutdisk: a disk whose power can be cut, as a FUSE file system of one file, `disk`, which a loop device
 * turns into a block device.
 *
 *   cutdisk IMAGE SEED MOUNTPOINT
 *
 * It is a disk with a volatile cache: what was written reads back at once, and reaches IMAGE only when the
 * file is synced. SIGUSR1 cuts the power: of each cached block a version of chance is kept, the one in IMAGE
 * or any that was written since, and some are torn between sectors; from then on every request fails. */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 4096, SECTOR = 512, TORN_PERCENT = 5 };

struct version {
    struct version *older;
    unsigned char bytes[BLOCK];
};

static int image;
static off_t size;
static struct version **cached; /* newest version of each block, NULL: as in the image */
static off_t *dirty;            /* the blocks that have one */
static size_t n_dirty, dirty_cap;
static unsigned seed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile sig_atomic_t cut_asked;
static int is_cut;

static unsigned below(unsigned n)
{
    return (unsigned)rand_r(&seed) % n;
}

static void must_write(const unsigned char *bytes, size_t n, off_t at)
{
    if (pwrite(image, bytes, n, at) != (ssize_t)n)
        abort();
}

static void drop(struct version *v)
{
    while (v) {
        struct version *older = v->older;
        free(v);
        v = older;
    }
}

static void keep_some(off_t block)
{
    struct version *v = cached[block];
    unsigned n = 0;
    for (struct version *x = v; x; x = x->older)
        n++;
    for (unsigned back = below(n + 1); v && back > 0; back--)
        v = v->older; /* past the oldest: what is in the image */
    if (v && below(100) < TORN_PERCENT) {
        for (unsigned s = 0; s < BLOCK / SECTOR; s++)
            if (below(2))
                must_write(v->bytes + s * SECTOR, SECTOR, block * BLOCK + s * SECTOR);
    } else if (v) {
        must_write(v->bytes, BLOCK, block * BLOCK);
    }
    drop(cached[block]);
    cached[block] = NULL;
}

static void cut(void)
{
    for (size_t i = 0; i < n_dirty; i++)
        keep_some(dirty[i]);
    is_cut = 1;
}

/* Locks; false, and not locked, when there is no power. */
static int begin(void)
{
    pthread_mutex_lock(&lock);
    if (cut_asked && !is_cut)
        cut();
    if (!is_cut)
        return 1;
    pthread_mutex_unlock(&lock);
    return 0;
}

static int disk_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
    (void)fi;
    int root = strcmp(path, "/") == 0;
    if (!root && strcmp(path, "/disk") != 0)
        return -ENOENT;
    *st = (struct stat){
        .st_mode = root ? S_IFDIR | 0700 : S_IFREG | 0600, .st_nlink = 1, .st_size = root ? 0 : size};
    return 0;
}

static int disk_open(const char *path, struct fuse_file_info *fi)
{
    (void)path, (void)fi;
    return 0;
}

static void read_block(off_t block, unsigned char *into)
{
    if (cached[block])
        memcpy(into, cached[block]->bytes, BLOCK);
    else if (pread(image, into, BLOCK, block * BLOCK) != BLOCK)
        abort();
}

static int disk_read(const char *path, char *out, size_t n, off_t at, struct fuse_file_info *fi)
{
    (void)path, (void)fi;
    unsigned char bytes[BLOCK];
    size_t done = 0;
    if (!begin())
        return -EIO;
    while (done < n && at + (off_t)done < size) {
        off_t from = at + (off_t)done;
        size_t skip = (size_t)(from % BLOCK), part = BLOCK - skip < n - done ? BLOCK - skip : n - done;
        read_block(from / BLOCK, bytes);
        memcpy(out + done, bytes + skip, part);
        done += part;
    }
    pthread_mutex_unlock(&lock);
    return (int)done;
}

static void note_dirty(off_t block)
{
    if (n_dirty == dirty_cap) {
        dirty_cap = dirty_cap ? 2 * dirty_cap : 1024;
        dirty = realloc(dirty, dirty_cap * sizeof *dirty);
        if (!dirty)
            abort();
    }
    dirty[n_dirty++] = block;
}

static int disk_write(const char *path, const char *in, size_t n, off_t at, struct fuse_file_info *fi)
{
    (void)path, (void)fi;
    size_t done = 0;
    if (!begin())
        return -EIO;
    while (done < n && at + (off_t)done < size) {
        off_t from = at + (off_t)done;
        size_t skip = (size_t)(from % BLOCK), part = BLOCK - skip < n - done ? BLOCK - skip : n - done;
        struct version *v = malloc(sizeof *v);
        if (!v)
            abort();
        read_block(from / BLOCK, v->bytes);
        memcpy(v->bytes + skip, in + done, part);
        if (!cached[from / BLOCK])
            note_dirty(from / BLOCK);
        v->older = cached[from / BLOCK];
        cached[from / BLOCK] = v;
        done += part;
    }
    pthread_mutex_unlock(&lock);
    return (int)done;
}

static int disk_fsync(const char *path, int only_data, struct fuse_file_info *fi)
{
    (void)path, (void)only_data, (void)fi;
    if (!begin())
        return -EIO;
    for (size_t i = 0; i < n_dirty; i++) {
        off_t block = dirty[i];
        must_write(cached[block]->bytes, BLOCK, block * BLOCK);
        drop(cached[block]);
        cached[block] = NULL;
    }
    n_dirty = 0;
    pthread_mutex_unlock(&lock);
    return 0;
}

static void on_cut(int sig)
{
    (void)sig;
    cut_asked = 1;
}

static void *disk_init(struct fuse_conn_info *conn, struct fuse_config *cfg)
{
    (void)conn;
    cfg->direct_io = 1; /* the cache is ours */
    return NULL;
}

static void disk_destroy(void *data)
{
    (void)data;
    if (begin())
        pthread_mutex_unlock(&lock);
}

static const struct fuse_operations operations = {.init = disk_init,
                                                  .destroy = disk_destroy,
                                                  .getattr = disk_getattr,
                                                  .open = disk_open,
                                                  .read = disk_read,
                                                  .write = disk_write,
                                                  .fsync = disk_fsync};

int main(int argc, char **argv)
{
    struct stat st;
    if (argc != 4) {
        fprintf(stderr, "usage: cutdisk IMAGE SEED MOUNTPOINT\n");
        return 2;
    }
    image = open(argv[1], O_RDWR | O_CLOEXEC);
    if (image < 0 || fstat(image, &st) != 0) {
        perror(argv[1]);
        return 1;
    }
    size = st.st_size / BLOCK * BLOCK;
    seed = (unsigned)strtoul(argv[2], NULL, 10);
    cached = calloc((size_t)(size / BLOCK), sizeof(struct version *));
    if (!cached)
        return 1;
    struct sigaction sa = {.sa_handler = on_cut};
    sigaction(SIGUSR1, &sa, NULL);
    char foreground[] = "-f", *args[] = {argv[0], foreground, argv[3], NULL};
    return fuse_main(3, args, &operations, NULL);
}
