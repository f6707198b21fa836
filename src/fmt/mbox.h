/* mbox: many messages in one file (RFC 4155): each stands behind a line "From SENDER DATE" and before an
 * empty line. Lines of content that look like such a line have one '>' more in front (mboxrd). Flags are kept
 * as programs that use mbox files as mailboxes do: in the fields Status, X-Status and X-Keywords. */
#ifndef FMT_MBOX_H
#define FMT_MBOX_H

#include "base/arena.h"
#include "fmt/maildir_name.h"

/* "From SENDER Thu Jan  1 00:00:00 1970" in UTC, with its LF; without a sender it is MAILER-DAEMON. */
void mbox_put_separator(struct buf *out, str sender, int64_t seconds);
/* The message (LF line ends), its lines quoted, with the empty line behind it. */
void mbox_put_message(struct buf *out, str raw);

/* Whether a line (without its line end) is a separator: a date must stand at its end. *ret_seconds: that
 * date, taken for UTC unless it says otherwise. */
bool mbox_is_separator(str line, int64_t *ret_seconds);
/* A line of content as it was before it was quoted. */
str mbox_unquoted(str line);

struct mbox_flags {
    unsigned flags; /* enum maildir_flag */
    str keywords;   /* separated by spaces */
};
/* Puts the fields that say so; none when there is nothing to say. */
void mbox_put_flags(struct buf *out, const struct mbox_flags *f);
/* Takes the flags of a message, and puts the message without the fields that belong to the file: those above,
 * X-UID, X-IMAPbase, Content-Length. keywords of *ret lie in the arena. RC_GONE: it is none, but what a
 * program keeps in front of the messages (X-IMAP). RC_LIMIT: out or the arena is too small. */
MUST_USE enum rc mbox_take_flags(str raw, struct arena *a, struct buf *out, struct mbox_flags *ret);

#endif
