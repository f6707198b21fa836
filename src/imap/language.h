/* language: the LANGUAGE command (RFC 5255 §3), which is valid before and after log-in. All texts are
 * English, so the choice changes nothing and need not be remembered. */
#ifndef IMAP_LANGUAGE_H
#define IMAP_LANGUAGE_H

#include "base/buf.h"
#include "fmt/imap_lex.h"

/* Takes the arguments and puts the untagged response. RC_PERM: none of the languages is spoken; RC_INVALID,
 * RC_LIMIT: the lexer knows why. */
MUST_USE enum rc imap_language(struct imap_lex *lex, struct buf *out);

/* What the client is told with NO. */
#define IMAP_LANGUAGE_REFUSAL "Only English is spoken here."

#endif
