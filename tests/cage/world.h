/* The world in which the cage is tried: two accounts of one uid side by side, as with virtual mail, and a
 * file that everybody may read. Needs root. */
#ifndef CAGE_WORLD_H
#define CAGE_WORLD_H

#include <stdbool.h>
#include <sys/types.h>

enum { CAGE_UID = 64001, CAGE_GID = 64001 };

struct world {
    char top[64];            /* a temporary folder */
    char own[96], other[96]; /* the Maildirs, each with cur, new, tmp, new/1 and a link/ to the other */
    int leak;                /* a descriptor of `other`, open when the cage is entered */
    int kept;                /* one that stays open */
};

/* How a child is confined before it tries something. */
enum confinement { CONFINE_USER_ONLY, CONFINE_CAGE, CONFINE_CAGE_CHROOT };

/* Makes a world and runs try in a child, which becomes the user or enters the cage of w->own. Returns 0 when
 * try returned 0 or more, its errno otherwise, and KILLED + the signal when the child was killed. The child's
 * folder is w->own, which is "/" in a chroot. */
int world_try(enum confinement how, long (*try)(const struct world *));
enum { KILLED = 1000 };

/* Another process of the same user, as the session of another account. */
extern pid_t world_sibling;

#endif
