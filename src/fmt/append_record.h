/* append_record: what the file malle.append says (doc/storage.md): the steps that are one change, because a
 * crash between them is followed by the rest. One line each:
 *
 *   in <file in tmp/> <name in cur/>     a new message gets its name
 *   out <folder>/<base>                  the message that it replaces goes; the folder is "" for INBOX
 */
#ifndef FMT_APPEND_RECORD_H
#define FMT_APPEND_RECORD_H

#include "base/buf.h"

struct append_step {
    bool out;
    str tmp, name;    /* in */
    str folder, base; /* out */
};

/* The parts are what append_record_next would give back. */
void append_record_put_in(struct buf *out, str tmp, str name);
void append_record_put_out(struct buf *out, str folder, str base);

/* Takes the next step off the text; its members are views into it and safe to put behind a folder. RC_GONE:
 * that was the last; RC_INVALID: no such record. */
MUST_USE enum rc append_record_next(str *text, struct append_step *ret);

#endif
