/* numbering: which UIDs a merge gives, where another program gives UIDs in the same folder. What the uidlist
 * says counts, for messages that are new to the index and for those that it has under another UID: these
 * vanish for clients and come again. Only a UID that is not above all that clients were told is not taken
 * from there (RFC 9051 §2.3.1.1): the message gets a new one, and with it a later line in the uidlist.
 *
 * Planned before anything is changed, because the plan may show that the folder must be read once more. The
 * folder's lock and a transaction are held from the reading of the uidlist until the plan is carried out. */
#ifndef STORE_NUMBERING_H
#define STORE_NUMBERING_H

#include "store/scan.h"
#include "store/store_priv.h"

struct numbering {
    struct folder *f;
    const struct uidlist_file *uidlist;
    const struct uidset *missing; /* go, and so get no other UID */
    uid32 first;                  /* UIDs from here on are not in the uidlist */
    uid32 told;                   /* the highest UID that the index has, or had */
    struct uidset taken;          /* UIDs above it that the uidlist has for messages that are there */
    struct newcomer *come;
    struct uid_change *moved;
    size_t n_come, n_moved, cap_moved;
    uint64_t letters; /* keywords in the names of newcomers */
    bool renamed;     /* some newcomers were no longer there under the names that were read */
};

/* found: indices of names in the scan that no row had. The strings of *n point into the scan and the
 * uidlist. */
MUST_USE enum rc numbering_plan(struct numbering *n, const struct scan *s, const size_t *found,
                                size_t n_found, struct err *e);
/* Whether each message that the uidlist has above the UIDs told is in the plan: what is missing cannot get
 * its UID any more when others are numbered before it. */
bool numbering_is_complete(const struct numbering *n);
bool numbering_has_any(const struct numbering *n);
/* With the modseq of the folder. */
MUST_USE enum rc numbering_carry_out(struct numbering *n, struct err *e);
void numbering_deinit(struct numbering *n);

#endif
