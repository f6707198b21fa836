/* store: the mailboxes of one account. Nothing above this header may know that there are files.
 *
 * An IMAP or POP3 session opens its account's store inside its cage, single-threaded. Behind this interface
 * lie Maildir++ folders (the truth for content, flags and UIDs) and malle.index (SQLite; can be deleted
 * whenever no session is open). See doc/storage.md for formats and crash states.
 *
 * Mailbox names here are UTF-8 with the configured hierarchy separator; "INBOX" (any case) is the inbox.
 * Errors: RC_GONE the mailbox or message is not there, RC_PERM refused (exists, name not allowed), RC_LIMIT a
 * quota or named limit, RC_TEMP the disk or a lock failed (the log text says what); nothing was changed then.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "fmt/acl.h"
#include "fmt/metadata.h"
#include "fmt/parked.h"
#include "fmt/quota_rule.h"
#include "fmt/uidset.h"

typedef uint64_t modseq;

/* Message flags; the low bits are those of Maildir names (D F P R S T). */
enum msg_flag {
    FLAG_DRAFT = 1,    /* D */
    FLAG_FLAGGED = 2,  /* F */
    FLAG_PASSED = 4,   /* P, of other programs: shown as the keyword $Forwarded */
    FLAG_ANSWERED = 8, /* R */
    FLAG_SEEN = 16,    /* S */
    FLAG_DELETED = 32  /* T */
};

enum special_use { USE_NONE, USE_ALL, USE_ARCHIVE, USE_DRAFTS, USE_FLAGGED, USE_JUNK, USE_SENT, USE_TRASH };

struct quota_terms; /* store/quota.h */

/* For whom an account is open who is not its owner. What he has no right to (fmt/acl.h) is RC_PERM with the
 * enhanced status x.7.1, or RC_GONE where he may not even look the mailbox up (RFC 4314 §6); the rights are
 * looked at anew by each call, so that one that was taken away is gone with the next. The server's own
 * settings of the account (names of subscriptions, uses of mailboxes, private annotations) are nothing to
 * him. */
enum { STORE_PREFIX_MAX = 400 };
struct store_guest {
    str user;   /* "bob@malle.test" */
    str prefix; /* in front of all names of mailboxes: "shared/anne@malle.test/" */
};

struct store_conf {
    str account;                     /* for logs and the index: "demo@malle.test" */
    str root;                        /* path of the Maildir as this process sees it (inside the cage) */
    str index_dir;                   /* "" for the Maildir itself (INDEX= of mail_location) */
    str hostname;                    /* goes into file names */
    char separator;                  /* hierarchy separator of the names, '.' or '/' */
    unsigned mailbox_max;            /* named limit: mailboxes per account */
    unsigned keyword_max;            /* named limit: keywords per mailbox, at most 64 */
    uint64_t append_max;             /* bytes */
    msec kept_ms;                    /* how long expunged messages are kept (store/kept.h), 0: not at all */
    bool create_defaults;            /* a new account gets Drafts, Sent, Junk, Trash, Archive, subscribed */
    const struct quota_terms *quota; /* lives as long as the store; NULL: no limit */
    const struct store_guest *guest; /* likewise; NULL: the owner, who may do everything */
    str shared_prefix; /* names that begin so are of mailboxes of others, which can be subscribed; "": none */
};

struct store; /* an open account */
struct box;   /* an open mailbox with the session's view of it */

/* Opens the account, creating Maildir (0700) and index when missing. A damaged index is set aside and
 * rebuilt. */
MUST_USE enum rc store_open(const struct store_conf *conf, struct store **ret, struct err *e);
struct store *store_close(struct store *st); /* finishes pending file names; accepts NULL, returns NULL */
/* The index was damaged, or removed by somebody: everything fails with RC_TEMP until the store is opened
 * again. */
bool store_is_stale(const struct store *st);

/* --- mailboxes --- */
struct store_box_info {
    str name;
    enum special_use use;
    bool subscribed, exists,
        noselect; /* subscribed names may not exist; parents of existing boxes may be noselect */
    bool has_children;
};
/* All mailboxes and subscribed names, sorted, INBOX first; the array lies in the arena. */
MUST_USE enum rc store_list(struct store *st, struct arena *a, struct store_box_info **ret, size_t *ret_n,
                            struct err *e);
MUST_USE enum rc store_create(struct store *st, str name, enum special_use use, struct err *e);
MUST_USE enum rc store_delete(struct store *st, str name, struct err *e);
/* Children move along; renaming INBOX moves its messages into the new mailbox (RFC 9051 §6.3.6). */
MUST_USE enum rc store_rename(struct store *st, str from, str to, struct err *e);
MUST_USE enum rc store_subscribe(struct store *st, str name, bool subscribed, struct err *e);

struct store_status {
    uint32_t messages, recent, unseen, deleted;
    uid32 uidnext;
    uint32_t uidvalidity;
    modseq highestmodseq;
    uint64_t size; /* CRLF bytes */
    char id[33];   /* of the mailbox for as long as it lives, also under another name (RFC 8474 §4) */
};
MUST_USE enum rc store_status(struct store *st, str name, struct store_status *ret, struct err *e);

/* Bytes that would come free if what has \Deleted were expunged (RFC 9208 §4.1.4). RC_GONE. */
MUST_USE enum rc store_deleted_size(struct store *st, str name, uint64_t *ret, struct err *e);

/* --- the quota; what would pass it is refused by append_room, append_finish, append_commit and box_copy with
 * RC_LIMIT or RC_PERM and the enhanced status x.2.2 --- */
struct store_quota {
    bool limited; /* that mailbox is counted, and there is a limit; else the rest is empty */
    struct quota_limits limits;
    struct quota_use use; /* of the account */
};
MUST_USE enum rc store_quota(struct store *st, str mailbox, struct store_quota *ret, struct err *e);

/* --- who else may do what with a mailbox (RFC 4314); its owner may do everything --- */
/* What the one may do for whom the store is open (enum acl_right). RC_GONE, also where that is nothing that
 * may be told him. */
MUST_USE enum rc store_rights(struct store *st, str mailbox, unsigned *ret, struct err *e);
/* The flags (enum msg_flag) that can be changed with these rights; keywords can be with ACL_W. */
static inline unsigned store_flags_of(unsigned rights)
{
    return (rights & ACL_S ? FLAG_SEEN : 0u) | (rights & ACL_T ? FLAG_DELETED : 0u) |
           (rights & ACL_W ? FLAG_DRAFT | FLAG_FLAGGED | FLAG_PASSED | FLAG_ANSWERED : 0u);
}
/* Lies in the arena. RC_GONE; RC_TEMP also when what is kept cannot be read: then nobody has a right. */
MUST_USE enum rc store_acl(struct store *st, str mailbox, struct arena *a, struct acl *ret, struct err *e);
/* Durable. RC_GONE; RC_LIMIT: it holds no more; RC_TEMP as above. */
MUST_USE enum rc store_acl_change(struct store *st, str mailbox, const struct acl_change *change,
                                  struct err *e);
/* The users who have rights anywhere, each once; "anyone" stands for everybody. No more than SHARED_WITH_MAX
 * are told. In the arena. */
enum { SHARED_WITH_MAX = 200 };
MUST_USE enum rc store_shared_with(struct store *st, struct arena *a, str **ret, size_t *ret_n,
                                   struct err *e);

/* --- annotations of mailboxes, and with an empty name those of the account (RFC 5464) --- */
/* All of them, in the arena. RC_GONE: no such mailbox. */
MUST_USE enum rc store_metadata(struct store *st, str mailbox, struct arena *a, struct metadata **ret,
                                size_t *ret_n, struct err *e);
/* Sets those with a value and removes those without, all or none, durable. RC_LIMIT: there would be more than
 * METADATA_ENTRIES_MAX. */
MUST_USE enum rc store_set_metadata(struct store *st, str mailbox, const struct metadata *v, size_t n,
                                    struct err *e);
MUST_USE enum rc store_special_use(struct store *st, str mailbox, enum special_use *ret, struct err *e);
MUST_USE enum rc store_set_special_use(struct store *st, str mailbox, enum special_use use, struct err *e);

/* --- an open mailbox --- */
/* Merges what changed on disk, takes a view. Not read_only: \Recent messages are claimed (moved from new/ to
 * cur/). */
MUST_USE enum rc box_open(struct store *st, str name, bool read_only, struct box **ret, struct err *e);
struct box *box_close(struct box *b);
const struct store_status *box_status(const struct box *b); /* of the view, as of the last open or sync */
bool box_read_only(const struct box *b);
unsigned box_rights(const struct box *b);           /* as store_rights, now */
const struct uidset *box_view(const struct box *b); /* UIDs of the view: sequence number = rank */
bool box_is_recent(const struct box *b, uid32 uid);
/* First unseen sequence number, 0 when there is none. */
uint32_t box_first_unseen(struct box *b);

/* What the session was told of the mailbox, for another one to go on with; the sets are the caller's
 * (parked_deinit). False: not now, since something that it did is not yet told or finished: after the next
 * box_sync. */
bool box_park(const struct box *b, struct parked_view *ret);
/* Opens the mailbox as it was then: nothing is merged or claimed, and the next box_sync tells the difference
 * between what was told and what is. RC_GONE: it was deleted, or is another one now. */
MUST_USE enum rc box_resume(struct store *st, str name, const struct parked_view *view, struct box **ret,
                            struct err *e);

/* Directory descriptors (O_PATH) of the folders to watch for changes by others: new/ and cur/. Owned by the
 * box. */
void box_watch_fds(const struct box *b, int ret_fd[2]);
/* The same of a mailbox that is not open; the caller closes them. RC_GONE. */
MUST_USE enum rc store_watch_fds(struct store *st, str name, int ret_fd[2], struct err *e);
/* The folder to watch for mailboxes that come and go, and for subscriptions. Owned by the store. */
int store_names_fd(const struct store *st);

/* Brings the view up to date with the index and the folders, and tells the differences in the order in which
 * a session must announce them: expunges (descending or with shifting numbers as given: seq is the number at
 * the moment of the call), then one count if messages arrived, then flag changes. */
enum box_sync_flag {
    BOX_SYNC_NO_EXPUNGE = 1, /* expunges stay invisible until a later sync (RFC 9051 §7.5.1) */
    BOX_SYNC_SCAN = 2        /* look at the folders even when their times did not change */
};
struct box_events {
    void (*expunged)(void *ctx, uint32_t seq, uid32 uid);
    void (*exists)(void *ctx, uint32_t count, uint32_t recent);
    void (*flags)(void *ctx, uint32_t seq,
                  uid32 uid); /* changed by others, or by a command of ours not told yet */
    void *ctx;
};
MUST_USE enum rc box_sync(struct box *b, unsigned sync_flags, const struct box_events *ev, struct err *e);

/* --- keywords --- */
/* Names of the mailbox's keywords; a set bit k in struct box_msg.keywords means names[k]. Valid until the
 * next call on b. */
size_t box_keywords(const struct box *b, const str **ret_names);
bool box_keyword_room(const struct box *b); /* PERMANENTFLAGS \* */

/* --- messages --- */
enum box_want { /* columns beyond the cheap ones */
                BOX_WANT_ENVELOPE = 1,
                BOX_WANT_BODY = 2,
                BOX_WANT_BODYSTRUCTURE = 4,
                BOX_WANT_REFERENCES = 8,
                BOX_WANT_OBJECT = 16,
                BOX_WANT_HEADER = 32,
                BOX_WANT_SIGNATURE = 64
};
struct box_msg {
    uid32 uid;
    uint32_t seq;
    unsigned flags;    /* enum msg_flag */
    uint64_t keywords; /* bits into box_keywords */
    modseq modseq;
    int64_t internal_date, save_date; /* seconds since 1970 */
    uint64_t size;                    /* RFC822.SIZE: CRLF bytes */
    str envelope, body,
        bodystructure; /* text as it is sent (RFC 9051 §7.5.2); only when wanted, valid until next */
    str references;    /* message ids (fmt/references.h); likewise */
    str header;    /* its common fields (fmt/header_common.h); .p is NULL where they are too long to be kept;
                      likewise */
    str signature; /* of its text (fmt/textsig.h); .p is NULL where there is none; likewise */
    str email_id;  /* of the content, the same for its copies: 1 to 255 letters, digits, "_", "-"; likewise */
};
/* Walks the messages of `uids` that are in the view, ascending. What is wanted and not cached yet is made
 * from the content and cached. A message whose file is gone is skipped (the next sync tells). */
struct box_query;
MUST_USE enum rc box_query_open(struct box *b, const struct uidset *uids, unsigned want,
                                struct box_query **ret, struct err *e);
/* RC_OK with *ret filled, RC_GONE at the end. */
MUST_USE enum rc box_query_next(struct box_query *q, struct box_msg *ret, struct err *e);
struct box_query *box_query_close(struct box_query *q);

/* Takes off `uids` what was expunged since the view was taken. */
MUST_USE enum rc box_drop_expunged(struct box *b, struct uidset *uids, struct err *e);

/* UIDs of `among`, which are in the view, whose messages have one of the flags (enum msg_flag) or keywords
 * (bits into box_keywords); with `none` those that have none of them. */
MUST_USE enum rc box_find_flags(struct box *b, const struct uidset *among, unsigned flags, uint64_t keywords,
                                bool none, struct uidset *ret, struct err *e);

/* Modification sequences (RFC 7162) rise with every change of a mailbox and never go back, also when the
 * index is built anew. Adds the UIDs of the view whose messages are newer than `since`; reads only what
 * changed. */
MUST_USE enum rc box_changed_since(struct box *b, modseq since, struct uidset *ret, struct err *e);
/* Adds the UIDs that vanished after `since` and are not in the view. The history of expunges is bounded:
 * where it does not reach back far enough, others that are not there are added too (RFC 7162 §3.2.5.1). */
MUST_USE enum rc box_vanished_since(struct box *b, modseq since, struct uidset *ret, struct err *e);

/* The stored bytes, LF or CRLF as they lie there (fmt/crlf.h makes the CRLF form). */
struct box_content {
    str raw;
    void *map; /* private */
};
MUST_USE enum rc box_content_open(struct box *b, uid32 uid, struct box_content *ret, struct err *e);
void box_content_close(struct box_content *c);

/* The message's POP3 unique-id (RFC 1939 §7): from the uidlist's P field, else derived from UID and
 * UIDVALIDITY. */
MUST_USE enum rc box_pop3_uidl(struct box *b, uid32 uid, struct buf *out, struct err *e);

enum flag_op { FLAGS_REPLACE, FLAGS_ADD, FLAGS_REMOVE };
struct flag_change {
    enum flag_op op;
    unsigned flags;      /* enum msg_flag */
    const str *keywords; /* names; unknown ones are created while there is room */
    size_t n_keywords;
    modseq unchanged_since; /* UINT64_MAX: unconditional (RFC 7162 §3.1.3) */
};
/* One durable commit for the whole set. Of the flags those are changed that a guest has the right to; RC_PERM
 * when he has it to none of those that are named (RFC 4314 §4). ret_failed (may be NULL) gets the UIDs that
 * changed since. The caller's own changes are not reported by box_sync when silent is true. */
MUST_USE enum rc box_change_flags(struct box *b, const struct uidset *uids, const struct flag_change *change,
                                  bool silent, struct uidset *ret_failed, struct err *e);

/* Expunges the messages of `uids` (NULL: all) that have \Deleted; with any_flags also those without it (MOVE,
 * POP3). The next box_sync tells. Durable on return. */
MUST_USE enum rc box_expunge(struct box *b, const struct uidset *uids, bool any_flags, struct err *e);

struct box_copied {
    uint32_t uidvalidity;   /* of the destination; 0 when nothing was copied */
    struct uidset from, to; /* equal counts, n-th to n-th; owned by the caller (uidset_deinit) */
};
/* Whom box_copy tells how many messages of how many it has copied; NULL: nobody. */
void store_on_progress(struct store *st, void (*tell)(void *ctx, uint32_t done, uint32_t all), void *ctx);
/* Copies all or nothing, flags and dates kept. RC_GONE: no such destination (TRYCREATE). With move, the
 * originals are expunged after the copies are durable. */
MUST_USE enum rc box_copy(struct box *b, const struct uidset *uids, str dest, bool move,
                          struct box_copied *ret, struct err *e);

/* --- append: one message or several, all or none, also across a crash --- */
enum { APPEND_MESSAGES_MAX = 1000 };
struct append;
struct append_message {
    unsigned flags; /* enum msg_flag */
    const str *keywords;
    size_t n_keywords;
    int64_t internal_date;
};
struct append_result {
    uint32_t uidvalidity;
    uid32 first, last; /* in the order in which they came */
};
MUST_USE enum rc append_begin(struct store *st, str mailbox, struct append **ret, struct err *e);
/* The message goes when the new one comes; b stays open until then. Before the first byte. RC_GONE: it is not
 * there. */
MUST_USE enum rc append_replace(struct append *ap, struct box *b, uid32 uid, struct err *e);
/* Whether the quota has room for so many bytes more of the message that has begun, or begins. */
MUST_USE enum rc append_room(struct append *ap, uint64_t bytes, struct err *e);
/* Message bytes as the client sends them (CRLF); RC_LIMIT past append_max (x.3.4) or APPEND_MESSAGES_MAX. */
MUST_USE enum rc append_write(struct append *ap, str bytes, struct err *e);
/* The message is complete; what is written next begins another. */
MUST_USE enum rc append_finish(struct append *ap, const struct append_message *msg, struct err *e);
/* Durable with their UIDs on return; frees ap whatever the result. At least one message, and each finished.
 */
MUST_USE enum rc append_commit(struct append **ap, struct append_result *ret, struct err *e);
void append_abort(struct append **ap);

#endif
