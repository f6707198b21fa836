/* spool: files for content that is too large for the database. One folder, which only the role `queue`
 * changes:
 *
 *     lent.N   handed to a role that receives a message; its open file description holds an OFD lock
 *     ID       content of the message with this id
 *     free.N   to be used again: on ext4 a new file is dearer than a truncated one
 *
 * A lent file whose lock is gone belongs to nobody and is free. Thread-safe. */
#ifndef QUEUE_SPOOL_H
#define QUEUE_SPOOL_H

#include "base/buf.h"

#include <stdint.h>

struct spool;

/* dir_fd stays open, the spool's. Files left by an earlier process are sorted out: lent ones that nobody
 * holds become free. */
struct spool *spool_open(int dir_fd);
struct spool *spool_close(struct spool *s); /* accepts NULL, returns NULL */
/* Frees the files of messages that known() does not know: a crash came between spool_keep and the commit. */
void spool_sweep(struct spool *s, bool (*known)(void *ctx, str id), void *ctx);
/* Lent files whose holders closed them become free. */
void spool_tidy(struct spool *s);
/* Bytes that are left for us on the disk of the spool, without those that the database's log will take once
 * more in the database; UINT64_MAX when the disk does not say. */
uint64_t spool_room(struct spool *s);
/* A file to write, empty, the caller's to send away and close. -1 with errno. */
int spool_lend(struct spool *s);
/* Makes a lent file the content of message id: its bytes and its name are durable on RC_OK. RC_INVALID: not a
 * lent file; RC_PERM: there is a file of this message already; RC_TEMP. */
MUST_USE enum rc spool_keep(struct spool *s, int fd, str id);
/* Gives the content of message id to another one, too. RC_TEMP. */
MUST_USE enum rc spool_share(struct spool *s, str id, str other);
/* The content of a message, for reading, with a lock of its own, so that the file is not used again before
 * the last reader closed it; -1 with errno. */
int spool_read(struct spool *s, str id);
/* The message is gone: its file is free. A missing file is fine. */
void spool_release(struct spool *s, str id);

#endif
