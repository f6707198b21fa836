/* file: whole files, durable replacement, descriptors. */
#ifndef OS_FILE_H
#define OS_FILE_H

#include "base/buf.h"

/* Closes *fd when it is open (>= 0) and sets it to -1: AUTO(fd_closep) int fd = ... */
void fd_closep(int *fd);
MUST_USE enum rc fd_write_all(int fd, str bytes); /* RC_LIMIT on a full disk or quota, RC_TEMP otherwise */
MUST_USE enum rc
fd_read_all(int fd, struct buf *ret); /* from the start, with pread; RC_LIMIT past the buffer's max */
/* n bytes from `at` on; *ret_n: how many there were, fewer only at the file's end. RC_TEMP with errno. */
MUST_USE enum rc fd_read_at(int fd, char *p, size_t n, off_t at, size_t *ret_n);
MUST_USE enum rc fd_set_nonblocking(int fd, bool on);
MUST_USE enum rc file_read(const char *path, struct buf *ret); /* RC_GONE when missing */
/* Writes path.tmp, fsyncs, renames, fsyncs the folder. */
MUST_USE enum rc file_replace(const char *path, str content, unsigned mode);
/* A file for reading and writing without a name, on the folder's file system; it vanishes with its last
 * descriptor. -1 with errno. */
int file_open_nameless(int dir_fd);
/* Opens path for a process that has more rights than those who may put things there: no symbolic link on the
 * way is followed, nor waited for a FIFO. Close-on-exec; -1 with errno (ELOOP: a link is on the way). */
int file_open_no_links(int dir_fd, const char *path, int flags);
/* Makes the folder `name` in dir_fd. One that was made is durable on RC_OK: it and dir_fd are synced; one
 * that is there already is fine and costs nothing. RC_TEMP with errno. */
MUST_USE enum rc file_make_dir_at(int dir_fd, const char *name, unsigned mode);
/* Makes a folder and its missing parents, durable in the same way. */
MUST_USE enum rc file_make_dirs(const char *path, unsigned mode);

#endif
