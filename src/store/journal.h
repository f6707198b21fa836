/* journal: makes small deliveries durable with one disk flush for all that wait at that moment. One file at
 * the top of the mail root that one `deliver` process holds; doc/storage.md has its format and its crash
 * states.
 *
 * A delivery writes its file in tmp/ without syncing it, hands its record to journal_commit, renames the file
 * to new/ without syncing that, and calls journal_release. Later syncfs makes the file durable, and then the
 * record is dropped. What a power failure took from the Maildir meanwhile, journal_open writes again from the
 * records: so a file in new/ is whole, or has a record that makes it so before anybody looks.
 *
 * Used only where syncfs is known to keep its word and to report errors; elsewhere, and after any error of
 * the disk, journal_ready is false and every delivery syncs its own file. Thread-safe. */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "fmt/journal_record.h"

#include <sys/types.h>

#define JOURNAL_NAME ".malle-journal"

struct journal;

/* The boot that runs now. RC_TEMP: /proc does not say. To be asked before the sandbox is entered. */
MUST_USE enum rc journal_boot_now(struct journal_boot *ret);

bool journal_exists(const char *root);
/* Opens root/.malle-journal, made when missing, writes messages again that a power failure has taken (only in
 * Maildirs that exist), and starts the thread that syncs. While another process holds the file, it is not
 * ready; it becomes ready when that process has ended. NULL with *e: there cannot be a journal here. */
struct journal *journal_open(const char *root, const struct journal_boot *boot, struct err *e);
/* Syncs the Maildirs and empties the journal; what is being committed then fails, and it is never ready
 * again. Others may go on calling. Accepts NULL. */
void journal_stop(struct journal *j);
/* Stops it and frees it: nobody may call any more. Accepts NULL, returns NULL. */
struct journal *journal_close(struct journal *j);

/* Whether deliveries into folders on this device may be journaled now. NULL is never ready. */
bool journal_ready(struct journal *j, dev_t device);
/* For journal_record_end. */
const uint64_t *journal_key(const struct journal *j);
/* Writes ended records, all in one group; they are changed. RC_OK: they are durable, and stay in the journal
 * at least until journal_release of *ret_ticket, which must follow when their files have their names.
 * Otherwise RC_TEMP with *e: the deadline passed while the journal was full, or the disk failed, after which
 * no journal is ready any more. */
MUST_USE enum rc journal_commit(struct journal *j, struct buf *const *records, size_t n, msec deadline,
                                unsigned *ret_ticket, struct err *e);
/* Takes records back that journal_commit took, before its ticket is released: they are void when this
 * returns, unless the disk fails. */
void journal_revoke(struct journal *j, struct buf *const *records, size_t n);
void journal_release(struct journal *j, unsigned ticket);

#endif
