/* quota_rule: how much mail an account may have, in the words of Dovecot 2.3's plugin quota: rules, grace and
 * warnings, and whether something still fits.
 *
 *   rule    = mailbox ":" ("ignore" / limit *(":" limit))
 *   mailbox = "*" / "?"                          ; what holds for all that is counted together
 *           / mask                               ; one mailbox, "*" and "%" as in LIST
 *   limit   = "storage=" amount / "bytes=" amount / "messages=" amount
 *   amount  = ["+" / "-"] 1*DIGIT [unit]         ; with a sign: so much more or less than "*" has
 *   unit    = "b" / "k" / "M" / "G" / "T" ["B"]  ; "storage" without one is in kilobytes
 *           / "%"                                ; of what "*" has
 *   warning = ["-"] limit *(":" limit) [SP command]
 *   trash   = 1*DIGIT SP mailbox                 ; its old messages make room, those of the lowest number
 * first
 *
 * Rules are handed about as a text, one rule a line; of two for "*" each limit counts that stands last. 0 is
 * no limit. What is counted is what files take, in bytes. */
#ifndef FMT_QUOTA_RULE_H
#define FMT_QUOTA_RULE_H

#include "base/buf.h"

enum { QUOTA_RULES_MAX = 20, QUOTA_RULES_BYTES = 2000, QUOTA_TRASH_MAX = 20 };

struct quota_amount {
    enum { QUOTA_UNSET, QUOTA_IS, QUOTA_MORE, QUOTA_LESS } kind;
    bool percent;
    uint64_t n;
};

struct quota_rule {
    str mailbox;
    bool general, ignored; /* for "*"; what lies there is not counted */
    struct quota_amount bytes, messages;
};
/* RC_INVALID: it is none, or "*" is to be ignored or relative to itself. */
MUST_USE enum rc quota_rule_parse(str text, struct quota_rule *ret);

struct quota_limits {
    uint64_t bytes, messages; /* 0: none */
    bool ignored;
};
/* What the rules say for a mailbox; "" asks for what holds for all. Lines that are no rules do not count. */
struct quota_limits quota_limits_of(str rules, str mailbox, char separator);

/* Bytes by which a delivery may pass a limit; 0 where the text is no amount. */
uint64_t quota_grace(str text, uint64_t limit);
bool quota_grace_valid(str text);

struct quota_use {
    uint64_t bytes, messages;
};
enum quota_verdict {
    QUOTA_FITS,
    QUOTA_OVER, /* once there is room it will fit */
    QUOTA_NEVER /* one message that is larger than the limit itself */
};
enum quota_verdict quota_judge(const struct quota_limits *l, const struct quota_use *before,
                               const struct quota_use *added, uint64_t grace);

struct quota_warning {
    bool below; /* told when the use falls below it */
    struct quota_amount bytes, messages;
    str command;
};
MUST_USE enum rc quota_warning_parse(str text, struct quota_warning *ret);
/* Whether the use crossed it on its way, under these limits. */
bool quota_warning_crossed(const struct quota_warning *w, const struct quota_limits *l,
                           const struct quota_use *before, const struct quota_use *after);

/* RC_INVALID: it is none. */
MUST_USE enum rc quota_trash_parse(str text, uint32_t *ret_priority, str *ret_mailbox);

/* Appends "*:bytes=N:messages=N", with only the limits that there are; without any "*:bytes=0:messages=0". */
void quota_rule_put(struct buf *out, const struct quota_limits *l);

#endif
