/* imap_lex: a cursor over the text of one gathered IMAP command (fmt/imap_reader.h), after RFC 9051 §9 with
 * the leniencies of RFC 3501.
 *
 * Every function takes what its grammar rule matches off the front, or fails and leaves in the lexer what was
 * expected and where, for the BAD reply. RC_INVALID: other bytes stand there. RC_LIMIT: nesting, a number's
 * range, or the arena. Results are views into the text or lie in the arena. NUL and bare CR or LF match
 * nothing outside literals. */
#ifndef FMT_IMAP_LEX_H
#define FMT_IMAP_LEX_H

#include "base/arena.h"

enum { IMAP_NESTING_MAX = 50, IMAP_FLAGS_MAX = 128, IMAP_MAILBOX_MAX = 1024 };

struct imap_lex {
    str text; /* the whole command */
    size_t at;
    struct arena *arena;
    unsigned depth;       /* open parentheses */
    bool utf8_names;      /* mailbox names are UTF-8, and "&" is itself (RFC 9051 §5.1) */
    bool utf8_only;       /* quoted strings are UTF-8, and no command names another charset (RFC 9755 §3) */
    const char *expected; /* what the last failure wanted: "a mailbox name"; NULL before any */
    size_t expected_at;
};

void imap_lex_init(struct imap_lex *lex, str text, struct arena *arena);

/* Looking and choosing; these cannot fail. */
char imap_peek(const struct imap_lex *lex); /* next byte, 0 at the end */
bool imap_at_end(const struct imap_lex *lex);
bool imap_take(struct imap_lex *lex, char c);        /* takes c when it is next */
bool imap_take_word(struct imap_lex *lex, str word); /* takes word in any case, when a whole atom equals it */
str imap_rest(const struct imap_lex *lex);           /* what is left, untouched */

/* Single rules. */
MUST_USE enum rc imap_char(struct imap_lex *lex, char c);
MUST_USE enum rc imap_sp(struct imap_lex *lex);  /* one space; more are forgiven */
MUST_USE enum rc imap_eol(struct imap_lex *lex); /* end of the command; spaces before it are forgiven */
MUST_USE enum rc imap_tag(struct imap_lex *lex, str *ret);
MUST_USE enum rc imap_atom(struct imap_lex *lex, str *ret);
MUST_USE enum rc imap_quoted(struct imap_lex *lex, str *ret);
MUST_USE enum rc imap_string(struct imap_lex *lex, str *ret);  /* quoted or literal */
MUST_USE enum rc imap_astring(struct imap_lex *lex, str *ret); /* atom, "]" allowed, or string */
MUST_USE enum rc imap_nstring(struct imap_lex *lex,
                              str *ret); /* NIL: STR_NONE, p == NULL; "" has p != NULL */
/* The same, or a literal8 ("~{n}"), in which NULs may stand (RFC 3516 §7). */
MUST_USE enum rc imap_nstring8(struct imap_lex *lex, str *ret);
/* mailbox: an astring in modified UTF-7 (RFC 3501 §5.1.3) or, forgiven or as utf8_names says, UTF-8; gives
 * UTF-8. INBOX in any case gives "INBOX". */
MUST_USE enum rc imap_mailbox(struct imap_lex *lex, str *ret);
/* list-mailbox: as mailbox, with "%" and "*" as atom characters. */
MUST_USE enum rc imap_list_mailbox(struct imap_lex *lex, str *ret);
MUST_USE enum rc imap_number(struct imap_lex *lex, uint32_t *ret);
MUST_USE enum rc imap_nz_number(struct imap_lex *lex, uint32_t *ret);
MUST_USE enum rc imap_number64(struct imap_lex *lex, uint64_t *ret); /* up to 2^63 - 1 */
/* The text of a sequence-set, or "$" (RFC 5182): one or more of 0-9 * : , for uidset_parse. */
MUST_USE enum rc imap_set_text(struct imap_lex *lex, str *ret);
/* flag / flag-perm names as sent: "\Seen", "$Forwarded". */
MUST_USE enum rc imap_flag(struct imap_lex *lex, str *ret);
/* "(" [flag *(SP flag)] ")"; at most IMAP_FLAGS_MAX. */
MUST_USE enum rc imap_flag_list(struct imap_lex *lex, const str **ret, size_t *ret_n);
/* date: "1-Feb-1994", quoted or not; days since 1970-01-01 (SEARCH). */
MUST_USE enum rc imap_date(struct imap_lex *lex, int64_t *ret_days);
/* date-time: "\"17-Jul-1996 02:44:25 -0700\""; seconds since 1970. */
MUST_USE enum rc imap_date_time(struct imap_lex *lex, int64_t *ret_seconds);
/* The announcement "{n}", "{n+}", "~{n}"... that ends the text, of a literal that was not gathered (APPEND).
 */
MUST_USE enum rc imap_literal_mark(struct imap_lex *lex);

/* Lists: begin takes "(", end takes ")"; at most IMAP_NESTING_MAX open at a time. */
MUST_USE enum rc imap_list_begin(struct imap_lex *lex);
MUST_USE enum rc imap_list_end(struct imap_lex *lex);
/* A whole list of one or more, with a space between two; `one` takes each. */
MUST_USE enum rc imap_list_of(struct imap_lex *lex, enum rc (*one)(struct imap_lex *lex, void *ctx),
                              void *ctx);

/* Records that `what` was expected at the cursor and returns RC_INVALID: for rules of the caller's own. */
MUST_USE enum rc imap_expect(struct imap_lex *lex, const char *what);
/* The same with a result of the caller's, which is returned. */
MUST_USE enum rc imap_fail(struct imap_lex *lex, enum rc rc, const char *what);

/* Character classes (RFC 9051 §9). */
bool imap_is_atom_char(char c);
bool imap_is_astring_char(char c);

#endif
