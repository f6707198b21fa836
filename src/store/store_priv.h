/* store_priv: what the files of src/store share behind store.h: the open account, a folder with its index
 * row, and the steps that change it. Not included from outside this folder.
 *
 * Order of locks: dovecot-uidlist.lock of a folder first, then the index's write transaction; never the other
 * way. */
#ifndef STORE_STORE_PRIV_H
#define STORE_STORE_PRIV_H

#include "os/db.h"
#include "store/dotlock.h"
#include "store/quota.h"
#include "store/store.h"

#include <sys/stat.h>

enum { DIR_NAME_MAX = 255, KEYWORD_BITS = 64, DIRTY_SECONDS = 2 };
enum { CLOCK_GRAIN_US = 10000 }; /* times of files come from a clock that ticks so slowly */

struct store {
    struct store_conf conf; /* its strings are copies owned by the store */
    char *index_path;
    int root_fd;
    struct db *db;
    struct stat index_stat; /* which file db is */
    struct dotlock_file lock_file;
    void (*tell_progress)(void *ctx, uint32_t done, uint32_t all); /* NULL: nobody listens */
    void *progress_ctx;
    bool stale; /* the file at index_path is no longer db, or db is damaged: open the store again */
};

/* --- errors (store_err.c): each fills *e and returns its rc --- */
enum rc store_errno(struct err *e, const char *what,
                    const char *name); /* from errno: RC_LIMIT, RC_PERM or RC_TEMP */
enum rc store_gone(struct err *e);
enum rc store_refuse(struct err *e, const char *why);
enum rc store_not_permitted(struct err *e); /* to a guest */
uint64_t store_random(void);

/* store.c: brings the names of files up to the rows in all folders, as far as that can be done now. */
void store_flush_names(struct store *st);

/* --- the index file (index.c) --- */
MUST_USE enum rc index_open(struct store *st, struct err *e);
/* RC_TEMP (and st->stale) when the index's file was replaced or the index is damaged. */
MUST_USE enum rc index_check(struct store *st, struct err *e);
/* Renames the index to malle.index.damaged; the Maildir's flock is held. */
void index_set_aside(struct store *st);
/* Passes rc on; a damaged index is set aside, so that the next store_open builds a new one. */
void index_damage(struct store *st, enum rc rc); /* the same where there is nobody to tell */
MUST_USE enum rc index_result(struct store *st, enum rc rc, struct err *e);

/* Rows of messages are keyed by mailbox * 2^32 + UID. */
static inline int64_t index_key(int64_t mailbox, uid32 uid)
{
    return mailbox << 32 | uid;
}

/* --- all mailboxes, also those that a guest may not see (mailbox_list.c) --- */
MUST_USE enum rc mailbox_count(struct store *st, size_t *ret, struct err *e);

/* --- names (names.c) --- */
/* Folder name on disk ("" for INBOX, ".A.B") of a mailbox name, and back. RC_PERM: not allowed. */
MUST_USE enum rc name_to_dir(const struct store *st, str name, char ret_dir[DIR_NAME_MAX + 1], struct err *e);
MUST_USE enum rc name_from_dir(const struct store *st, str dir, struct buf *out);
/* Whether a name of a mailbox of others may stand among the subscriptions. */
bool name_is_plain(str name);
/* Special use that a folder has by its name alone. */
enum special_use name_default_use(str dir);

/* --- a folder and its row in the index (folder.c) --- */
struct file_stamp { /* tells whether a file was changed by others */
    int64_t ino, size, mtime_ns;
};

enum folder_dirty {
    DIRTY_NEW = 1, /* new/ or cur/ was changed too recently for its time to be trusted */
    DIRTY_CUR = 2,
    OWN_CUR = 4 /* cur/ was changed by us while its time was known: looked through at the next open */
};

struct folder {
    struct store *st;
    char dir[DIR_NAME_MAX + 1];
    int fd, new_fd, cur_fd;
    int64_t id;

    /* columns of its row */
    uint32_t uidvalidity;
    uid32 uidnext;
    modseq modseq;
    uint32_t messages, unseen, deleted;
    uint64_t size;
    int64_t new_time_ns, cur_time_ns;
    unsigned dirty; /* enum folder_dirty */
    struct file_stamp uidlist, keyword_file;
    int64_t uidlist_records;
    char guid[33];

    char *keyword[KEYWORD_BITS]; /* NULL: unused */
    modseq keyword_modseq;       /* of the row when they were read; keywords never change without it */
};

/* Opens the folder's descriptors and its row, which is made when missing. RC_GONE: no such folder. */
MUST_USE enum rc folder_open(struct store *st, const char *dir, struct folder *ret, struct err *e);
void folder_close(struct folder *f);
/* Its guid, or what stands for one where the uidlist cannot be written. */
void folder_object_id(const struct folder *f, char ret[33]);
/* Reads the row again. RC_GONE: the mailbox was deleted, or is another one now. */
MUST_USE enum rc folder_reload(struct folder *f, struct err *e);
/* Inside a transaction: puts modseq ahead of all that an index which is no longer there may have given, and
 * notes that nothing is known of what vanished before. */
MUST_USE enum rc folder_begin_history(struct folder *f, struct err *e);
/* Write transaction on a folder: begin reloads the row, commit saves it. Failing calls leave no transaction
 * open. */
MUST_USE enum rc folder_begin(struct folder *f, bool durable, struct err *e);
MUST_USE enum rc folder_commit(struct folder *f, struct err *e);
void folder_rollback(struct folder *f);
/* rc of a step inside the transaction: commit when RC_OK, else roll back. */
MUST_USE enum rc folder_end(struct folder *f, enum rc rc, struct err *e);
void file_stamp_get(const struct stat *st, struct file_stamp *ret);
bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b);
int64_t dir_time_ns(int fd);

/* folder_care.c */
/* Writes a small file of the folder anew, by way of its tmp/; durable. Its lock is held. */
MUST_USE enum rc folder_file_replace(int folder_fd, const char *name, str content, struct err *e);
void folder_clean_tmp(struct folder *f); /* removes files in tmp/ that are older than 36 hours */
/* From the file malle.use in the folder, else by its name. */
enum special_use folder_use(const struct store *st, const char *dir);
MUST_USE enum rc folder_set_use(struct folder *f, enum special_use use, struct err *e);

/* Own changes to cur/ and new/: begin notes whether their times are still the known ones, end takes over the
 * new. */
struct own_change {
    bool new_known, cur_known;
};
struct own_change own_change_begin(const struct folder *f);
void own_change_end(struct folder *f, struct own_change c);

/* --- the set of UIDs in chunks (chunk.c) --- */
enum { CHUNK_BITS = 12 };
/* Brings view up to date with the chunks changed after `since`. */
MUST_USE enum rc chunk_load(struct folder *f, modseq since, struct uidset *view, struct err *e);
MUST_USE enum rc chunk_add(struct folder *f, const struct uidset *uids, struct err *e);
MUST_USE enum rc chunk_del(struct folder *f, const struct uidset *uids, struct err *e);
MUST_USE enum rc chunk_touch(struct folder *f, const struct uidset *uids, struct err *e);

/* --- the quota (box_quota.c) --- */
/* Whether messages of this mailbox are counted anywhere. */
bool folder_is_counted(const struct folder *f);
/* Bytes of a file below the folder, by its name where that tells. False: it is gone. */
bool folder_file_size(const struct folder *f, str path, uint64_t *ret);
MUST_USE enum rc folder_use_of(struct folder *f, const struct uidset *uids, struct quota_use *ret,
                               struct err *e);
/* What is about to be put into a folder. */
struct folder_load {
    struct quota_use use;
    struct quota_use freed; /* comes free when it is there */
    enum quota_way way;
};
/* Whether it fits now; nothing is counted (quota_check). */
MUST_USE enum rc folder_room(struct folder *f, const struct folder_load *load, struct err *e);
/* Counts it, or refuses it (quota_take). No transaction of the index may be open. */
MUST_USE enum rc folder_take(struct folder *f, const struct folder_load *load, struct quota_taken *ret,
                             struct err *e);
void folder_taken_end(struct folder *f, struct quota_taken *t, bool kept);
void folder_give(struct folder *f, const struct quota_use *gone);
void store_quota_deleted(struct store *st); /* after a mailbox went as a whole */
void store_quota_renamed(struct store *st); /* after mailboxes got other names */

/* --- messages in the index (messages.c) --- */
struct newcomer {
    uid32 uid; /* 0: the next free one is assigned */
    str base, info, fields;
    bool in_new;
    unsigned flags;
    uint64_t keywords;
    int64_t internal_date, save_date;
    int64_t size; /* CRLF bytes; unknown: minus the bytes on disk (at least -1) */
};
/* Adds rows for v[0..n) inside a transaction, with modseq f->modseq, in ascending order of UIDs. */
MUST_USE enum rc messages_insert(struct folder *f, struct newcomer *v, size_t n, struct err *e);
/* Gives messages other UIDs, which are free and above all that clients were told: the old ones are logged as
 * expunged, the new ones have modseq f->modseq and all that the messages had. */
struct uid_change {
    uid32 from, to;
};
MUST_USE enum rc messages_renumber(struct folder *f, const struct uid_change *v, size_t n, struct err *e);
/* Removes the rows of uids and logs them as expunged. */
MUST_USE enum rc messages_delete(struct folder *f, const struct uidset *uids, struct err *e);
/* Whether the tables agree on which UIDs there are; RC_INVALID when not: the index is damaged. Inside a
 * transaction. */
MUST_USE enum rc messages_verify(struct folder *f, struct err *e);
/* CRLF bytes that a row's size column stands for: exact, or an upper bound. */
uint64_t message_size_bound(int64_t size);
/* Removes all rows of a mailbox. */
MUST_USE enum rc messages_forget(struct store *st, int64_t mailbox, struct err *e);

/* --- ids of contents (object_id.c) --- */
enum { OBJECT_ID_MAX = 255 };
/* Of a message with this base and these fields in the uidlist; STR_NONE when the arena is exhausted. */
str object_id(struct arena *a, str base, str fields);

/* --- the history of expunges (changes.c); inside a transaction --- */
/* Notes that nothing is known of what vanished up to now, because the index is new to this numbering. */
MUST_USE enum rc history_begin(const struct folder *f, struct err *e);
/* Keeps the history within its bound. */
MUST_USE enum rc history_trim(const struct folder *f, struct err *e);

/* --- dovecot-uidlist (uidlist_file.c); the caller holds its lock and a transaction --- */
struct uidlist_entry {
    uid32 uid;
    str base, fields;
    int64_t crlf_size; /* -1 unknown */
};
struct uidlist_file {
    bool changed;  /* by others since the index saw it; the entries below are filled then */
    bool rewrite;  /* appending would not do */
    bool verified; /* messages_verify was called in this transaction */
    struct buf text;
    struct uidlist_entry *v; /* the last line of each base */
    size_t n;
    struct map *by_base; /* values are indices + 1 */
};
/* Reads the file when it is not the one that the row knows; sets uidvalidity and uidnext from it. */
MUST_USE enum rc uidlist_file_refresh(struct folder *f, struct uidlist_file *u, bool force, struct err *e);
void uidlist_file_deinit(struct uidlist_file *u);
const struct uidlist_entry *uidlist_file_find(const struct uidlist_file *u, str base);
/* Makes the file say what the index says: appends the rows with a UID of at least `first`, or writes it anew.
 * Durable. */
MUST_USE enum rc uidlist_file_save(struct folder *f, struct uidlist_file *u, uid32 first, struct err *e);
/* Forgets all messages and writes an empty file with a higher UIDVALIDITY: there were no UIDs left (RFC 9051
 * §2.3.1.1). Lock and transaction held. */
MUST_USE enum rc uidlist_file_renumber(struct folder *f, struct err *e);

/* --- dovecot-keywords (keyword_file.c) --- */
MUST_USE enum rc keywords_load(struct folder *f, struct err *e); /* from the index into f->keyword */
/* Merges the file into the index when it changed; inside a transaction. */
MUST_USE enum rc keywords_merge(struct folder *f, struct err *e);
/* Bits of names; with create (lock and transaction held) unknown ones are made while there is room. A name
 * that is unknown and not made is left out, and *ret_missing is set. */
MUST_USE enum rc keywords_bits(struct folder *f, const str *names, size_t n, bool create, uint64_t *ret,
                               bool *ret_missing, struct err *e);
/* Names letters that files carry and nobody named ("unknown-7", as Dovecot does). */
MUST_USE enum rc keywords_name_letters(struct folder *f, uint64_t used, struct err *e);

/* --- rights of others (mailbox_acl.c) --- */
/* Lies in the arena. RC_TEMP: what is kept cannot be read, and nobody has a right. */
MUST_USE enum rc acl_read(int folder_fd, struct arena *a, struct acl *ret, struct err *e);
/* What the one may do with a folder for whom the store is open. */
unsigned folder_rights(const struct store *st, int folder_fd);
/* Whether that is all of these; else RC_PERM or RC_GONE, as store.h says. */
MUST_USE enum rc folder_need(const struct store *st, int folder_fd, unsigned rights, struct err *e);
/* Whether he may make, or rename to, a folder of this name. */
MUST_USE enum rc folder_need_parent(const struct store *st, const char *dir, struct err *e);
/* A folder that was just made gets those of the nearest one above it. */
MUST_USE enum rc acl_inherit(struct store *st, const char *dir, struct err *e);
/* Dovecot makes its list of what others may look up anew: names or rights have changed. */
void acl_list_forget(const struct store *st);

/* --- the folder as it lies on disk --- */
enum merge_when { MERGE_SYNC, MERGE_OPEN, MERGE_FORCE };
/* merge.c: looks for changes by others and takes them into the index; durable, but for what an index that is
 * new to the mailbox finds: when a crash takes that away, it is found again and told under modseqs that are
 * ahead of those that were given. */
MUST_USE enum rc folder_merge(struct folder *f, enum merge_when when, struct err *e);
/* The same for who holds the folder's lock, or wants it after: it is taken when it is needed, and held from
 * then on. */
MUST_USE enum rc folder_merge_locked(struct folder *f, enum merge_when when, struct dotlock *lock,
                                     struct err *e);

/* file_names.c */
/* Path of a message's file below the folder: "cur/x:2,S". */
void file_path(struct buf *out, bool in_new, str base, str info);
/* A new base, different from all others. */
void file_new_base(struct store *st, struct buf *out, uint64_t size, uint64_t crlf_size);
/* The path at which the index knows the message with this UID: that it is there shows when it is used.
 * RC_GONE.
 */
MUST_USE enum rc file_known(struct folder *f, uid32 uid, struct buf *out, struct err *e);
/* The row of a base, as key, info, in_new, flags, keywords: RC_GONE when there is none. */
MUST_USE enum rc file_row(const struct folder *f, str base, struct db_stmt **ret, struct err *e);
/* The path at which it lies now, found by a scan when its name changed. RC_GONE. */
MUST_USE enum rc file_locate(struct folder *f, uid32 uid, struct buf *out, struct err *e);
/* The same by its base, below the folder dir_fd. RC_GONE. */
MUST_USE enum rc file_find(int dir_fd, str base, struct buf *out, struct err *e);
/* Moves messages from new/ to cur/ and tells which. */
MUST_USE enum rc file_claim_new(struct folder *f, struct uidset *ret_recent, struct err *e);
/* Brings names up to the rows where they are behind. */
MUST_USE enum rc file_names_flush(struct folder *f, struct err *e);

/* subscriptions.c: names are those of folders without the leading dot, "INBOX" for "" */
MUST_USE enum rc subscriptions_read(struct store *st, struct arena *a, str **ret, size_t *ret_n,
                                    struct err *e);
MUST_USE enum rc subscriptions_set(struct store *st, str dir_name, bool on, struct err *e);

/* --- an open mailbox --- */
enum { SILENT_MAX = 64 };
struct box {
    struct folder f;
    bool read_only, file_gone;        /* file_gone: a file was missing; the next sync looks everywhere */
    struct uidset view, recent, gone; /* gone: expunged, not told yet */
    struct uidset untold;             /* changed by others, behind a silent change of our own */
    modseq told;
    modseq silent[SILENT_MAX]; /* own changes that are not to be told */
    size_t n_silent;
    struct store_status status;
    str keyword_view[KEYWORD_BITS];
};
/* box_open.c: merges what changed on disk, claims what is new, reads the row. */
MUST_USE enum rc box_refresh(struct box *b, enum merge_when when, struct err *e);
/* box_sync.c: whether m is a change of our own that is not to be told. */
bool box_is_silent(const struct box *b, modseq m);
/* changes.c: rows (key, modseq) of the messages that are newer, ascending by key. */
MUST_USE enum rc changed_query(const struct box *b, modseq since, struct db_stmt **ret, struct err *e);
/* Counts as of the present view. */
void box_update_status(struct box *b);

/* expunge.c: box_expunge; without `keeps` nothing is kept, because it lies elsewhere now. */
MUST_USE enum rc box_remove(struct box *b, const struct uidset *uids, bool any_flags, bool keeps,
                            struct err *e);

/* --- what is kept of expunged messages (kept.c) --- */
/* Today's place for those of a folder; -1: none is kept. RC_LIMIT: there is no room for one. */
MUST_USE enum rc kept_open(const struct folder *f, int *ret_fd, struct err *e);
void kept_purge(struct store *st); /* removes what has been there long enough */

/* --- new messages of our own (arrival.c) --- */
/* Files that lie complete in cur/ under lock and transaction get UIDs, rows and lines in the uidlist. */
struct arrival {
    struct dotlock lock;
    struct uidlist_file uidlist;
    uid32 first; /* UIDs from here on are new */
    struct own_change own;
};
/* Locks the folder and begins the transaction; everything is undone by arrival_end with an rc other than
 * RC_OK. */
MUST_USE enum rc arrival_begin(struct folder *f, struct arrival *ret, struct err *e);
/* rc of what was done in between; gives the newcomers their UIDs when it is RC_OK. The lock stays held. */
MUST_USE enum rc arrival_commit(struct folder *f, struct arrival *a, enum rc rc, struct newcomer *v, size_t n,
                                struct err *e);
/* The same, and lets the lock go. */
MUST_USE enum rc arrival_end(struct folder *f, struct arrival *a, enum rc rc, struct newcomer *v, size_t n,
                             struct err *e);

/* --- several renames as one change (one_change.c); the caller holds the folder's lock --- */
/* Steps (fmt/append_record.h) are about to be done; from here on a crash is followed by all of them. */
MUST_USE enum rc one_change_note(struct folder *f, str steps, struct err *e);
/* They were done, or taken back. */
void one_change_done(struct folder *f);
/* Does what a crash left undone. *ret_found: there was something, so names have changed. */
MUST_USE enum rc one_change_finish(struct folder *f, bool *ret_found, struct err *e);
/* Without the lock: whether something is noted. */
bool one_change_is_open(const struct folder *f);

#endif
