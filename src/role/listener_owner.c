#include "role/listener_owner.h"

#include "base/num.h"

#include <grp.h>
#include <pwd.h>

enum rc listener_owner(const struct conf_listener *l, uid_t *ret_uid, gid_t *ret_gid, struct err *e)
{
    uint32_t uid = UINT32_MAX, gid = UINT32_MAX;
    if (l->user[0] && num_parse_u32(str_c(l->user), UINT32_MAX - 1, &uid) != RC_OK) {
        const struct passwd *pw = getpwnam(l->user);
        if (!pw)
            return err_set(e, RC_PERM, 0, "", "there is no user %s", l->user);
        uid = pw->pw_uid;
    }
    if (l->group[0] && num_parse_u32(str_c(l->group), UINT32_MAX - 1, &gid) != RC_OK) {
        const struct group *gr = getgrnam(l->group);
        if (!gr)
            return err_set(e, RC_PERM, 0, "", "there is no group %s", l->group);
        gid = gr->gr_gid;
    }
    *ret_uid = uid;
    *ret_gid = gid;
    return RC_OK;
}
