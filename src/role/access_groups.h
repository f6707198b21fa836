/* access_groups: the groups of mail_access_groups, which all processes that touch mail have beside those of
 * its owner. */
#ifndef ROLE_ACCESS_GROUPS_H
#define ROLE_ACCESS_GROUPS_H

#include "account/identity.h"
#include "conf/conf.h"

enum { ACCESS_GROUPS_MAX = 16 };

struct access_groups {
    gid_t v[ACCESS_GROUPS_MAX];
    size_t n;
};

/* Asks the system, which a sandbox may forbid later; what is no group, or root's, is logged and left out. */
void access_groups_find(const struct conf *c, struct access_groups *ret);
/* Those that the identity has not, as far as there is room. */
void access_groups_add(const struct access_groups *g, struct account_identity *id);

#endif
