/* identity: who an account is for the kernel and where its mail lies. auth makes it after a password was
 * verified or an address was resolved; mailbox and deliver act on it. It never passes through a process that
 * talks to the network. */
#ifndef ACCOUNT_IDENTITY_H
#define ACCOUNT_IDENTITY_H

#include "base/buf.h"
#include "fmt/quota_rule.h"

#include <sys/types.h>

enum {
    IDENTITY_GROUPS_MAX = 32,
    IDENTITY_PATH_MAX = 1024,
    IDENTITY_ACCOUNT_MAX = 320,
    IDENTITY_BYTES_MAX = 8192
};

struct account_identity {
    char account[IDENTITY_ACCOUNT_MAX + 1]; /* "demo@malle.test", or a system user's name */
    uid_t uid;
    gid_t gid;
    gid_t groups[IDENTITY_GROUPS_MAX];
    size_t n_groups;
    bool system;                           /* a system user: mail below its home */
    char home[IDENTITY_PATH_MAX + 1];      /* absolute; the Maildir for accounts of the database */
    char mail_dir[IDENTITY_PATH_MAX + 1];  /* the Maildir, absolute, mail_location expanded */
    char index_dir[IDENTITY_PATH_MAX + 1]; /* INDEX=, or the same as mail_dir */
    char mail_root[IDENTITY_PATH_MAX +
                   1]; /* the folder below which all mail of its uid lies; "": as the settings say */
    /* The account's own rules of its quota, one a line, each at the place of the one of the option quota_rule
     * that it replaces; an empty line replaces none (conf_quota_rules). */
    char quota[QUOTA_RULES_BYTES + 1];
};

void identity_put(struct buf *out, const struct account_identity *id);
/* RC_INVALID when malformed, when a path is not absolute or has a "." or ".." component, or when an id is one
 * that nobody may become: uid or gid (uid_t)-1, which the kernel reads as "leave it as it is", or one of the
 * groups -1 or 0. */
MUST_USE enum rc identity_get(str bytes, struct account_identity *ret);

/* Sets home from a passwd entry: "." components and repeated slashes are left out. RC_PERM: not absolute,
 * with a ".." component, or too long; e says why. */
MUST_USE enum rc identity_set_home(struct account_identity *id, str path, struct err *e);

/* Fills home (when empty), mail_dir and index_dir from a location of the configuration. RC_PERM: the account
 * or its home gives no path, e says why. */
MUST_USE enum rc identity_locate(struct account_identity *id, str location, struct err *e);
/* Fills mail_root of a user of a database, whose location was `location`: `configured`, when it is not empty;
 * else the folder in front of the first part that has a variable, or is the name of the user or of his
 * domain. RC_PERM: the mail does not lie below `configured`. */
MUST_USE enum rc identity_place_root(struct account_identity *id, str location, str configured,
                                     struct err *e);
/* The path as a process sees it whose root folder is `root`; NULL when it does not lie there. */
const char *identity_path_inside(const char *path, const char *root);
/* uid 0 and uids outside first_valid_uid..last_valid_uid (0: no limit) never get a session or a delivery. */
bool identity_uid_permitted(uid_t uid, int first_valid_uid, int last_valid_uid);
/* The same of groups: primary ones outside keep a user out, others are left away. */
bool identity_gid_permitted(gid_t gid, int first_valid_gid, int last_valid_gid);

#endif
