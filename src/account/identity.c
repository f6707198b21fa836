/* An identity as bytes: fixed numbers and counted strings, in the order of the struct; its mail location;
 * refused uids. */
#include "account/identity.h"

#include "conf/conf.h"
#include "os/ipc.h"

void identity_put(struct buf *out, const struct account_identity *id)
{
    ipc_put_str(out, str_c(id->account));
    ipc_put_u32(out, id->uid);
    ipc_put_u32(out, id->gid);
    ipc_put_u32(out, (uint32_t)id->n_groups);
    for (size_t i = 0; i < id->n_groups; i++)
        ipc_put_u32(out, id->groups[i]);
    ipc_put_u32(out, id->system ? 1 : 0);
    ipc_put_str(out, str_c(id->home));
    ipc_put_str(out, str_c(id->mail_dir));
    ipc_put_str(out, str_c(id->index_dir));
    ipc_put_str(out, str_c(id->mail_root));
    ipc_put_str(out, str_c(id->quota));
}

static bool path_is_plain(const char *path)
{
    str rest = str_c(path);
    if (!str_starts(rest, S("/")))
        return false;
    while (rest.n > 0) {
        str part = str_take(&rest, '/');
        if (str_eq(part, S(".")) || str_eq(part, S("..")))
            return false;
    }
    return true;
}

static bool ids_are_permitted(const struct account_identity *id)
{
    bool fine = id->uid != (uid_t)-1 && id->gid != (gid_t)-1;
    for (size_t i = 0; i < id->n_groups; i++)
        fine = fine && id->groups[i] != 0 && id->groups[i] != (gid_t)-1;
    return fine;
}

enum rc identity_get(str bytes, struct account_identity *ret)
{
    struct ipc_msg m = {.fields = bytes};
    struct account_identity id = {0};
    str account = ipc_get_str(&m, IDENTITY_ACCOUNT_MAX);
    id.uid = ipc_get_u32(&m);
    id.gid = ipc_get_u32(&m);
    uint32_t groups = ipc_get_u32(&m);
    if (groups > IDENTITY_GROUPS_MAX)
        return RC_INVALID;
    for (id.n_groups = 0; id.n_groups < groups; id.n_groups++)
        id.groups[id.n_groups] = ipc_get_u32(&m);
    id.system = ipc_get_u32(&m) == 1;
    str home = ipc_get_str(&m, IDENTITY_PATH_MAX), mail = ipc_get_str(&m, IDENTITY_PATH_MAX);
    str index = ipc_get_str(&m, IDENTITY_PATH_MAX), root = ipc_get_str(&m, IDENTITY_PATH_MAX);
    str quota = ipc_get_str(&m, QUOTA_RULES_BYTES);
    if (ipc_end(&m) != RC_OK || account.n == 0 || str_copy(id.account, sizeof id.account, account) != RC_OK ||
        str_copy(id.home, sizeof id.home, home) != RC_OK ||
        str_copy(id.mail_dir, sizeof id.mail_dir, mail) != RC_OK ||
        str_copy(id.index_dir, sizeof id.index_dir, index) != RC_OK ||
        str_copy(id.mail_root, sizeof id.mail_root, root) != RC_OK ||
        str_copy(id.quota, sizeof id.quota, quota) != RC_OK)
        return RC_INVALID;
    if (id.mail_root[0] && (!path_is_plain(id.mail_root) || !identity_path_inside(id.mail_dir, id.mail_root)))
        return RC_INVALID;
    if (!path_is_plain(id.home) || !path_is_plain(id.mail_dir) || !path_is_plain(id.index_dir) ||
        !ids_are_permitted(&id))
        return RC_INVALID;
    *ret = id;
    return RC_OK;
}

static enum rc no_place(const struct account_identity *id, str location, struct err *e)
{
    err_set(e, RC_PERM, 550, "5.3.5", "the account has no place for its mail");
    err_note(e, "the mail location " STR_FMT " gives no path for %s", STR_ARG(location), id->account);
    return RC_PERM;
}

enum rc identity_set_home(struct account_identity *id, str path, struct err *e)
{
    AUTO(buf_deinit) struct buf home = BUF_INIT(IDENTITY_PATH_MAX);
    for (str rest = path; rest.n > 0;) {
        str part = str_take(&rest, '/');
        if (part.n > 0 && !str_eq(part, S(".")))
            buf_printf(&home, "/" STR_FMT, STR_ARG(part));
    }
    if (home.n == 0)
        buf_putc(&home, '/');
    if (str_starts(path, S("/")) && !home.overflow && path_is_plain(buf_cstr(&home)))
        return str_copy(id->home, sizeof id->home, buf_str(&home));
    err_set(e, RC_PERM, 550, "5.3.5", "the account has no place for its mail");
    err_note(e, "the home directory of %s, '" STR_FMT "', is no plain absolute path", id->account,
             STR_ARG(path));
    return RC_PERM;
}

enum rc identity_locate(struct account_identity *id, str location, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(4 * IDENTITY_PATH_MAX);
    struct conf_location parts;
    if (conf_expand_location(location, str_c(id->account), str_c(id->home), &text) != RC_OK ||
        conf_parse_location(buf_str(&text), &parts) != RC_OK ||
        str_copy(id->mail_dir, sizeof id->mail_dir, parts.path) != RC_OK ||
        str_copy(id->index_dir, sizeof id->index_dir, parts.index) != RC_OK)
        return no_place(id, location, e);
    if (id->home[0] == '\0')
        memcpy(id->home, id->mail_dir, sizeof id->home);
    if (!path_is_plain(id->home) || !path_is_plain(id->mail_dir) || !path_is_plain(id->index_dir))
        return no_place(id, location, e);
    return RC_OK;
}

/* --- the folder of all mail of a uid --- */

/* The path in front of the part that is one of the names; all of it when none is. */
static str before_name(str path, str account)
{
    str domain = account, local = str_take(&domain, '@');
    for (size_t i = 1; i < path.n; i++) {
        if (path.p[i - 1] != '/')
            continue;
        str rest = str_from(path, i), part = str_take(&rest, '/');
        if (part.n > 0 && (str_ieq(part, account) || str_ieq(part, local) || str_ieq(part, domain)))
            return str_sub(path, 0, i - 1);
    }
    return path;
}

static str before_variable(str path)
{
    ptrdiff_t percent = str_chr(path, '%'), slash = str_rchr(str_sub(path, 0, (size_t)percent), '/');
    return slash > 0 ? str_sub(path, 0, (size_t)slash) : S("");
}

enum rc identity_place_root(struct account_identity *id, str location, str configured, struct err *e)
{
    str account = str_c(id->account), path, root;
    (void)str_take(&location, ':');
    path = str_take(&location, ':');
    if (configured.n > 0)
        root = configured;
    else if (str_starts(path, S("~")) || str_starts(path, S("%h")))
        root = before_name(str_c(id->home), account);
    else
        root = str_chr(path, '%') < 0 ? before_name(path, account) : before_variable(path);
    if (configured.n == 0 && (root.n == 0 || str_eq(root, S("/"))))
        root = str_c(id->mail_dir);
    AUTO(str_freep) char *copy = str_dup(root);
    if (str_copy(id->mail_root, sizeof id->mail_root, root) == RC_OK && path_is_plain(copy) &&
        identity_path_inside(id->mail_dir, copy))
        return RC_OK;
    id->mail_root[0] = '\0';
    err_set(e, RC_PERM, 550, "5.3.5", "the account has no place for its mail");
    err_note(e, "%s, the mail of %s, does not lie below %s", id->mail_dir, id->account, copy);
    return RC_PERM;
}

const char *identity_path_inside(const char *path, const char *root)
{
    str p = str_c(path), r = str_c(root);
    if (r.n && r.p[r.n - 1] == '/')
        r.n--;
    if (!str_starts(p, r) || (p.n > r.n && p.p[r.n] != '/'))
        return NULL;
    return p.n > r.n ? p.p + r.n : "/";
}

bool identity_uid_permitted(uid_t uid, int first_valid_uid, int last_valid_uid)
{
    return uid != 0 && uid != (uid_t)-1 && uid >= (uid_t)first_valid_uid &&
           (last_valid_uid == 0 || uid <= (uid_t)last_valid_uid);
}

bool identity_gid_permitted(gid_t gid, int first_valid_gid, int last_valid_gid)
{
    return gid != 0 && gid != (gid_t)-1 && gid >= (gid_t)first_valid_gid &&
           (last_valid_gid == 0 || gid <= (gid_t)last_valid_gid);
}
