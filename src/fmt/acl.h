/* acl: who may do what with a mailbox (RFC 4314 §2), as IMAP and as the file dovecot-acl say it. Pure.
 *
 *   line       = identifier SP *letter [SP ":" *(name SP)] LF     ; "#" begins a comment
 *   identifier = ["-"] ("anyone" / "authenticated" / "group=" who / "owner" / "user=" who / "group-override="
 *                who)
 *
 * An identifier with a space in it stands in double quotes, where "\" takes the next byte as it is. "-" makes
 * the rights negative: what that one may not do (RFC 4314 §3). A right has a letter or a name; names that
 * stand for no letter are of Dovecot's plugins, and kept. IMAP's "anne" is user=anne, "$staff" is
 * group=staff, and "!$staff" is group-override=staff, as in Dovecot. */
#ifndef FMT_ACL_H
#define FMT_ACL_H

#include "base/arena.h"
#include "base/buf.h"

enum { ACL_BYTES_MAX = 64 << 10, ACL_WHO_MAX = 255, ACL_ID_MAX = ACL_WHO_MAX + 3 /* -!$ */ };

enum acl_kind { ACL_ANYONE, ACL_AUTHENTICATED, ACL_GROUP, ACL_OWNER, ACL_USER, ACL_GROUP_OVERRIDE };

struct acl_id {
    enum acl_kind kind;
    bool negative;
    str who; /* of a user or a group; else empty */
};

/* Rights are bits, by their places in these letters. */
#define ACL_LETTERS "lrswipkxtea"
enum acl_right {
    ACL_L = 1 << 0,  /* look up: the mailbox is seen at all */
    ACL_R = 1 << 1,  /* read */
    ACL_S = 1 << 2,  /* keep \Seen */
    ACL_W = 1 << 3,  /* write flags and keywords other than \Seen and \Deleted */
    ACL_I = 1 << 4,  /* insert: APPEND, COPY into it */
    ACL_P = 1 << 5,  /* post: mail to its address, which mailboxes do not have here */
    ACL_K = 1 << 6,  /* create mailboxes below it */
    ACL_X = 1 << 7,  /* delete and rename it */
    ACL_T = 1 << 8,  /* write \Deleted */
    ACL_E = 1 << 9,  /* expunge */
    ACL_A = 1 << 10, /* administer: its rights */
    ACL_ALL_RIGHTS = (1 << (sizeof ACL_LETTERS - 1)) - 1
};

struct acl_entry {
    struct acl_id id;
    unsigned rights;
    str others; /* names without a letter, a space between two */
};

struct acl { /* in the order of enum acl_kind, then of who; each identifier once */
    struct acl_entry *v;
    size_t n;
};

/* The content of a file; it lies in the arena, and in the text. RC_INVALID: a line is none, so that nobody
 * can say who may do what; RC_LIMIT: the arena. */
MUST_USE enum rc acl_parse(str text, struct arena *a, struct acl *ret);
void acl_format(const struct acl *acl, struct buf *out);

enum acl_op { ACL_REPLACE, ACL_ADD, ACL_REMOVE, ACL_DELETE };
struct acl_change {
    struct acl_id id;
    enum acl_op op;
    unsigned rights;
};
/* Changes what was parsed; at most once, since there is room for one more entry. */
void acl_apply(struct acl *acl, const struct acl_change *change);

/* What a user may do who is not the owner, as Dovecot says it: of anyone, authenticated and the user himself,
 * in this order, the rights of each take the place of those before, and so do the negative rights, which are
 * taken off in the end. Nobody is a member of a group here. */
unsigned acl_rights_of(const struct acl *acl, str user);

/* As IMAP writes an identifier. RC_INVALID: nobody's name, or one that Dovecot keeps for its own ("#..."). */
MUST_USE enum rc acl_id_parse(str text, struct acl_id *ret);
void acl_id_put(struct buf *out, const struct acl_id *id);

/* Letters, also the old c for k and x, and d for t and e (RFC 4314 §2.1.1). RC_INVALID: another one. */
MUST_USE enum rc acl_rights_parse(str letters, unsigned *ret);
/* With c and d where one of theirs is there. */
void acl_rights_put(struct buf *out, unsigned rights);

#endif
