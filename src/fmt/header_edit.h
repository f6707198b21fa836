/* header_edit: the header of a message as a list of fields, which filters add to, change and delete from.
 *
 * Fields are in the LF form. What comes from outside is made whole first: lines within a field begin with
 * white space and none is empty, so that no field ends the header or makes two. All memory is the arena's,
 * whose end is the limit. Pure. */
#ifndef FMT_HEADER_EDIT_H
#define FMT_HEADER_EDIT_H

#include "base/arena.h"
#include "base/buf.h"

struct header_edit_field {
    str text; /* without its last line end */
    str name; /* in it */
    bool
        hidden; /* filters do not see it, and cannot change it: they count positions with it, names without */
};

struct header_edit {
    struct arena *arena;
    struct header_edit_field *v;
    size_t n, cap;
    bool changed;
};

/* The bytes that the fields at the beginning of a message take: up to an empty line, or to one that is
 * neither a field nor the rest of one. *ret_body: where the body begins, behind the empty line. raw may be
 * the beginning of the message only; without an end in it all of it is header. */
size_t header_edit_size(str raw, size_t *ret_body);

void header_edit_init(struct header_edit *h, struct arena *arena);
/* Appends the fields of a text that header_edit_size has measured; it lives as long as h. RC_LIMIT. */
MUST_USE enum rc header_edit_parse(struct header_edit *h, str fields);

/* "name:value", made whole, in the arena. RC_INVALID: that is no name; RC_LIMIT. */
MUST_USE enum rc header_edit_field_text(struct arena *a, str name, str value, str *ret);

/* Each takes a text of header_edit_field_text, or one like it. at: the fields in front of it; behind the last
 * when there are fewer. */
MUST_USE enum rc header_edit_insert(struct header_edit *h, size_t at, str text);
/* The index-th field of this name, from 1; where it is not there the text is added behind all. */
MUST_USE enum rc header_edit_change(struct header_edit *h, str name, uint32_t index, str text);
void header_edit_delete(struct header_edit *h, str name, uint32_t index);

/* All fields, with their line ends. */
void header_edit_put(const struct header_edit *h, struct buf *out);
uint64_t header_edit_bytes(const struct header_edit *h);

#endif
