/* check_edit: what header_checks(5) and its like make of a message, unit by unit of a check_stream: whatever
 * table is asked and wherever the rest goes, fields and lines are dropped, replaced and put in front in one
 * way. For mail that comes in (smtp/checks.h), and that leaves (role smtp). */
#ifndef SMTP_CHECK_EDIT_H
#define SMTP_CHECK_EDIT_H

#include "fmt/check_result.h"
#include "fmt/check_stream.h"

struct check_edit_ops {
    /* What the table for this kind of unit says. RC_GONE: nothing, or it was dealt with. */
    enum rc (*find)(void *ctx, const struct check_stream_unit *u, str *ret);
    /* The option that names the table, for warnings. */
    const char *(*setting)(void *ctx, enum check_stream_kind kind);
    /* That something was done to the unit: "strip", "replace"...; text may be empty. */
    void (*log)(void *ctx, const char *what, const struct check_stream_unit *u, str text);
    /* Goes on. */
    void (*put)(void *ctx, str text, bool ends_line);
    /* All other actions: what becomes of the message as a whole. The unit stays. */
    void (*decide)(void *ctx, const struct check_stream_unit *u, const struct check_result *r);
};

struct check_edit {
    const struct check_edit_ops *ops;
    void *ctx;
    bool dropping; /* the rest of a field is dropped as its beginning was */
};

/* A check_stream_fn; ctx: a struct check_edit. */
void check_edit_take(void *ctx, const struct check_stream_unit *u);

#endif
