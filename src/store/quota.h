/* quota: how much mail an account has and may have. Used by `deliver`, by sessions through the store, and by
 * programs that become the user; all of them the same uid, in different processes.
 *
 * The count lies in `maildirsize` at the top of the Maildir (fmt/maildirsize.h), where there is a limit or
 * the file was there before. Whoever adds a message appends a line first and reads what all lines up to its
 * own come to, so each change has the use before and after it to itself: of two that would pass the limit one
 * is refused, and a warning is told once. Whoever takes messages away appends a line afterwards. A crash in
 * between leaves the count too high, never too low; and before anything is refused, a count that nobody
 * changed for QUOTA_STALE_SECONDS is made anew from the files, as after changes by programs that know nothing
 * of it. A prepared delivery in tmp/ counts.
 *
 * What all accounts of a domain may have together, and have, is counted outside of the cages
 * (account/domain_total.h): it is read here, and what the account has is told there, so what came in the last
 * moments may not be in it.
 *
 * Whoever changes the file holds a shared flock on it; whoever replaces it an exclusive one, for that moment.
 */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include "fmt/quota_rule.h"

enum { QUOTA_STALE_SECONDS = 60 };

struct quota_terms {       /* for one account; zeroed: there is no limit */
    str account, hostname; /* who is warned, by whom */
    str postmaster;        /* the address that the warning comes from; empty: postmaster of the host */
    str rules;             /* fmt/quota_rule.h */
    str grace;             /* by which a delivery may pass the limit */
    str refusal;           /* told to whoever is refused */
    uint64_t mail_max;     /* bytes of one message; 0: any */
    bool tempfail;         /* refused for now (452), not for good (552) */
    const str *warnings;   /* fmt/quota_rule.h; the first that is crossed is told */
    size_t n_warnings;
    /* Has the command of a warning run, which is what the user hears of then. NULL, or false: by a message.
     */
    bool (*run)(void *ctx, const struct quota_terms *q, size_t warning);
    void *run_ctx;
    const str *trash; /* "PRIORITY MAILBOX": whose old messages make room (fmt/quota_rule.h) */
    size_t n_trash;
    const int *domain_total; /* the file of the domain's total; NULL: it has none */
    /* Tells what the account has now. NULL: nobody is told. */
    void (*tell)(void *ctx, const struct quota_terms *q, const struct quota_use *use);
    void *tell_ctx;
    char separator; /* of mailbox names */
};

enum quota_way {
    QUOTA_DELIVERED, /* grace counts */
    QUOTA_SAVED,     /* by the user */
    QUOTA_MOVED      /* it was counted already: never refused, and no warning */
};
struct quota_load { /* messages on their way */
    str mailbox;
    struct quota_use use;
    enum quota_way way;
    bool asked;             /* by somebody who brings nothing yet: no old message has to go for it */
    struct quota_use freed; /* comes free when they are there (RFC 8508 §3.4) */
};
struct quota_taken {
    bool counted;
    int fd; /* keeps the others from counting anew; -1: nothing does */
    struct quota_load of;
    int warning; /* index into the warnings, -1: none */
    struct quota_use after;
};

/* Whether there is something to count. */
bool quota_is_kept(int root_fd, const struct quota_terms *q);

/* Whether the load fits now, or does once old messages of q->trash are gone, which then are; nothing is
 * counted. RC_LIMIT, or RC_PERM without tempfail: it does not, with the
 * reply in *e (x.2.2, or 5.2.3 for mail_max); RC_TEMP: that cannot be said. */
MUST_USE enum rc quota_check(int root_fd, const struct quota_terms *q, const struct quota_load *load,
                             struct err *e);
/* The same, and counts it; of a delivery quota_check was asked before its file was made. Until
 * quota_taken_end nobody counts anew: so its files are there by then, unless they lie in tmp/ with their size
 * in the name. The mailbox's name lives as long. */
MUST_USE enum rc quota_take(int root_fd, const struct quota_terms *q, const struct quota_load *load,
                            struct quota_taken *ret, struct err *e);
/* kept: the messages are there; the user is warned when that is due. Else they are taken back. Does nothing
 * where nothing was counted. */
void quota_taken_end(int root_fd, const struct quota_terms *q, struct quota_taken *t, bool kept);
/* Lets others count anew before that: a prepared file in tmp/ says what is on its way. */
void quota_taken_unlock(struct quota_taken *t);

/* Messages of a mailbox are gone. */
void quota_give(int root_fd, const struct quota_terms *q, str mailbox, const struct quota_use *gone);

/* What there is. recount: from the files. RC_TEMP: the disk failed. */
MUST_USE enum rc quota_count(int root_fd, const struct quota_terms *q, bool recount, struct quota_use *ret,
                             struct err *e);
/* The next one counts anew: mailboxes came or went as a whole. */
void quota_forget(int root_fd);
/* The same, and counts now where somebody is told. */
void quota_forget_and_tell(int root_fd, const struct quota_terms *q);

/* quota_total.c: what the file of a domain's total says; false: nothing. */
MUST_USE bool quota_read_total(int fd, struct quota_limits *ret_limits, struct quota_use *ret_use);

/* quota_warning.c: the command of the warning or a message to the user in INBOX, and a line in the log. */
void quota_warn(int root_fd, const struct quota_terms *q, size_t warning, const struct quota_use *use);

#endif
