/* From a name to who that is: for log-ins, sessions and deliveries. */
#include "account/databases.h"
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

static void keep_permitted_groups(const struct conf *c, struct account_identity *id)
{
    size_t n = 0;
    for (size_t i = 0; i < id->n_groups; i++)
        if (identity_gid_permitted(id->groups[i], c->first_valid_gid, c->last_valid_gid))
            id->groups[n++] = id->groups[i];
    id->n_groups = n;
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
    if (!identity_gid_permitted(id.gid, l->conf->first_valid_gid, l->conf->last_valid_gid))
        return RC_GONE;
    keep_permitted_groups(l->conf, &id);
    id.system = true;
    id.quota[0] = '\0';
    must(str_copy(id.account, sizeof id.account, name) == RC_OK);
    *ret = id;
    return RC_OK;
}

static enum rc locate(struct account_identity *id, const char *location, struct err *e)
{
    if (id->uid == 0 || id->uid == (uid_t)-1)
        return err_set(e, RC_PERM, 550, "5.2.1", "root has no mailbox here");
    return identity_locate(id, str_c(location), e);
}

static enum rc identify_system(const struct account_lookup *l, str name, struct account_identity *id,
                               struct err *e)
{
    enum rc rc = account_ask_system(l, name, id, e);
    return rc == RC_OK ? locate(id, l->conf->system_mail_location, e) : rc;
}

static enum rc identify_account(const struct account_lookup *l, str address, struct account_identity *id,
                                struct err *e)
{
    struct account row;
    enum rc rc = account_find(l->db, address, &row, e);
    if (rc != RC_OK)
        return rc == RC_INVALID ? RC_GONE : rc;
    account_secret_wipe(&row.secret);
    if (!row.enabled)
        return err_set(e, RC_PERM, 550, "5.2.1", "the mailbox is disabled");
    memcpy(id->account, row.address, sizeof id->account);
    id->uid = l->mail_uid;
    id->gid = l->mail_gid;
    AUTO(buf_deinit) struct buf quota = BUF_INIT(QUOTA_RULES_BYTES);
    account_put_quota(l->conf, &row, &quota);
    must(str_copy(id->quota, sizeof id->quota, buf_str(&quota)) == RC_OK);
    return locate(id, l->conf->mail_location, e);
}

enum rc account_identify(const struct account_lookup *l, str account, struct account_identity *ret,
                         struct err *e)
{
    struct account_identity id = {0};
    enum rc rc = str_chr(account, '@') >= 0 ? identify_account(l, account, &id, e) : RC_GONE;
    if (rc == RC_GONE && l->databases)
        rc = databases_find_user(l, account, NULL, &id, e);
    else if (rc == RC_GONE && str_chr(account, '@') < 0)
        rc = identify_system(l, account, &id, e);
    if (rc == RC_GONE)
        return err_set(e, RC_GONE, 550, "5.1.1", "there is no such account");
    if (rc == RC_OK)
        *ret = id;
    return rc;
}

enum rc account_identify_login(const struct account_lookup *l, const struct database_found *login,
                               struct account_identity *ret, struct err *e)
{
    return databases_find_user(l, str_c(login->account), login, ret, e);
}

static enum rc system_login(const struct account_lookup *l, str name, struct account *ret, bool *ret_system,
                            struct err *e)
{
    struct account_identity id;
    enum rc rc = l->databases ? RC_GONE : account_ask_system(l, name, &id, e);
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

enum rc account_find_user(const struct account_lookup *l, str name, struct account_identity *ret,
                          struct err *e)
{
    struct account account = {0};
    bool system = false;
    enum rc rc = account_find_login(l, name, &account, &system, e);
    account_secret_wipe(&account.secret);
    if (rc == RC_GONE && l->databases)
        return databases_find_user(l, name, NULL, ret, e);
    return rc == RC_OK ? account_identify(l, str_c(account.address), ret, e) : rc;
}
