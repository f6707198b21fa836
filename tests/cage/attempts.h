/* The tables of what is tried inside the cage. */
#ifndef CAGE_ATTEMPTS_H
#define CAGE_ATTEMPTS_H

#include "world.h"

#include <stddef.h>

struct attempt {
    const char *name;
    long (*run)(const struct world *w);
    int expected;        /* errno, or KILLED + signal, or 0: it succeeds */
    int expected_chroot; /* the same where the cage has a chroot */
};

extern const struct attempt refused[], escapes[], permitted[]; /* refused: ENOSYS, or killed */
extern const size_t n_refused, n_escapes, n_permitted;

#endif
