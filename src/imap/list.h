/* list: what LIST and LSUB share: patterns against the names of all mailboxes (RFC 9051 §6.3.9, RFC 5258). */
#ifndef IMAP_LIST_H
#define IMAP_LIST_H

#include "imap/command.h"

enum { LIST_PATTERNS_MAX = 32 };

struct list_patterns {
    str all[LIST_PATTERNS_MAX]; /* the reference put in front */
    size_t n;
};

/* Adds reference and pattern as one name pattern. RC_LIMIT when there are too many or it is too long. */
MUST_USE enum rc list_pattern_add(struct imap_lex *lex, struct list_patterns *p, str reference, str pattern);
bool list_matches(const struct imap_session *s, const struct list_patterns *p, str name);

/* A mailbox name as this client reads it: modified UTF-7, or UTF-8 where that is enabled; also elsewhere. */
void list_write_name(const struct imap_session *s, struct buf *out, str name);
void list_put_name(struct imap_session *s, str name);
/* One response, "* LIST (attributes) "/" name" (no line end). attributes: separated by spaces. */
void list_put(struct imap_session *s, const char *response, str attributes, str name);

enum list_tells {
    LIST_TELLS_EXTENDED = 1,  /* \NonExistent where it applies, else \Noselect (RFC 5258 §3) */
    LIST_TELLS_SUBSCRIBED = 2 /* \Subscribed */
};
/* The same with the attributes of the mailbox. tells: enum list_tells. */
void list_put_box(struct imap_session *s, const struct store_box_info *b, unsigned tells);

#endif
