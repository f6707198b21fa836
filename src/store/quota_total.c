/* What the accounts of a domain have together: reading a file that another process writes over. */
#include "fmt/maildirsize.h"
#include "os/file.h"
#include "store/quota.h"

enum { ROUNDS = 3 };

static bool read_once(int fd, char ret[MAILDIRSIZE_TOTAL_BYTES])
{
    size_t n = 0;
    return fd_read_at(fd, ret, MAILDIRSIZE_TOTAL_BYTES, 0, &n) == RC_OK && n == MAILDIRSIZE_TOTAL_BYTES;
}

/* What is read twice alike was not just being written. */
static bool read_whole(int fd, char ret[MAILDIRSIZE_TOTAL_BYTES])
{
    char again[MAILDIRSIZE_TOTAL_BYTES];
    for (int round = 0; round < ROUNDS; round++)
        if (read_once(fd, ret) && read_once(fd, again) && memcmp(ret, again, sizeof again) == 0)
            return true;
    return false;
}

bool quota_read_total(int fd, struct quota_limits *ret_limits, struct quota_use *ret_use)
{
    char text[MAILDIRSIZE_TOTAL_BYTES];
    struct maildirsize m;
    if (!read_whole(fd, text) || maildirsize_parse(str_mem(text, sizeof text), &m) != RC_OK || m.bytes < 0 ||
        m.messages < 0)
        return false;
    *ret_limits = m.limits;
    *ret_use = (struct quota_use){(uint64_t)m.bytes, (uint64_t)m.messages};
    return true;
}
