/* spool: files for content that is too large for the database. One folder, which only the role `queue`
 * changes. A file is called content.N for as long as it lives: which message it belongs to stands in the
 * database. So a file that is used again, over what it had before, costs the disk little more than its bytes:
 * no change of the folder, no new blocks, and where the size is the same, no transaction at all. It is one of
 *
 *     lent   a message is written to it, maybe by another role; its open file description holds an OFD lock
 *     kept   the content of a message
 *     free   to be used again
 *
 * A lent file whose lock is gone belongs to nobody and is free. Thread-safe. */
#ifndef QUEUE_SPOOL_H
#define QUEUE_SPOOL_H

#include "base/buf.h"

#include <stdint.h>

struct spool;

/* dir_fd stays open, the spool's. */
struct spool *spool_open(int dir_fd);
int spool_dir(const struct spool *s);
struct spool *spool_close(struct spool *s); /* accepts NULL, returns NULL */
/* Sorts out what an earlier process left, before anything is lent: files that known() knows are kept; others
 * are lent while somebody holds them, else free. used: no new file gets a number up to this one. */
void spool_sweep(struct spool *s, int64_t used, bool (*known)(void *ctx, int64_t number), void *ctx);
/* Lent files whose holders closed them become free. */
void spool_tidy(struct spool *s);
/* Removes the free files: the disk is nearly full. */
void spool_trim(struct spool *s);
/* Bytes that are left for us on the disk of the spool, without those that the database's log will take once
 * more in the database; UINT64_MAX when the disk does not say. */
uint64_t spool_room(struct spool *s);
/* A file to write, the caller's to close: empty, or with `over` above 0 for so many bytes, which are written
 * from its start over what it has; that one must not be handed on. -1 with errno. */
int spool_lend(struct spool *s, uint64_t over);
/* Keeps a lent file, of which the first `size` bytes were written; they last on RC_OK, and nothing is behind
 * them. *ret_number is its number, from 1 on. RC_INVALID: not a lent file; RC_TEMP: it is lent still. */
MUST_USE enum rc spool_keep(struct spool *s, int fd, uint64_t size, int64_t *ret_number);
/* A kept file for reading, with a lock of its own, so that the file is not used again before the last reader
 * closed it; -1 with errno. */
int spool_read(struct spool *s, int64_t number);
/* The message is gone: its file is free. A missing file is fine. */
void spool_release(struct spool *s, int64_t number);
/* The name of a file within the folder. */
enum { SPOOL_NAME_SIZE = 32 };
const char *spool_name(char ret[SPOOL_NAME_SIZE], int64_t number);
/* For other processes: a file that nobody has, locked, the caller's to close; -1. While it is locked it is
 * not lent. */
int spool_claim(int dir_fd, int64_t number);
/* Gives the file of this name, which an earlier version made, a number; spool_sync makes that last. RC_TEMP.
 */
MUST_USE enum rc spool_adopt(struct spool *s, str name, int64_t *ret_number);
MUST_USE enum rc spool_sync(struct spool *s);

#endif
