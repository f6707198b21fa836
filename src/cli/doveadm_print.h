/* doveadm_print: rows of a doveadm command in the format of -f, or else in the command's own. */
#ifndef CLI_DOVEADM_PRINT_H
#define CLI_DOVEADM_PRINT_H

#include "base/arena.h"

enum doveadm_format {
    DOVEADM_FLOW,  /* "title=value title=value", a row a line */
    DOVEADM_TABLE, /* columns */
    DOVEADM_TAB,   /* the same with TABs between them */
    DOVEADM_PAGER, /* "title: value" a line each, and a form feed between rows */
    DOVEADM_JSON
};

struct doveadm_column {
    const char *key, *title; /* key: in JSON */
    bool right, wide; /* in a table; wide: takes half of the room that is left, else the last one does */
    bool bare;        /* in a flow and in pages, the value alone; a table of such columns has no titles */
    bool lines;       /* in pages, the value is whole lines below its title */
};

/* What is printed at the end: rows of `columns` texts each. */
struct doveadm_rows {
    struct arena *a; /* the caller's; it must be large enough */
    str *cells;
    size_t n, room, columns;
};
str *doveadm_add_row(struct doveadm_rows *r); /* the cells of a new one */

/* -f of doveadm. RC_INVALID: there is no such format. */
MUST_USE enum rc doveadm_choose_format(const char *name);
/* cells: rows times n texts. */
void doveadm_print(enum doveadm_format otherwise, const struct doveadm_column *columns, size_t n,
                   const str *cells, size_t rows);

#endif
