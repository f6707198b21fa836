/* Logging in by the databases of passdb: each gives a verdict, and its rules say what follows. */
#include "account/databases_impl.h"

#include "conf/conf.h"
#include "fmt/ip.h"

enum verdict {
    VERDICT_MATCH,
    VERDICT_MISMATCH,
    VERDICT_UNKNOWN,
    VERDICT_DISABLED, /* exists, and may not log in: no rule changes that */
    VERDICT_BLIND,    /* it only verifies, and was asked to tell */
    VERDICT_FAILED
};

struct chain {
    const struct account_lookup *l;
    const struct database_login *in;
    struct arena *a;
    str user;
    struct authdb_fields fields;
    bool masters;           /* the databases for masters are asked, and no others; else those others */
    bool success, verified; /* by an earlier one */
    bool saw_failure, saw_blind;
    enum verdict last;
    struct err why; /* of what counts in the end */
};

static void note(struct chain *c, const char *why)
{
    c->why = (struct err){.rc = RC_PERM};
    err_note(&c->why, "%s", why);
}

/* --- whether a database is asked --- */

static bool has_mechanism(str list, str mechanism)
{
    str rest = list;
    while (rest.n > 0)
        if (str_ieq(str_word(&rest), mechanism))
            return true;
    return str_trim(list).n == 0;
}

static bool is_asked(const struct chain *c, const struct authdb *db)
{
    bool token = db->driver == AUTHDB_OAUTH2;
    if (db->master != c->masters || (token && (c->in->look_up || c->verified)))
        return false;
    if (c->in->token && !token && (!db->deny || db->driver == AUTHDB_PAM))
        return false;
    if (db->skip != AUTHDB_NEVER && c->success == (db->skip == AUTHDB_IF_FOUND))
        return false;
    if (c->in->mechanism.n > 0 && !has_mechanism(db->mechanisms, c->in->mechanism))
        return false;
    return authdb_filter_fits(db->username_filter, c->user);
}

/* --- what its fields say --- */

static bool is_allowed_from(str nets, str client_ip)
{
    struct ip_net client, net;
    bool known = ip_parse(client_ip, &client) == RC_OK;
    while (nets.n > 0) {
        str one = str_trim(str_take(&nets, ','));
        if (str_eq(one, S("local")) ? client_ip.n == 0
                                    : known && ip_net_parse(one, &net) == RC_OK && ip_net_has(&net, &client))
            return true;
    }
    return false;
}

static bool is_set(const struct chain *c, str name)
{
    const struct authdb_field *f = authdb_fields_find(&c->fields, name);
    return f && !str_ieq(f->value, S("no")) && !str_ieq(f->value, S("n")) && !str_eq(f->value, S("0"));
}

/* The stored password gets its database's scheme where it says none. */
static enum rc complete_password(struct chain *c, const struct authdb *db, struct err *e)
{
    str stored = authdb_fields_value(&c->fields, S("password"));
    str scheme = authdb_fields_find(&c->fields, S("scheme")) ? authdb_fields_value(&c->fields, S("scheme"))
                 : db->driver == AUTHDB_STATIC               ? S("PLAIN")
                                                             : db->scheme;
    authdb_fields_del(&c->fields, S("scheme"));
    if (stored.n > 0 && stored.p[0] != '{')
        stored = arena_printf(c->a, "{" STR_FMT "}" STR_FMT, STR_ARG(scheme), STR_ARG(stored));
    if (stored.n > PASSWORD_STORED_MAX || arena_exhausted(c->a))
        return databases_cannot(e, "a stored password is longer than %d bytes", PASSWORD_STORED_MAX);
    if (stored.n > 0)
        must(authdb_fields_set(&c->fields, S("password"), stored) == RC_OK); /* it is there */
    return RC_OK;
}

/* Whether the database only tells what it has of the user. */
static bool only_tells(const struct chain *c, const struct authdb *db)
{
    return c->in->look_up || (c->in->token && db->driver != AUTHDB_OAUTH2);
}

/* What a database for tokens says (table/oauth2.c). */
static enum verdict check_token(struct chain *c, struct err *e)
{
    str why = authdb_fields_value(&c->fields, S("oauth2_why")), name;
    if (authdb_fields_find(&c->fields, S("oauth2_error"))) {
        note(c, arena_str(c->a, why).p);
        return VERDICT_MISMATCH;
    }
    if (databases_name(c->l->conf, authdb_fields_value(&c->fields, S("user")), c->a, &name, e) != RC_OK ||
        (c->user.n > 0 && !str_eq(name, c->user))) {
        note(c, "the token is somebody else's");
        return VERDICT_MISMATCH;
    }
    must(authdb_fields_set(&c->fields, S("user"), name) == RC_OK); /* it is there */
    return VERDICT_MATCH;
}

static enum verdict check_password(struct chain *c, const struct authdb *db, struct err *e)
{
    str stored = authdb_fields_value(&c->fields, S("password"));
    if (c->verified)
        return VERDICT_MATCH;
    if (is_set(c, S("nopassword"))) {
        if (stored.n == 0)
            return VERDICT_MATCH;
        (void)databases_cannot(e, "a user has both nopassword and a password");
        return VERDICT_FAILED;
    }
    if (stored.n == 0) {
        note(c, "no password is stored, and nopassword is not set");
        return VERDICT_MISMATCH;
    }
    if (only_tells(c, db))
        return VERDICT_MATCH;
    switch (c->in->check(c->in->ctx, c->user, stored, e)) {
    case RC_OK:
        return VERDICT_MATCH;
    case RC_PERM:
        note(c, "wrong password");
        return VERDICT_MISMATCH;
    case RC_INVALID:
        (void)databases_cannot(e, "the stored password is of no known scheme");
        return VERDICT_FAILED;
    default:
        return VERDICT_FAILED;
    }
}

static enum verdict judge_fields(struct chain *c, const struct authdb *db, struct err *e)
{
    if (is_set(c, S("proxy"))) {
        (void)databases_cannot(e, "the database wants the session passed on to another server (proxy)");
        return VERDICT_FAILED;
    }
    enum verdict v = db->driver == AUTHDB_OAUTH2 ? check_token(c, e) : check_password(c, db, e);
    if (v != VERDICT_MATCH)
        return v;
    const struct authdb_field *nets = authdb_fields_find(&c->fields, S("allow_nets"));
    if (nets && !c->in->look_up && !is_allowed_from(nets->value, c->in->client_ip)) {
        note(c, "allow_nets does not have the client's address");
        return VERDICT_UNKNOWN;
    }
    if (is_set(c, S("nologin")) && !c->in->look_up) {
        note(c, "the database does not let the user log in (nologin)");
        return VERDICT_DISABLED;
    }
    return VERDICT_MATCH;
}

/* --- one database --- */

static enum verdict ask_pam(struct chain *c, const struct database_question *q, struct err *e)
{
    if (!c->verified) {
        if (c->in->look_up)
            return VERDICT_BLIND;
        enum rc rc = c->in->check(c->in->ctx, c->user, STR_NONE, e);
        if (rc == RC_PERM)
            note(c, e->log[0] ? e->log : "wrong password");
        if (rc != RC_OK)
            return rc == RC_PERM ? VERDICT_MISMATCH : VERDICT_FAILED;
    }
    return databases_ask(q, &c->fields, e) == RC_OK ? VERDICT_MATCH : VERDICT_FAILED;
}

/* The database may know the user by another name. */
static enum verdict take_name(struct chain *c, struct err *e)
{
    str name = authdb_fields_value(&c->fields, S("user"));
    if (name.n > ADDRESS_MAX) {
        (void)databases_cannot(e, "the name that the database gives is too long");
        return VERDICT_FAILED;
    }
    if (name.n > 0)
        c->user = name;
    return VERDICT_MATCH;
}

static enum verdict ask_one(struct chain *c, const struct authdb *db, struct err *e)
{
    struct authdb_vars vars = {.user = c->user,
                               .original = c->in->name,
                               .service = c->in->service,
                               .client_ip = c->in->client_ip,
                               .mechanism = c->in->mechanism};
    if (!c->verified && !only_tells(c, db))
        vars.password = c->in->password.p ? c->in->password : S("");
    const struct database_question q = {c->l, true, db, &vars, c->a};
    static const str own[] = {S("password"),   S("nopassword"), S("nologin"),     S("proxy"),
                              S("allow_nets"), S("user"),       S("oauth2_error")};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        authdb_fields_del(&c->fields, own[i]);
    if (db->driver == AUTHDB_PAM)
        return ask_pam(c, &q, e);
    enum rc rc = databases_ask(&q, &c->fields, e);
    if (rc == RC_GONE)
        note(c, "unknown user");
    if (rc != RC_OK)
        return rc == RC_GONE ? VERDICT_UNKNOWN : rc == RC_INVALID ? VERDICT_BLIND : VERDICT_FAILED;
    if (complete_password(c, db, e) != RC_OK)
        return VERDICT_FAILED;
    enum verdict v = judge_fields(c, db, e);
    return v == VERDICT_MATCH ? take_name(c, e) : v;
}

/* --- what follows --- */

/* Whether the chain ends here. */
static bool is_end(struct chain *c, const struct authdb *db)
{
    if (db->deny && c->last != VERDICT_UNKNOWN) {
        c->success = false;
        if (c->last != VERDICT_FAILED) {
            c->last = VERDICT_DISABLED;
            note(c, "a deny database has the user");
        }
        return true;
    }
    if (c->last == VERDICT_DISABLED)
        return true;
    enum authdb_rule rule = c->last == VERDICT_MATCH    ? db->success
                            : c->last == VERDICT_FAILED ? db->internalfail
                                                        : db->failure;
    if (rule == AUTHDB_RETURN_OK || rule == AUTHDB_CONTINUE_OK)
        c->success = true;
    if (rule == AUTHDB_RETURN_FAIL || rule == AUTHDB_CONTINUE_FAIL)
        c->success = false;
    if (rule == AUTHDB_CONTINUE_OK || (rule == AUTHDB_CONTINUE && c->last == VERDICT_MATCH))
        c->verified = true;
    c->saw_failure |= c->last == VERDICT_FAILED;
    c->saw_blind |= c->last == VERDICT_BLIND;
    return rule <= AUTHDB_RETURN_FAIL;
}

static enum rc conclude(const struct chain *c, const struct err *failure, struct err *e)
{
    if (c->last != VERDICT_DISABLED && c->success)
        return RC_OK;
    bool failed = c->last != VERDICT_DISABLED && (c->last == VERDICT_FAILED || c->saw_failure);
    if (e)
        *e = failed ? *failure : c->why;
    if (failed)
        return RC_TEMP;
    if (c->saw_blind && c->last != VERDICT_DISABLED)
        return RC_INVALID;
    return c->last == VERDICT_UNKNOWN ? RC_GONE : RC_PERM;
}

/* Whether an end was reached; else every database was asked, or a master was found of whom the others are to
 * tell for whom. */
static bool walk(struct chain *c, struct err *failure)
{
    const struct databases *d = c->l->databases;
    for (size_t i = 0; i < d->n_pass; i++) {
        struct err why = {0};
        if (!is_asked(c, &d->pass[i]))
            continue;
        c->last = ask_one(c, &d->pass[i], &why);
        if (c->last == VERDICT_FAILED)
            *failure = why;
        if (is_end(c, &d->pass[i]))
            return true;
        if (c->masters && c->last == VERDICT_MATCH)
            return false;
    }
    return c->masters;
}

/* After a master was found: what the other databases say of the user. */
static void go_on_as_user(struct chain *c, str user, struct err *failure)
{
    c->user = user;
    c->fields.n = 0;
    c->masters = c->saw_failure = c->saw_blind = false;
    c->last = VERDICT_UNKNOWN;
    note(c, "the user in whose place a master would log in is unknown");
    (void)walk(c, failure);
}

static enum rc log_in(struct chain *c, str user, struct database_found *ret, struct err *e)
{
    struct err failure = {0};
    note(c, "unknown user");
    if (c->masters && !databases_have_masters(c->l->databases)) {
        note(c, "there is no passdb for masters (master = yes)");
        return conclude(c, &failure, e);
    }
    bool master = c->masters, end = walk(c, &failure);
    if (master && !end) {
        must(str_copy(ret->master, sizeof ret->master, c->user) == RC_OK);
        go_on_as_user(c, user, &failure);
    }
    enum rc rc = conclude(c, &failure, e);
    if (rc != RC_OK || !master || !end)
        return rc;
    must(str_copy(ret->master, sizeof ret->master, c->user) == RC_OK);
    ret->only_name = true;
    c->user = user;
    c->fields.n = 0;
    return RC_OK;
}

enum rc databases_log_in(const struct account_lookup *l, const struct database_login *in, struct arena *a,
                         struct database_found *ret, struct err *e)
{
    struct chain c = {.l = l, .in = in, .a = a, .masters = in->login_as.n > 0, .last = VERDICT_UNKNOWN};
    struct database_found found = {.only_name = false};
    str user = STR_NONE;
    enum rc rc = RC_OK;
    if (in->token && in->name.n == 0)
        c.user = S("");
    else
        rc = databases_name(l->conf, in->name, a, &c.user, e);
    if (rc == RC_OK && c.masters)
        rc = databases_name(l->conf, in->login_as, a, &user, e);
    if (rc == RC_OK)
        rc = log_in(&c, user, &found, e);
    if (rc != RC_OK && rc != RC_PERM)
        return rc;
    if (rc == RC_OK &&
        in->name.n == 0) { /* once more, for what is asked by the name: filters, and who denies */
        struct database_login named = *in;
        named.name = c.user;
        return databases_log_in(l, &named, a, ret, e);
    }
    must(str_copy(found.account, sizeof found.account, c.user) == RC_OK);
    found.fields = c.fields;
    *ret = found;
    return rc;
}
