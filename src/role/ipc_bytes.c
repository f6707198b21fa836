/* Byte strings that may be larger than a message. */
#include "role/ipc_bytes.h"

#include "os/file.h"

#include <sys/stat.h>

enum { IN_MESSAGE = 0, IN_FILE = 1 };

enum rc ipc_put_bytes(struct buf *b, str bytes, int *fds, unsigned *n)
{
    bool in_file = bytes.n > IPC_INLINE_MAX;
    ipc_put_u32(b, in_file ? IN_FILE : IN_MESSAGE);
    ipc_put_str(b, in_file ? STR_NONE : bytes);
    if (!in_file)
        return RC_OK;
    int fd = ipc_memfd("malle-bytes", bytes);
    if (fd < 0)
        return RC_TEMP;
    fds[(*n)++] = fd;
    return RC_OK;
}

enum rc ipc_get_bytes(struct ipc_msg *m, size_t max, struct arena *a, str *ret)
{
    AUTO(fd_closep) int fd;
    return ipc_get_bytes_fd(m, max, a, ret, &fd);
}

enum rc ipc_get_bytes_fd(struct ipc_msg *m, size_t max, struct arena *a, str *ret, int *ret_fd)
{
    *ret_fd = -1;
    uint32_t where = ipc_get_u32(m);
    str bytes = ipc_get_str(m, IPC_INLINE_MAX);
    if (where == IN_MESSAGE) {
        *ret = bytes;
        return m->malformed ? RC_INVALID : RC_OK;
    }
    int fd = *ret_fd = ipc_take_fd(m);
    struct stat st;
    if (where != IN_FILE || m->malformed || !ipc_is_sealed(fd) || fstat(fd, &st) != 0)
        return RC_INVALID;
    size_t n, size = (size_t)st.st_size;
    char *p = size <= max ? arena_alloc(a, size) : NULL;
    if (!p)
        return RC_LIMIT;
    if (fd_read_at(fd, p, size, 0, &n) != RC_OK || n != size)
        return RC_TEMP;
    *ret = str_mem(p, n);
    return RC_OK;
}
