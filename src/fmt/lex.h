/* lex: the words of structured header fields (RFC 5322 §3.2, RFC 2045 §5.1), for addrlist, mime and date.
 * A cursor walks over a raw value; words are appended to a buffer. Nothing fails: a string or comment that is
 * never closed runs to the end. Bytes above 127 are atext (RFC 6532 §3.2). */
#ifndef FMT_LEX_H
#define FMT_LEX_H

#include "base/buf.h"

struct lex {
    str s;
    size_t i;
    struct buf *comment; /* receives the text of the last comment skipped; may be NULL */
};

/* The byte at the cursor, or -1 at the end. */
static inline int lex_peek(const struct lex *l)
{
    return l->i < l->s.n ? (unsigned char)l->s.p[l->i] : -1;
}
bool lex_is_atext(int c);
bool lex_is_token(int c); /* RFC 2045 §5.1 token, and bytes above 127 */

/* Skips comments and folding white space. */
void lex_cfws(struct lex *l);
/* Appends a run of atext and dots. False when there is none at the cursor. */
bool lex_dot_run(struct lex *l, struct buf *out);
/* Appends a run of token bytes. False when there is none at the cursor. */
bool lex_token(struct lex *l, struct buf *out);
/* Appends the content of the quoted string at the cursor, unquoted and unfolded. False when there is none. */
bool lex_quoted(struct lex *l, struct buf *out);
/* Appends the domain literal at the cursor with its brackets, without white space. False when there is none.
 */
bool lex_domain_literal(struct lex *l, struct buf *out);

#endif
