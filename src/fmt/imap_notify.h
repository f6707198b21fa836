/* imap_notify: the arguments of NOTIFY (RFC 5465 §8): which events of which mailboxes are told. */
#ifndef FMT_IMAP_NOTIFY_H
#define FMT_IMAP_NOTIFY_H

#include "fmt/imap_fetch.h"
#include "fmt/imap_filter.h"

enum { NOTIFY_GROUPS_MAX = 16 };

/* MESSAGE_NEW and MESSAGE_EXPUNGE come together only, and so are one. */
enum imap_notify_event {
    NOTIFY_MESSAGES = 1,
    NOTIFY_FLAGS = 2, /* FlagChange, never without NOTIFY_MESSAGES */
    NOTIFY_NAMES = 4, /* MailboxName */
    NOTIFY_SUBSCRIPTIONS = 8,
    NOTIFY_METADATA = 64,        /* MailboxMetadataChange */
    NOTIFY_SERVER_METADATA = 128 /* ServerMetadataChange, which is of no mailbox */
};
/* "MessageNew MessageExpunge ...", for BADEVENT */
extern const str IMAP_NOTIFY_EVENTS;

struct imap_notify {
    bool none;   /* NOTIFY NONE: the rest is empty */
    bool status; /* STATUS responses are wanted */
    struct imap_notify_group {
        struct imap_filter filter;
        unsigned events; /* enum imap_notify_event; 0: NONE */
    } groups[NOTIFY_GROUPS_MAX];
    size_t n;
    bool has_fetch; /* of new messages in the selected mailbox, this is told: */
    struct imap_fetch fetch;
};

/* ("SET" [SP "STATUS"] SP event-group *(SP event-group)) / "NONE"; everything lies in the lexer's arena.
 * RC_PERM: an event that is not known here (NO [BADEVENT]); RC_INVALID: also events that must not stand alone
 * or there (§5, §6.1); RC_LIMIT: more groups, or more in one, than may be. */
MUST_USE enum rc imap_notify_parse(struct imap_lex *lex, struct imap_notify *ret);

#endif
