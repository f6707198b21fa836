/* Who somebody is, by the databases of userdb: their fields become an identity. */
#include "account/databases_impl.h"

#include "base/num.h"
#include "conf/conf.h"

struct finding {
    const struct account_lookup *l;
    const struct database_found *login; /* NULL: nobody logged in */
    struct arena *a;
    str user;
    struct authdb_fields fields;
    struct account_identity id; /* of a user of the system: its groups */
    bool system;
};

static enum rc refuse(struct err *e, const char *text, const char *why)
{
    (void)err_set(e, RC_PERM, 550, "5.3.5", "%s", text);
    err_note(e, "%s", why);
    return RC_PERM;
}

/* --- one database --- */

/* Whoever may be taken for a user without having logged in: whom the passdb knows. */
static enum rc is_known(const struct finding *f, const struct authdb *db, struct err *e)
{
    const struct database_login in = {.name = f->user, .look_up = true};
    struct database_found found;
    if (f->login || authdb_fields_find(&f->fields, S("allow_all_users")))
        return RC_OK;
    str args = db->args, name, value;
    while (authdb_take_field(&args, f->a, &name, &value) == RC_OK)
        if (str_eq(name, S("allow_all_users")) && (str_ieq(value, S("yes")) || str_eq(value, S("y"))))
            return RC_OK;
    enum rc rc = databases_log_in(f->l, &in, f->a, &found, e);
    if (rc == RC_INVALID)
        return databases_cannot(e,
                                "userdb static cannot tell who exists: the passdb only verifies passwords; "
                                "allow_all_users=yes takes everybody");
    return rc == RC_PERM ? RC_GONE : rc;
}

static enum rc take_prefetched(struct finding *f)
{
    bool any = false;
    for (size_t i = 0; f->login && i < f->login->fields.n; i++) {
        const struct authdb_field *field = &f->login->fields.v[i];
        if (!str_starts(field->name, S("userdb_")))
            continue;
        any = true;
        if (authdb_fields_set(&f->fields, str_from(field->name, 7), field->value) != RC_OK)
            return RC_LIMIT;
    }
    return any ? RC_OK : RC_GONE;
}

static enum rc put_number(struct finding *f, str name, unsigned long n)
{
    str text = arena_printf(f->a, "%lu", n);
    return arena_exhausted(f->a) ? RC_LIMIT : authdb_fields_set(&f->fields, name, text);
}

static enum rc ask_system(struct finding *f, struct err *e)
{
    enum rc rc = account_ask_system(f->l, f->user, &f->id, e);
    if (rc != RC_OK)
        return rc;
    f->system = true;
    str home = arena_str(f->a, str_c(f->id.home));
    rc = put_number(f, S("uid"), f->id.uid);
    if (rc == RC_OK)
        rc = put_number(f, S("gid"), f->id.gid);
    return rc == RC_OK ? authdb_fields_set(&f->fields, S("home"), home) : rc;
}

static enum rc ask_one(struct finding *f, const struct authdb *db, struct err *e)
{
    const struct authdb_vars vars = {
        .user = f->user, .original = f->user, .home = authdb_fields_value(&f->fields, S("home"))};
    const struct database_question q = {f->l, false, db, &vars, f->a};
    enum rc rc = RC_OK;
    if (db->driver == AUTHDB_PREFETCH)
        rc = take_prefetched(f);
    else if (db->driver == AUTHDB_STATIC)
        rc = is_known(f, db, e);
    else if (db->driver == AUTHDB_PASSWD)
        rc = ask_system(f, e);
    if (rc == RC_LIMIT)
        return databases_cannot(e, "a user has too many fields");
    if (rc == RC_OK)
        rc = databases_ask(&q, &f->fields, e);
    return rc;
}

static enum rc ask_all(struct finding *f, struct err *e)
{
    const struct databases *d = f->l->databases;
    bool success = false, failed = false;
    struct err failure = {0};
    for (size_t i = 0; i < d->n_user; i++) {
        const struct authdb *db = &d->user[i];
        struct err why = {0};
        if (db->skip != AUTHDB_NEVER && success == (db->skip == AUTHDB_IF_FOUND))
            continue;
        enum rc rc = ask_one(f, db, &why);
        if (rc == RC_PERM) {
            if (e)
                *e = why;
            return rc;
        }
        if (rc != RC_OK && rc != RC_GONE) {
            failed = true;
            failure = why;
        }
        enum authdb_rule rule = rc == RC_OK ? db->success : rc == RC_GONE ? db->failure : db->internalfail;
        if (rule == AUTHDB_RETURN_OK || rule == AUTHDB_CONTINUE_OK)
            success = true;
        if (rule == AUTHDB_RETURN_FAIL || rule == AUTHDB_CONTINUE_FAIL)
            success = false;
        if (rule <= AUTHDB_RETURN_FAIL)
            break;
    }
    if (success)
        return RC_OK;
    if (failed && e)
        *e = failure;
    return failed ? RC_TEMP : RC_GONE;
}

/* --- from fields to an identity --- */

static enum rc take_ids(struct finding *f, struct account_identity *id, struct err *e)
{
    str user = authdb_fields_value(&f->fields, S("uid")), group = authdb_fields_value(&f->fields, S("gid"));
    uint32_t uid = f->l->mail_uid, gid = f->l->mail_gid;
    bool named_user = user.n > 0 && num_parse_u32(user, UINT32_MAX, &uid) != RC_OK;
    bool named_group = group.n > 0 && num_parse_u32(group, UINT32_MAX, &gid) != RC_OK;
    if (named_user || named_group) {
        uid_t found_uid = uid;
        gid_t found_gid = gid;
        enum rc rc =
            !f->l->database_ids
                ? databases_cannot(e, "only a server that root started knows names of users and groups")
                : f->l->database_ids(f->l->system_ctx, named_user ? user : S(""), named_group ? group : S(""),
                                     &found_uid, &found_gid, e);
        if (rc == RC_GONE)
            return databases_cannot(e, "there is no user " STR_FMT " or no group " STR_FMT " on this system",
                                    STR_ARG(str_sub(user, 0, 40)), STR_ARG(str_sub(group, 0, 40)));
        if (rc != RC_OK)
            return rc;
        uid = named_user ? found_uid : uid;
        gid = named_group ? found_gid : gid;
    }
    id->uid = uid;
    id->gid = gid;
    if (!identity_uid_permitted(uid, f->l->conf->first_valid_uid, f->l->conf->last_valid_uid))
        return refuse(e, "the user may not have mail here",
                      "its uid is outside first_valid_uid and last_valid_uid");
    if (!identity_gid_permitted(gid, f->l->conf->first_valid_gid, f->l->conf->last_valid_gid))
        return refuse(e, "the user may not have mail here",
                      "its gid is root's, or outside first_valid_gid and last_valid_gid");
    return RC_OK;
}

/* quota_rule, quota_rule2, quota_rule3...: each takes the place of that of the settings. */
static enum rc take_quota(const struct finding *f, struct account_identity *id, struct err *e)
{
    AUTO(buf_deinit) struct buf rules = BUF_INIT(QUOTA_RULES_BYTES);
    struct quota_rule parsed;
    size_t n = 0;
    for (unsigned i = 1; i <= QUOTA_RULES_MAX; i++) {
        char name[24] = "quota_rule";
        if (i > 1)
            snprintf(name, sizeof name, "quota_rule%u", i);
        str rule = authdb_fields_value(&f->fields, str_c(name));
        if (rule.n > 0 && quota_rule_parse(rule, &parsed) != RC_OK)
            return databases_cannot(e, "%s = " STR_FMT " is no rule of a quota", name,
                                    STR_ARG(str_sub(rule, 0, 60)));
        buf_puts(&rules, rule);
        n = rule.n > 0 ? rules.n : n;
        buf_putc(&rules, '\n');
    }
    buf_truncate(&rules, n);
    return rules.overflow ? databases_cannot(e, "the rules of a quota are too long")
                          : str_copy(id->quota, sizeof id->quota, buf_str(&rules));
}

static enum rc take_home(struct finding *f, struct account_identity *id, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(IDENTITY_PATH_MAX);
    str home = authdb_fields_value(&f->fields, S("home"));
    if (home.n == 0 && f->l->conf->mail_home[0]) {
        const struct authdb_vars vars = {.user = f->user, .original = f->user};
        if (authdb_expand(str_c(f->l->conf->mail_home),
                          &(struct authdb_expansion){.vars = &vars, .is_path = true}, &text, NULL) != RC_OK)
            return refuse(e, "the account has no place for its mail", "mail_home gives no path for its name");
        home = buf_str(&text);
    }
    return home.n > 0 ? identity_set_home(id, home, e) : RC_OK;
}

static enum rc make_identity(struct finding *f, struct account_identity *ret, struct err *e)
{
    struct account_identity id = f->id;
    str location = authdb_fields_value(&f->fields, S("mail")),
        name = authdb_fields_value(&f->fields, S("user"));
    if (name.n > 0)
        f->user = name;
    if (location.n == 0)
        location = str_c(f->l->conf->system_mail_location);
    if (str_copy(id.account, sizeof id.account, f->user) != RC_OK)
        return refuse(e, "the account has no place for its mail", "its name is too long");
    id.system = f->system;
    id.home[0] = '\0';
    enum rc rc = take_ids(f, &id, e);
    if (rc == RC_OK)
        rc = take_quota(f, &id, e);
    if (rc == RC_OK)
        rc = take_home(f, &id, e);
    if (rc == RC_OK)
        rc = identity_locate(&id, location, e);
    if (rc == RC_OK && !id.system)
        rc = identity_place_root(&id, location, str_c(f->l->conf->mail_root), e);
    if (rc == RC_OK)
        *ret = id;
    return rc;
}

enum rc databases_find_user(const struct account_lookup *l, str name, const struct database_found *login,
                            struct account_identity *ret, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(DATABASES_ARENA);
    struct finding f = {.l = l, .login = login, .a = a, .user = name};
    enum rc rc = login ? RC_OK : databases_name(l->conf, name, a, &f.user, e);
    if (rc == RC_OK)
        rc = ask_all(&f, e);
    return rc == RC_OK ? make_identity(&f, ret, e) : rc;
}
