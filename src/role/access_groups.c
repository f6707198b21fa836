#include "role/access_groups.h"

#include "base/log.h"
#include "base/num.h"

#include <grp.h>

static bool find_group(str name, gid_t *ret)
{
    uint32_t gid;
    AUTO(str_freep) char *text = str_dup(name);
    const struct group *g = getgrnam(text);
    if (!g && num_parse_u32(name, UINT32_MAX - 1, &gid) != RC_OK)
        return false;
    *ret = g ? g->gr_gid : gid;
    return true;
}

void access_groups_find(const struct conf *c, struct access_groups *ret)
{
    ret->n = 0;
    for (size_t i = 0; i < c->mail_access_groups.n && ret->n < ACCESS_GROUPS_MAX; i++) {
        gid_t gid;
        if (!find_group(c->mail_access_groups.v[i], &gid) || gid == 0)
            log_error("mail_access_groups: " STR_FMT " is no group that users may have",
                      STR_ARG(c->mail_access_groups.v[i]));
        else
            ret->v[ret->n++] = gid;
    }
}

void access_groups_add(const struct access_groups *g, struct account_identity *id)
{
    for (size_t i = 0; i < g->n && id->n_groups < IDENTITY_GROUPS_MAX; i++) {
        bool has = g->v[i] == id->gid;
        for (size_t k = 0; k < id->n_groups && !has; k++)
            has = id->groups[k] == g->v[i];
        if (!has)
            id->groups[id->n_groups++] = g->v[i];
    }
}
