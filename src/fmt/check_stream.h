/* check_stream: a message as header_checks(5) looks at it while it streams by: one logical header field at a
 * time, of the message, of its parts or of a message within it, and all else line by line.
 *
 * Input has LF line ends and comes in any pieces. Every byte of it comes out in exactly one unit, in order,
 * but for white space between a field's name and its colon. A line that is no field ends a header: in front
 * of it comes an empty line that was not there, so that nobody takes what follows for fields that no table
 * saw. Memory is bounded: one field, one line, and what fmt/mime_walk needs. */
#ifndef FMT_CHECK_STREAM_H
#define FMT_CHECK_STREAM_H

#include "fmt/mime_walk.h"

enum {
    CHECK_STREAM_FIELD_MAX = 64 << 10, /* bytes of a field; what a longer one has behind them is its rest */
    CHECK_STREAM_LINE_MAX = 2048       /* bytes of a line that are one unit */
};

/* Fields of a MIME part, and those that say what a message is made of wherever they stand, are of MIME. */
enum check_stream_kind { CHECK_STREAM_HEADER, CHECK_STREAM_MIME, CHECK_STREAM_NESTED, CHECK_STREAM_BODY };

struct check_stream_unit {
    enum check_stream_kind kind;
    str text;        /* without the line end; within a folded field there are line ends */
    bool ends_line;  /* a line end follows */
    bool is_rest;    /* of a field that was longer than CHECK_STREAM_FIELD_MAX: shares its fate */
    uint64_t offset; /* BODY: bytes in front of it in this part of the message */
};

typedef void check_stream_fn(void *ctx, const struct check_stream_unit *u);

struct check_stream {
    struct mime_walk walk;
    check_stream_fn *fn;
    void *ctx;
    bool in_field, is_rest;
    enum check_stream_kind kind; /* of the field under way */
    uint64_t offset;
    struct buf field, line;
};

void check_stream_init(struct check_stream *c, check_stream_fn *fn, void *ctx);
void check_stream_deinit(struct check_stream *c);
/* The views of a unit live until fn returns. */
void check_stream_feed(struct check_stream *c, str bytes);
void check_stream_finish(struct check_stream *c); /* the end of the message; then only deinit */

#endif
