/* library: shared libraries that are loaded only where a table needs them. */
#ifndef TABLE_LIBRARY_H
#define TABLE_LIBRARY_H

#include "table/table_impl.h"

struct library_symbol {
    const char *name;
    size_t offset; /* of the pointer to it in the struct that library_load fills */
};

/* Loads the first of the files that is there (names end in NULL) and fills the pointers in *ret. A library
 * stays loaded until the process ends. RC_PERM with *e filled: none is there, or a symbol is missing;
 * package: what to install. */
MUST_USE enum rc library_load(struct table *t, const char *const *files, const char *package,
                              const struct library_symbol *symbols, void *ret, struct err *e);

#endif
