/* file: whole files, durable replacement, descriptors. */
#ifndef OS_FILE_H
#define OS_FILE_H

#include "base/buf.h"

/* Closes *fd when it is open (>= 0) and sets it to -1: AUTO(fd_closep) int fd = ... */
void fd_closep(int *fd);
MUST_USE enum rc fd_write_all(int fd, str bytes); /* RC_LIMIT on a full disk or quota, RC_TEMP otherwise */
MUST_USE enum rc fd_read_all(int fd, struct buf *ret); /* from the start, with pread; RC_LIMIT past the buffer's max */
MUST_USE enum rc fd_set_nonblocking(int fd, bool on);
MUST_USE enum rc file_read(const char *path, struct buf *ret); /* RC_GONE when missing */
/* Writes path.tmp, fsyncs, renames, fsyncs the folder. */
MUST_USE enum rc file_replace(const char *path, str content, unsigned mode);
/* Makes a folder and its missing parents. */
MUST_USE enum rc file_make_dirs(const char *path, unsigned mode);

#endif
