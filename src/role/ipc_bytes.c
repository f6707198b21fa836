/* Byte strings that may be larger than a message. */
#include "role/ipc_bytes.h"

#include "os/file.h"

#include <sys/mman.h>
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

enum rc ipc_map_bytes(struct ipc_msg *m, size_t max, struct ipc_mapping *ret)
{
    uint32_t where = ipc_get_u32(m);
    *ret = (struct ipc_mapping){.bytes = ipc_get_str(m, IPC_INLINE_MAX), .fd = -1};
    if (where == IN_MESSAGE)
        return m->malformed ? RC_INVALID : RC_OK;
    ret->bytes = STR_NONE;
    ret->fd = ipc_take_fd(m);
    struct stat st;
    if (where != IN_FILE || m->malformed || !ipc_is_sealed(ret->fd) || fstat(ret->fd, &st) != 0)
        return RC_INVALID;
    size_t n = (size_t)st.st_size;
    if (n > max)
        return RC_LIMIT;
    void *p = n ? mmap(NULL, n, PROT_READ, MAP_PRIVATE | MAP_POPULATE, ret->fd, 0) : MAP_FAILED;
    if (p == MAP_FAILED)
        return n ? RC_LIMIT : RC_OK;
    ret->bytes = str_mem(p, n);
    return RC_OK;
}

void ipc_unmap(struct ipc_mapping *p)
{
    if (p->fd >= 0 && p->bytes.n)
        munmap((char *)p->bytes.p, p->bytes.n);
    p->bytes = STR_NONE;
    fd_closep(&p->fd);
}

enum rc ipc_get_bytes(struct ipc_msg *m, size_t max, struct arena *a, str *ret)
{
    AUTO(ipc_unmap) struct ipc_mapping map;
    enum rc rc = ipc_map_bytes(m, max, &map);
    if (rc != RC_OK)
        return rc;
    *ret = map.fd < 0 ? map.bytes : arena_str(a, map.bytes);
    return ret->n == map.bytes.n ? RC_OK : RC_LIMIT;
}
