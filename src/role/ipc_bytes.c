/* Byte strings that may be larger than a message. */
#include "role/ipc_bytes.h"

#include "os/file.h"

#include <sys/stat.h>

enum { IN_MESSAGE = 0, IN_FILE = 1 };

enum rc ipc_put_bytes(struct buf *b, str bytes, int *fds, unsigned *n)
{
    bool in_file = bytes.n > IPC_INLINE_MAX && b->n + bytes.n + IPC_MAX > b->max;
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

/* Where they are: in m, or, with *ret_fd, *ret_n of them in a memory file that is the caller's. */
static enum rc find(struct ipc_msg *m, size_t max, str *ret, int *ret_fd, size_t *ret_n)
{
    uint32_t where = ipc_get_u32(m);
    str in_message = ipc_get_str(m, IPC_LARGE_MAX);
    *ret_fd = -1;
    if (m->malformed || where > IN_FILE)
        return RC_INVALID;
    if (where == IN_MESSAGE && in_message.n > max)
        return RC_LIMIT;
    *ret = in_message;
    if (where == IN_MESSAGE)
        return RC_OK;
    AUTO(fd_closep) int fd = ipc_take_fd(m);
    struct stat st;
    if (m->malformed || !ipc_is_sealed(fd) || fstat(fd, &st) != 0)
        return RC_INVALID;
    if ((size_t)st.st_size > max)
        return RC_LIMIT;
    *ret_n = (size_t)st.st_size;
    *ret_fd = fd;
    fd = -1;
    return RC_OK;
}

static enum rc copy(int fd, char *room, size_t n, str *ret)
{
    size_t got;
    if (!room)
        return RC_LIMIT;
    if (fd_read_at(fd, room, n, 0, &got) != RC_OK || got != n)
        return RC_INVALID;
    *ret = str_mem(room, n);
    return RC_OK;
}

enum rc ipc_get_bytes(struct ipc_msg *m, size_t max, struct arena *a, str *ret)
{
    AUTO(fd_closep) int fd = -1;
    size_t n = 0;
    enum rc rc = find(m, max, ret, &fd, &n);
    return rc == RC_OK && fd >= 0 ? copy(fd, arena_alloc(a, n), n, ret) : rc;
}

enum rc ipc_get_bytes_in_file(struct ipc_msg *m, struct buf *room, str *ret, int *ret_fd)
{
    size_t n = 0;
    enum rc rc = find(m, room->max, ret, ret_fd, &n);
    if (rc == RC_OK && *ret_fd >= 0)
        rc = copy(*ret_fd, buf_room(room, n), n, ret);
    if (rc != RC_OK)
        fd_closep(ret_fd);
    return rc;
}
