/* dovecot-oauth2:/path.conf.ext: a file of Dovecot's for its passdb oauth2, and settings of our own in it:
 * who somebody is by a token of OAuth 2, as a server says that is asked about it (RFC 7662), or as the token
 * itself says, which then is signed (RFC 7519).
 *
 * The key is a question with the token as its password (users.h). The answer to a good one is the field
 * "user"; to another one the fields "oauth2_error" (RFC 7628 §3.2.2), "oauth2_why" for the log, and, for the
 * client, "oauth2_scope" and "oauth2_configuration". */
#include "base/num.h"
#include "table/oauth2_impl.h"
#include "table/pool.h"

enum { FORM_MAX = 64 << 10, KEYS_FILE_MAX = 1 << 20 };

static const char *const names[] = {"introspection_url",
                                    "introspection_mode",
                                    "tokeninfo_url",
                                    "force_introspection",
                                    "username_attribute",
                                    "username_format",
                                    "active_attribute",
                                    "active_value",
                                    "client_id",
                                    "client_secret",
                                    "scope",
                                    "issuers",
                                    "audiences",
                                    "openid_configuration_url",
                                    "local_validation_key_dict",
                                    "jwks",
                                    "timeout_msecs",
                                    "tls_ca_cert_file",
                                    "tls_allow_invalid_cert",
                                    "grant_url",
                                    "use_grant_password",
                                    NULL};

static str get(const struct table *t, const char *name, const char *otherwise)
{
    return users_get(((const struct oauth2 *)t->state)->settings, name, otherwise);
}

/* --- what it knows of a token --- */

struct asking {
    struct table *t;
    str token;
    struct arena *a;
    msec deadline;
    struct err *e;
    const char *why;                 /* it is refused */
    const struct json_value *claims; /* NULL before they are known */
};

/* RC_PERM: refused. */
static enum rc refuse(struct asking *x, const char *why)
{
    x->why = why;
    return RC_PERM;
}

static enum rc ask_server(struct asking *x, const struct oauth2_place *place, int mode)
{
    AUTO(buf_wipe) struct buf text = BUF_INIT(FORM_MAX), body = BUF_INIT(OAUTH2_ANSWER_MAX);
    struct oauth2_request q = {.place = place};
    if (mode == OAUTH2_ASK_POST)
        buf_puts(&text, S("token="));
    if (mode == OAUTH2_ASK_BEARER)
        buf_printf(&text, "Bearer " STR_FMT, STR_ARG(x->token));
    else
        http_url_encode(&text, x->token);
    if (text.overflow)
        return refuse(x, "the token is too long");
    *(mode == OAUTH2_ASK_POST     ? &q.form
      : mode == OAUTH2_ASK_BEARER ? &q.authorization
                                  : &q.more) = buf_str(&text);
    enum rc rc = oauth2_fetch(x->t, &q, x->deadline, &body, x->e);
    if (rc == RC_GONE)
        return refuse(x, "the server does not accept the token");
    if (rc != RC_OK)
        return rc;
    str answer = arena_str(x->a, buf_str(&body)); /* the tree has views of it */
    if (json_read(answer, x->a, &x->claims) != RC_OK || x->claims->kind != JSON_OBJECT)
        return table_fail(x->t, x->e, RC_TEMP, "%s: the answer is no JSON object", place->server.host);
    return RC_OK;
}

static enum rc ask_servers(struct asking *x)
{
    const struct oauth2 *o = x->t->state;
    enum rc rc = RC_OK;
    if (o->token_info.url.host.p)
        rc = ask_server(x, &o->token_info, OAUTH2_ASK_GET);
    bool enough = x->claims && json_find_text(x->claims, o->rules.username).n > 0 &&
                  !str_eq(get(x->t, "force_introspection", "no"), S("yes"));
    if (rc == RC_OK && o->introspection.url.host.p && !enough)
        rc = ask_server(x, &o->introspection, o->mode);
    return rc;
}

static enum rc look_inside(struct asking *x)
{
    struct jwt token;
    if (jwt_parse(x->token, x->a, &token) != RC_OK)
        return refuse(x, "this is no JSON Web Token");
    enum rc rc = oauth2_keys_check(x->t, &token, x->deadline, &x->why, x->e);
    x->claims = token.claims;
    return rc;
}

/* --- the answer --- */

static enum rc put_user(struct asking *x, str user, struct buf *out)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(4096);
    const struct users_question q = {.vars = {.user = user, .original = user}};
    struct authdb_fields f = {.n = 0};
    enum rc rc = users_expand(x->t, "username_format", get(x->t, "username_format", "%Lu"), &q, NULL, NULL,
                              &name, x->e);
    if (rc != RC_OK)
        return rc;
    must(authdb_fields_set(&f, S("user"), buf_str(&name)) == RC_OK);
    authdb_fields_put(out, &f);
    return RC_OK;
}

static void put_refusal(const struct asking *x, enum oauth2_verdict v, struct buf *out)
{
    struct authdb_fields f = {.n = 0};
    const struct {
        str name, value;
    } parts[] = {
        {S("oauth2_error"), v == OAUTH2_INSUFFICIENT_SCOPE ? S("insufficient_scope") : S("invalid_token")},
        {S("oauth2_why"), str_c(x->why)},
        {S("oauth2_scope"), get(x->t, "scope", "")},
        {S("oauth2_configuration"), get(x->t, "openid_configuration_url", "")}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        must(authdb_fields_set(&f, parts[i].name, parts[i].value) == RC_OK);
    authdb_fields_put(out, &f);
}

static enum rc answer(struct asking *x, struct buf *out)
{
    const struct oauth2 *o = x->t->state;
    enum oauth2_verdict v = OAUTH2_INVALID_TOKEN;
    str user;
    enum rc rc = !oauth2_is_token(x->token) ? refuse(x, "no token was given")
                 : o->mode == OAUTH2_LOCAL  ? look_inside(x)
                                            : ask_servers(x);
    if (rc != RC_OK && rc != RC_PERM)
        return rc;
    if (rc == RC_OK)
        v = oauth2_judge(&o->rules, x->claims, clock_seconds(), &user, &x->why);
    if (v == OAUTH2_VALID)
        return put_user(x, user, out);
    put_refusal(x, v, out);
    return RC_OK;
}

/* Each question has a connection of its own, if it needs one: the pool only bounds how many there are. */
static enum rc connect_oauth2(struct table *t, msec deadline, void **ret, struct err *e)
{
    *ret = t;
    return RC_OK;
}

static void disconnect_oauth2(void *connection) {}

static enum rc ask_oauth2(struct table *t, void *connection, str key, msec deadline, struct buf *out,
                          struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(OAUTH2_ARENA);
    struct users_question q;
    enum rc rc = users_question_get(t, key, a, &q, e);
    if (rc != RC_OK || q.ask != USERS_PASSWORD)
        return rc == RC_OK ? RC_GONE : rc;
    struct asking x = {.t = t, .token = q.vars.password, .a = a, .deadline = deadline, .e = e};
    return answer(&x, out);
}

static const struct pool_type questions = {connect_oauth2, disconnect_oauth2, ask_oauth2};

static enum rc find_oauth2(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    return pool_find(t->pool, t, key, a, ret, e);
}

/* --- the settings --- */

static enum rc take_mode(struct table *t, struct oauth2 *o, struct err *e)
{
    static const struct users_word modes[] = {{"auth", OAUTH2_ASK_BEARER},
                                              {"get", OAUTH2_ASK_GET},
                                              {"post", OAUTH2_ASK_POST},
                                              {"local", OAUTH2_LOCAL},
                                              {NULL, 0}};
    bool has_keys = get(t, "jwks", "").n > 0 || o->key_folder.n > 0;
    bool has_server = o->introspection.url.host.p || o->token_info.url.host.p;
    enum rc rc = users_get_word(t, o->settings, "introspection_mode", modes, &o->mode, e);
    if (rc == RC_OK && has_keys && !has_server && get(t, "introspection_mode", "").n == 0)
        o->mode = OAUTH2_LOCAL;
    if (rc == RC_OK && (o->mode == OAUTH2_LOCAL ? !has_keys : !has_server))
        return table_fail(t, e, RC_PERM, "%s is needed",
                          o->mode == OAUTH2_LOCAL ? "jwks or local_validation_key_dict"
                                                  : "introspection_url or tokeninfo_url");
    return rc;
}

static enum rc take_keys(struct table *t, struct oauth2 *o, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(KEYS_FILE_MAX);
    str jwks = get(t, "jwks", ""), dict = get(t, "local_validation_key_dict", "");
    if (dict.n > 0) {
        static const str prefix = S("fs:posix:prefix=/");
        if (!str_starts(dict, prefix))
            return table_fail(t, e, RC_PERM, "local_validation_key_dict: expected fs:posix:prefix=/FOLDER/");
        o->key_folder = str_from(dict, prefix.n - 1);
        while (str_ends(o->key_folder, S("/")))
            o->key_folder.n--;
        table_need_folder_of(t, o->key_folder.p);
        return RC_OK;
    }
    if (!str_starts(jwks, S("/")))
        return oauth2_set_place(t, "jwks", &o->key_set, e);
    enum rc rc = table_read_file(t, jwks, &text, e);
    if (rc == RC_OK && oauth2_keys_take(&o->keys, buf_str(&text)) != RC_OK)
        return table_fail(t, e, RC_PERM, STR_FMT " is no set of keys, or none of them is of use",
                          STR_ARG(str_sub(jwks, 0, 150)));
    return rc;
}

/* What would let somebody in, or keep somebody out, in another way than here. */
static enum rc check_absent(struct table *t, struct err *e)
{
    static const char *const absent[] = {"grant_url", "use_grant_password", "tls_allow_invalid_cert"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        str value = get(t, absent[i], "");
        if (value.n > 0 && !str_eq(value, S("no")))
            return table_fail(t, e, RC_PERM, "%s: malle does not do that", absent[i]);
    }
    return RC_OK;
}

static enum rc take_timeout(struct table *t, struct err *e)
{
    uint32_t ms = 0;
    str text = get(t, "timeout_msecs", "");
    if (text.n == 0)
        return RC_OK;
    if (num_parse_u32(text, 600000, &ms) != RC_OK || ms == 0)
        return table_fail(t, e, RC_PERM, "timeout_msecs is no number of milliseconds");
    if ((int)ms < t->env.timeout_ms)
        t->env.timeout_ms = (int)ms;
    return RC_OK;
}

static void take_rules(struct table *t, struct oauth2 *o)
{
    bool local = o->mode == OAUTH2_LOCAL;
    o->rules = (struct oauth2_rules){.username = get(t, "username_attribute", "email"),
                                     .active = get(t, "active_attribute", ""),
                                     .active_value = get(t, "active_value", ""),
                                     .scope = get(t, "scope", ""),
                                     .issuers = get(t, "issuers", ""),
                                     .audiences = get(t, "audiences", ""),
                                     .needs_expiry = local};
    if (local && o->rules.audiences.n == 0)
        o->rules.audiences = get(t, "client_id", "");
}

static enum rc take_tls(struct table *t, struct oauth2 *o, struct err *e)
{
    const struct tls_client_settings set = {.ca_file = get(t, "tls_ca_cert_file", ""),
                                            .min_version = S("TLSv1.2")};
    struct err why = {0};
    bool wanted = o->introspection.url.tls || o->token_info.url.tls || o->key_set.url.tls;
    if (!wanted || t->env.unasked)
        return RC_OK;
    return tls_client_new(&set, &o->tls, &why) == RC_OK ? RC_OK
                                                        : table_fail(t, e, RC_PERM, "%s", err_text(&why));
}

static enum rc open_oauth2(struct table *t, str path, struct err *e)
{
    struct oauth2 *o = calloc(1, sizeof *o);
    must(o && pthread_mutex_init(&o->keys.lock, NULL) == 0);
    t->state = o;
    t->pool = t->env.unasked ? NULL : pool_new(&questions, TABLE_ASKS_AT_ONCE);
    enum rc rc = users_settings(t, path, names, &o->settings, e);
    if (rc == RC_OK)
        rc = check_absent(t, e);
    if (rc == RC_OK)
        rc = oauth2_set_place(t, "introspection_url", &o->introspection, e);
    if (rc == RC_OK)
        rc = oauth2_set_place(t, "tokeninfo_url", &o->token_info, e);
    if (rc == RC_OK)
        rc = take_keys(t, o, e);
    if (rc == RC_OK)
        rc = take_mode(t, o, e);
    if (rc == RC_OK)
        rc = take_timeout(t, e);
    if (rc == RC_OK)
        rc = take_tls(t, o, e);
    if (rc == RC_OK)
        take_rules(t, o);
    return rc;
}

static void close_oauth2(struct table *t)
{
    struct oauth2 *o = t->state;
    if (!o)
        return;
    table_texts_free(o->settings);
    tls_client_unref(o->tls);
    oauth2_keys_deinit(&o->keys);
    free(o);
}

const struct table_type table_oauth2 = {.name = "dovecot-oauth2",
                                        .whole_keys = true,
                                        .asks = true,
                                        .open = open_oauth2,
                                        .find = find_oauth2,
                                        .close = close_oauth2};
