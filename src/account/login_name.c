/* From a name to who that is: for log-ins, sessions and deliveries. */
#include "account/resolve.h"
#include "conf/conf.h"

/* Names that may be asked of passwd: portable ones (POSIX 3.437), so that no look-up meets odd bytes. */
static bool is_system_name(str name)
{
    if (name.n == 0 || name.n > 32 || name.p[0] == '-' || name.p[0] == '.')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        if (!ascii_alnum(name.p[i]) && !strchr("._-", name.p[i]))
            return false;
    }
    return true;
}

enum rc account_ask_system(const struct account_lookup *l, str name, struct account_identity *ret,
                           struct err *e)
{
    struct account_identity id = {0};
    if (!l->conf->system_users || !l->system_user || !is_system_name(name))
        return RC_GONE;
    struct err why = {0};
    enum rc rc = l->system_user(l->system_ctx, name, &id, &why);
    if (rc == RC_GONE)
        return RC_GONE;
    if (rc == RC_PERM) { /* a user whose entry cannot be used: not "unknown", and not "try again" for ever */
        if (e)
            *e = why;
        return RC_PERM;
    }
    if (rc != RC_OK) {
        err_set(e, RC_TEMP, 451, "4.3.0", "users cannot be looked up now");
        err_note(e, "users of the system cannot be looked up: %s", err_text(&why));
        return RC_TEMP;
    }
    if (!identity_uid_permitted(id.uid, l->conf->first_valid_uid, l->conf->last_valid_uid))
        return RC_GONE;
    id.system = true;
    id.quota_bytes = 0;
    must(str_copy(id.account, sizeof id.account, name) == RC_OK);
    *ret = id;
    return RC_OK;
}

enum rc account_identify(const struct account_lookup *l, str account, struct account_identity *ret,
                         struct err *e)
{
    struct account_identity id = {0};
    struct account row;
    enum rc rc;
    str location = str_c(l->conf->mail_location);
    if (str_chr(account, '@') < 0) {
        rc = account_ask_system(l, account, &id, e);
        location = str_c(l->conf->system_mail_location);
    } else {
        rc = account_find(l->db, account, &row, e);
        if (rc == RC_OK) {
            memcpy(id.account, row.address, sizeof id.account);
            id.uid = l->mail_uid;
            id.gid = l->mail_gid;
            id.quota_bytes = row.quota_bytes;
            account_secret_wipe(&row.secret);
            if (!row.enabled)
                rc = err_set(e, RC_PERM, 550, "5.2.1", "the mailbox is disabled");
        }
    }
    if (rc == RC_GONE)
        return err_set(e, RC_GONE, 550, "5.1.1", "there is no such account");
    if (rc == RC_OK && id.uid == 0)
        rc = err_set(e, RC_PERM, 550, "5.2.1", "root has no mailbox here");
    if (rc == RC_OK)
        rc = identity_locate(&id, location, e);
    if (rc == RC_OK)
        *ret = id;
    return rc;
}

static enum rc system_login(const struct account_lookup *l, str name, struct account *ret, bool *ret_system,
                            struct err *e)
{
    struct account_identity id;
    enum rc rc = account_ask_system(l, name, &id, e);
    if (rc != RC_OK)
        return rc;
    *ret = (struct account){.enabled = true};
    memcpy(ret->address, id.account, sizeof ret->address);
    *ret_system = true;
    return RC_OK;
}

static enum rc database_login(const struct account_lookup *l, const struct address_key *key,
                              struct account *ret, bool *ret_system, struct err *e)
{
    enum rc rc = account_find(l->db, address_text(key), ret, e);
    if (rc == RC_OK)
        *ret_system = false;
    return rc;
}

enum rc account_find_login(const struct account_lookup *l, str name, struct account *ret_account,
                           bool *ret_system, struct err *e)
{
    struct address_key key, full;
    enum rc rc = address_parse(name, &key);
    if (rc != RC_OK)
        return RC_GONE;
    if (address_domain(&key).n > 0) {
        rc = database_login(l, &key, ret_account, ret_system, e);
        if (rc == RC_GONE)
            rc = account_domain_is_local(l, address_domain(&key), e);
        else
            return rc;
        return rc == RC_OK ? system_login(l, address_local(&key), ret_account, ret_system, e) : rc;
    }
    rc = system_login(l, address_local(&key), ret_account, ret_system, e);
    if (rc != RC_GONE || l->conf->domains.n == 0)
        return rc;
    if (address_join(address_local(&key), l->conf->domains.v[0], &full) != RC_OK)
        return RC_GONE;
    return database_login(l, &full, ret_account, ret_system, e);
}
