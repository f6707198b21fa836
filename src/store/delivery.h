/* delivery: one message into one Maildir, in two steps, so that all recipients of a message are prepared
 * before any of them is committed. Run by the `deliver` role's threads as the account's uid; knows no index
 * and no UIDs, only the Maildir's files (https://cr.yp.to/proto/maildir.html). No globals, thread-safe.
 *
 * With a journal (store/journal.h) nothing is synced here: what makes the message durable is its record.
 *
 * Crash states: doc/storage.md. */
#ifndef STORE_DELIVERY_H
#define STORE_DELIVERY_H

#include "base/str.h"
#include "fmt/maildir_name.h"

/* Opens the Maildir at path below home_fd (AT_FDCWD with an absolute path), and with create makes what is
 * missing of the path and of cur/, new/ and tmp/, mode 0700. Symbolic links are refused in all parts of a
 * relative path and in the last part of an absolute one. RC_TEMP: somebody else owns it, or a link or no
 * folder is there, or the disk fails; RC_GONE: missing and not create. The descriptor is the caller's. */
MUST_USE enum rc delivery_open_maildir(int home_fd, str path, bool create, int *ret_fd, struct err *e);

enum { DELIVERY_FOLDER_MAX = 255 };

/* The folder within a Maildir of a mailbox of this name: ".A.B" in modified UTF-7, "" of INBOX. RC_PERM: no
 * mailbox may have the name. */
MUST_USE enum rc delivery_folder_of(char separator, str name, char ret_dir[DELIVERY_FOLDER_MAX + 1],
                                    struct err *e);
/* And back: adds the name that such a folder would have, whether or not a mailbox may have it. RC_INVALID: a
 * folder of that name is no mailbox. */
MUST_USE enum rc delivery_name_of(char separator, str dir, struct buf *out);
/* Makes that folder. RC_PERM: it is there. RC_LIMIT, RC_TEMP. */
MUST_USE enum rc delivery_make_folder(int maildir_fd, const char *dir, struct err *e);
/* Puts it into the file of subscriptions. RC_LIMIT, RC_TEMP. */
MUST_USE enum rc delivery_subscribe(int maildir_fd, const char *dir, struct err *e);

struct journal;

struct delivery_message {
    struct journal *journal;    /* NULL: the delivery syncs its own file. */
    str path;                   /* with it: the Maildir below the mail root, as the journal names it */
    struct maildir_unique name; /* its sizes are filled in here */
    const str *head;            /* header block that is put in front, LF line ends */
    size_t n_head;
    int content_fd; /* read with pread from 0; LF line ends. -1: it is `content` */
    str content;
    uint64_t content_size;  /* bytes */
    uint64_t content_lines; /* LFs among them */
};

struct delivery;
struct buf;

/* The life of a delivery: prepare, then commit, then undo if need be, and always free:
 *
 *     prepared ──commit──▶ committed ──undo──▶ over
 *         └── free: out of tmp/    └── free: stays in new/
 *
 * So that an all-or-nothing message can be taken back, its caller commits every recipient first and frees
 * them only after the last commit: when commit k fails, delivery_undo of 1..k-1, then delivery_free of all.
 */

/* Whether new/ or cur/ has a message of this id and number, whenever it came: RC_OK: its name is durable;
 * RC_GONE: it is in neither; RC_TEMP: that cannot be said now. Reads both folders. */
MUST_USE enum rc delivery_find(int root_fd, uint64_t id, unsigned number, struct err *e);

/* Writes the file in tmp/. Without a journal it also syncs it and makes sure that it can go to new/. root_fd
 * must stay open until delivery_free. RC_LIMIT: disk or quota full (452); RC_TEMP: everything else (451);
 * nothing is left behind then. */
MUST_USE enum rc delivery_prepare(int root_fd, const struct delivery_message *m, struct delivery **ret,
                                  struct err *e);
/* Moves a prepared delivery to new/ and, without a journal, syncs the folder: durable on RC_OK. With a
 * journal it is durable once journal_commit has taken delivery_record; when that fails, the caller undoes it.
 * On failure it is neither in new/ nor in tmp/, and over. d stays the caller's. */
MUST_USE enum rc delivery_commit(struct delivery *d, struct err *e);
/* Both for a message with one recipient and no journal: durable on RC_OK, else nothing is left behind. */
MUST_USE enum rc delivery_write(int root_fd, const struct delivery_message *m, struct err *e);
bool delivery_is_committed(const struct delivery *d);
/* Bytes of its file. */
uint64_t delivery_size(const struct delivery_message *m);
/* The record that journal_commit is to take, d's; NULL without a journal. */
struct buf *delivery_record(struct delivery *d);
/* Takes a committed one out of new/ again, because another recipient's commit of the same all-or-nothing
 * message failed; whoever saw it meanwhile sees it go. One that a session has claimed already stays. Nothing
 * happens to one that is not committed. */
void delivery_undo(struct delivery *d);
/* Frees *d and sets it to NULL; one that was not committed is removed from tmp/. Accepts a NULL delivery. */
void delivery_free(struct delivery **d);

#endif
