/* Following an address to the mailboxes and remote addresses that it stands for. */
#include "account/resolve_impl.h"

#include "account/databases.h"
#include "account/domain_total.h"
#include "conf/conf.h"
#include "fmt/mailaddr.h"
#include "table/maps.h"

enum { RELAY_ARENA = 256 << 10 };

char resolve_in_progress, resolve_followed, resolve_passed_over;

static void resolver_init(struct resolver *r, const struct account_lookup *l, struct arena *a)
{
    *r = (struct resolver){.l = l, .a = a, .expanded = map_new(), .defaults = map_new(), .found = map_new()};
}

static void resolver_deinit(struct resolver *r)
{
    map_free(r->expanded);
    map_free(r->defaults);
    map_free(r->found);
}

enum rc resolve_too_many(struct err *e)
{
    return err_set(e, RC_LIMIT, 550, "5.2.4", "the mailing list has too many members");
}

/* --- results --- */
enum rc resolve_add(struct resolver *r, struct account_target t, struct err *e)
{
    bool leaves = t.remote || str_starts(t.via, S("transport:"));
    str id = leaves ? t.address : t.account.n > 0 ? t.account : t.via;
    if (map_find(r->found, id))
        return RC_OK;
    if (r->n == RESOLVE_RESULTS_MAX)
        return resolve_too_many(e);
    if (r->n == r->room) {
        struct account_target *grown = arena_grow(r->a, r->targets, r->n, sizeof *grown);
        if (!grown)
            return resolve_too_many(e);
        r->targets = grown;
        r->room = r->n < 4 ? 8 : 2 * r->n;
    }
    t.account = arena_str(r->a, t.account);
    t.tag = arena_str(r->a, t.tag);
    t.address = arena_str(r->a, t.address);
    t.via = arena_str(r->a, t.via);
    t.sender = r->sender;
    if (arena_exhausted(r->a))
        return resolve_too_many(e);
    map_put(r->found, id, r);
    r->targets[r->n++] = t;
    return RC_OK;
}

/* --- the places where a name can be found; RC_GONE: not there --- */
static enum rc try_alias(struct resolver *r, const struct step *s, const struct address_key *key,
                         struct err *e)
{
    str *targets;
    size_t n;
    /* "@domain" leads elsewhere for each name */
    str id = address_text(address_local(key).n > 0 ? key : s->key);
    if (map_find(r->expanded, id))
        return RC_GONE; /* not again, but an account may have the same name */
    enum rc rc = alias_find(r->l->db, key, RESOLVE_RESULTS_MAX, r->a, &targets, &n, e);
    if (rc == RC_LIMIT)
        return resolve_too_many(e);
    if (rc != RC_OK)
        return rc;
    map_put(r->expanded, id, &resolve_in_progress);
    for (size_t i = 0; i < n; i++) {
        str to = targets[i];
        if (str_starts(to, S("@"))) /* the same name in another domain */
            to = arena_printf(r->a, STR_FMT STR_FMT, STR_ARG(address_local(s->key)), STR_ARG(to));
        rc = arena_exhausted(r->a) ? resolve_too_many(e) : resolve_follow(r, to, s->depth + 1, e);
        if (rc != RC_OK)
            return rc;
    }
    map_put(r->expanded, id, &resolve_followed);
    return RC_OK;
}

/* Whether the mailbox may be full, or its domain. */
static bool is_limited(const struct resolver *r, str account, str own)
{
    struct domain_total total;
    struct err e = {0};
    AUTO(buf_deinit) struct buf rules = BUF_INIT(QUOTA_RULES_BYTES);
    conf_quota_rules(r->l->conf, own, &rules);
    const struct quota_limits l = quota_limits_of(buf_str(&rules), S("INBOX"), '.');
    return l.bytes || l.messages ||
           (r->l->conf->quota && domain_total_of(r->l->db, account, &total, &e) != RC_GONE);
}

enum rc resolve_account(struct resolver *r, const struct step *s, const struct address_key *key, str tag,
                        struct err *e)
{
    struct account row;
    enum rc rc = account_find(r->l->db, address_text(key), &row, e);
    if (rc != RC_OK)
        return rc == RC_INVALID ? RC_GONE : rc;
    account_secret_wipe(&row.secret);
    if (!row.enabled) {
        r->disabled = true;
        r->dead = s->address;
        return RC_OK;
    }
    AUTO(buf_deinit) struct buf quota = BUF_INIT(QUOTA_RULES_BYTES);
    account_put_quota(r->l->conf, &row, &quota);
    struct account_target t = {.account = str_c(row.address),
                               .uid = r->l->mail_uid,
                               .tag = tag,
                               .address = s->address,
                               .limited = is_limited(r, str_c(row.address), buf_str(&quota))};
    return resolve_add(r, t, e);
}

static enum rc add_user(struct resolver *r, const struct step *s, const struct account_identity *id, str tag,
                        struct err *e)
{
    struct account_target t = {.account = str_c(id->account),
                               .uid = id->uid,
                               .tag = tag,
                               .address = s->address,
                               .limited = is_limited(r, str_c(id->account), str_c(id->quota))};
    enum rc rc = id->system ? resolve_user_via(r, t.account, id->uid, tag, &t.via, e) : RC_OK;
    return rc == RC_OK ? resolve_add(r, t, e) : rc;
}

static enum rc try_system(struct resolver *r, const struct step *s, str name, str tag, struct err *e)
{
    struct account_identity id;
    enum rc rc = r->l->databases && r->l->conf->system_users ? databases_find_user(r->l, name, NULL, &id, e)
                 : r->l->databases                           ? RC_GONE
                                                             : account_ask_system(r->l, name, &id, e);
    return rc == RC_OK ? add_user(r, s, &id, tag, e) : rc;
}

/* The user of that address in the databases of the option userdb. */
static enum rc try_databases(struct resolver *r, const struct step *s, const struct address_key *key, str tag,
                             struct err *e)
{
    struct account_identity id;
    if (!r->l->databases)
        return RC_GONE;
    enum rc rc = databases_find_user(r->l, address_text(key), NULL, &id, e);
    return rc == RC_OK ? add_user(r, s, &id, tag, e) : rc;
}

/* Whom an alias stands for that leads back to itself: two lists may name each other, but behind two aliases
 * that are nothing but each other there is nobody, and mail for them would vanish. */
static enum rc check_loop(struct resolver *r, str address, struct err *e)
{
    struct resolver probe;
    resolver_init(&probe, r->l, r->a);
    probe.probing = true;
    probe.lookups = r->lookups;
    enum rc rc = resolve_follow(&probe, address, 0, e);
    if (rc == RC_OK && probe.n == 0) {
        r->looped = true;
        r->dead = address;
    }
    r->lookups = probe.lookups;
    resolver_deinit(&probe);
    return rc;
}

/* An alias for the second time: its members are counted already, or being counted. */
enum rc resolve_meet_again(struct resolver *r, const char *met, str address, struct err *e)
{
    if (r->probing || met == &resolve_followed)
        return RC_OK;
    address = arena_str(r->a, address); /* the key lies in a caller's frame, and r->dead keeps it */
    return arena_exhausted(r->a) ? resolve_too_many(e) : check_loop(r, address, e);
}

static enum rc try_name(struct resolver *r, const struct step *s, str local, str tag, struct err *e)
{
    struct address_key key;
    if (address_join(local, address_domain(s->key), &key) != RC_OK)
        return RC_GONE;
    enum rc rc = try_alias(r, s, &key, e);
    if (rc == RC_GONE)
        rc = resolve_account(r, s, &key, tag, e);
    if (rc == RC_GONE)
        rc = try_databases(r, s, &key, tag, e);
    if (rc == RC_GONE)
        rc = resolve_alias_maps(r, s, local, e);
    if (rc == RC_GONE)
        rc = try_system(r, s, local, tag, e);
    const char *met = map_find(r->expanded, address_text(&key));
    if (!met)
        met = resolve_alias_met(r, local);
    return rc == RC_GONE && met ? resolve_meet_again(r, met, address_text(&key), e) : rc;
}

static bool is_role_name(str local)
{
    return str_eq(local, S("postmaster")) || str_eq(local, S("abuse")) || str_eq(local, S("root"));
}

enum rc resolve_configured(struct resolver *r, const struct step *s, const char *to, struct err *e)
{
    if (!to || !to[0])
        return RC_GONE;
    const char *met = map_find(r->defaults, str_c(to));
    if (met)
        return resolve_meet_again(r, met, str_c(to), e);
    map_put(r->defaults, str_c(to), &resolve_in_progress);
    enum rc rc = resolve_follow(r, str_c(to), s->depth + 1, e);
    if (rc == RC_OK)
        map_put(r->defaults, str_c(to), &resolve_followed);
    return rc;
}

static enum rc try_catch_all(struct resolver *r, const struct step *s, const struct conf_domain *section,
                             struct err *e)
{
    struct address_key key;
    if (address_join(STR_NONE, address_domain(s->key), &key) != RC_OK)
        return RC_GONE;
    enum rc rc = try_alias(r, s, &key, e);
    return rc == RC_GONE ? resolve_configured(r, s, section ? section->catch_all : NULL, e) : rc;
}

/* Whoever reads postmaster's mail in another of the configured domains: ours goes to postmaster@hostname. */
static enum rc try_postmaster(struct resolver *r, const struct step *s, struct err *e)
{
    const struct conf_list *domains = &r->l->conf->domains;
    enum rc rc = RC_GONE;
    for (size_t i = 0; i < domains->n && rc == RC_GONE; i++) {
        struct address_key key;
        struct step there = {&key, s->address, s->depth};
        if (address_join(S("postmaster"), domains->v[i], &key) == RC_OK)
            rc = try_name(r, &there, S("postmaster"), S(""), e);
    }
    return rc;
}

/* RFC 5321 §4.5.1: mail for postmaster is always accepted. */
static enum rc try_any_account(struct resolver *r, const struct step *s, struct err *e)
{
    struct address_key key;
    enum rc rc = account_first(r->l->db, address_domain(s->key), &key, e);
    if (rc == RC_GONE)
        rc = account_first(r->l->db, STR_NONE, &key, e);
    if (rc == RC_GONE)
        return err_set(e, RC_TEMP, 451, "4.2.1", "there is no account yet that could receive this mail");
    return rc == RC_OK ? resolve_account(r, s, &key, S(""), e) : rc;
}

static enum rc follow_named(struct resolver *r, const struct step *s, struct err *e);

static enum rc follow_local(struct resolver *r, const struct step *s, struct err *e)
{
    enum rc rc = resolve_mask(r, s, e);
    if (rc == RC_GONE)
        rc = resolve_relocated(r, s, e);
    if (rc != RC_GONE)
        return rc;
    if (!r->l->virtual_aliases)
        return follow_named(r, s, e);
    str id = resolve_virtual_id(r, s);
    if (arena_exhausted(r->a))
        return resolve_too_many(e);
    rc = resolve_virtual(r, s, id, e);
    if (rc != RC_GONE)
        return rc;
    rc = follow_named(r, s, e);
    const char *met = map_find(r->expanded, id);
    return rc == RC_GONE && met ? resolve_meet_again(r, met, s->address, e) : rc;
}

/* --- without tables --- */

static enum rc follow_named(struct resolver *r, const struct step *s, struct err *e)
{
    str whole = address_local(s->key), local = whole, tag;
    bool tagged = mailaddr_split_detail(whole, str_c(r->l->conf->recipient_delimiter), &local, &tag);
    const struct conf_domain *section = conf_find_domain(r->l->conf, address_domain(s->key));
    bool role = is_role_name(local);
    if (!role && resolve_aliases_only(r, s))
        return RC_GONE;
    enum rc rc = try_name(r, s, whole, S(""), e);
    if (rc == RC_GONE && tagged)
        rc = try_name(r, s, local, tag, e);
    if (rc == RC_GONE && role)
        rc = resolve_configured(r, s, section ? section->postmaster : NULL, e);
    if (rc == RC_GONE)
        rc = try_catch_all(r, s, section, e);
    if (rc == RC_GONE)
        rc = resolve_fallback(r, s, e);
    if (rc == RC_GONE && role)
        rc = try_postmaster(r, s, e);
    if (rc == RC_GONE && role)
        rc = try_any_account(r, s, e);
    return rc;
}

/* Follows one address to its end. RC_OK also when it leads nowhere, which r->dead remembers; at depth 0
 * RC_GONE then tells that the domain is not ours. */
enum rc resolve_follow(struct resolver *r, str address, unsigned depth, struct err *e)
{
    struct address_key key;
    struct step s = {&key, address, depth};
    if (depth > RESOLVE_DEPTH_MAX || ++r->lookups > RESOLVE_LOOKUPS_MAX)
        return err_set(e, RC_PERM, 550, "5.4.6", "the address leads through too many aliases");
    enum rc rc = address_parse(address, &key);
    if (rc != RC_OK)
        return depth > 0 ? (r->dead = address, RC_OK)
                         : err_set(e, RC_INVALID, 501, "5.1.3", "bad address syntax");
    resolve_own_literal(r->l->conf, &key);
    rc = resolve_srs(r, address, depth, e);
    if (rc != RC_GONE)
        return rc;
    rc = RC_OK;
    if (address_domain(&key).n > 0)
        rc = account_domain_is_local(r->l, address_domain(&key), e);
    if (rc == RC_GONE && depth == 0)
        return rc;
    if (rc == RC_GONE)
        return resolve_add(r, (struct account_target){.remote = true, .uid = (uid_t)-1, .address = address},
                           e);
    if (rc == RC_OK)
        rc = follow_local(r, &s, e);
    if (rc == RC_GONE) {
        r->dead = address;
        return RC_OK;
    }
    if (rc != RC_OK && r->failed.n == 0)
        r->failed = address;
    return rc;
}

/* Refuses what leads nowhere, as a whole or in part. */
static enum rc conclude(const struct resolver *r, str address, struct err *e)
{
    if (r->n > 0 && r->dead.n == 0)
        return RC_OK;
    if (r->n > 0)
        err_set(e, RC_PERM, 550, "5.1.1",
                "the address stands for several, and one of them cannot receive mail");
    else if (r->disabled)
        err_set(e, RC_PERM, 550, "5.2.1", "the mailbox is disabled");
    else if (r->unsupported)
        err_set(e, RC_PERM, 550, "5.3.3",
                "the address stands for a command or a file, which get no mail here");
    else if (r->looped)
        err_set(e, RC_PERM, 550, "5.4.6", "the address loops among aliases");
    else
        (void)resolve_unknown(r, address, e);
    if (!str_eq(r->dead, address))
        err_note(e, "an alias behind " STR_FMT " leads to " STR_FMT ", which is %s", STR_ARG(address),
                 STR_ARG(r->dead), r->disabled ? "nowhere or disabled" : "nowhere");
    return RC_PERM;
}

/* All that the address stands for, in r; what leads nowhere is only remembered. */
static enum rc gather(struct resolver *r, str address, struct err *e)
{
    struct address_key key;
    str whole = address;
    if (address_parse(address, &key) != RC_OK)
        return err_set(e, RC_INVALID, 501, "5.1.3", "bad address syntax");
    /* "postmaster" alone is the only name without a domain that SMTP knows (RFC 5321 §4.5.1) */
    if (address_domain(&key).n == 0) {
        if (!str_eq(address_text(&key), S("postmaster")))
            return err_set(e, RC_INVALID, 501, "5.1.3", "the address has no domain");
        whole = arena_printf(r->a, "postmaster@%s",
                             r->l->conf->domains.n > 0 ? r->l->conf->domains.v[0].p : r->l->conf->hostname);
        if (arena_exhausted(r->a))
            return resolve_too_many(e);
    }
    enum rc rc = resolve_follow(r, whole, 0, e);
    if (rc == RC_GONE)
        return err_set(e, RC_GONE, 550, "5.7.1", "relay access denied");
    if (rc != RC_OK && r->failed.n > 0 && !str_eq(r->failed, whole))
        err_note(e, "an alias behind it leads to " STR_FMT ": %s", STR_ARG(r->failed), e ? err_text(e) : "");
    return rc;
}

enum rc account_resolve(const struct account_lookup *l, str address, struct arena *a,
                        struct account_target **ret, size_t *ret_n, struct err *e)
{
    struct resolver r;
    resolver_init(&r, l, a);
    enum rc rc = gather(&r, address, e);
    if (rc == RC_OK)
        rc = conclude(&r, address, e);
    if (rc == RC_OK) {
        *ret = r.targets;
        *ret_n = r.n;
    }
    resolver_deinit(&r);
    return rc;
}

/* RC_OK, RC_GONE, RC_TEMP. */
static enum rc is_relay_domain(const struct account_lookup *l, str domain, struct arena *a, struct err *e)
{
    const struct maps_rules rules = {
        .parents_match = conf_list_has(&l->conf->parent_domain_matches_subdomains, S("relay_domains"))};
    struct maps_found found;
    if (conf_list_has_domain(&l->conf->relay_domains, domain))
        return RC_OK;
    enum rc rc =
        l->relay_domains ? maps_find_domain(l->relay_domains, domain, &rules, a, &found, e) : RC_GONE;
    return rc == RC_OK || rc == RC_GONE ? rc : (e->rc = RC_TEMP);
}

enum rc account_check_relay(const struct account_lookup *l, str address, struct err *e)
{
    struct maps_found found;
    const struct maps_rules rules = {.delimiters = l->conf->recipient_delimiter};
    ptrdiff_t at = str_rchr(address, '@');
    if (!l->relay_recipients || at < 0)
        return RC_OK;
    AUTO(arena_freep) struct arena *a = arena_new(RELAY_ARENA);
    enum rc rc = is_relay_domain(l, str_from(address, (size_t)at + 1), a, e);
    if (rc != RC_OK)
        return rc == RC_GONE ? RC_OK : rc;
    rc = maps_find_address(l->relay_recipients, address, &rules, a, &found, e);
    if (rc == RC_GONE)
        return resolve_unknown_relay(l->conf, e);
    return rc == RC_OK ? RC_OK : (e->rc = RC_TEMP);
}

/* domain_maps. */
static enum rc is_in_tables(const struct account_lookup *l, str domain, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(RELAY_ARENA);
    struct address_key key;
    str value;
    if (address_join(STR_NONE, domain, &key) != RC_OK)
        return RC_GONE;
    enum rc rc = table_list_find(l->domains, TABLE_WHOLE_KEY, address_domain(&key), a, &value, e);
    return rc == RC_OK || rc == RC_GONE ? rc : e ? (e->rc = RC_TEMP) : RC_TEMP;
}

enum rc account_domain_is_local(const struct account_lookup *l, str domain, struct err *e)
{
    if (l->conf->every_domain || str_ieq(domain, str_c(l->conf->hostname)) ||
        conf_has_domain(l->conf, domain))
        return RC_OK;
    enum rc rc = domain_find(l->db, domain, e);
    if (rc == RC_INVALID || rc == RC_LIMIT)
        return RC_GONE;
    return rc == RC_GONE && l->domains ? is_in_tables(l, domain, e) : rc;
}

/* The local part without its "+tag". */
static str base_of(const struct account_lookup *l, const struct address_key *key)
{
    str base, tag;
    bool tagged = mailaddr_split_detail(address_local(key), str_c(l->conf->recipient_delimiter), &base, &tag);
    return tagged ? base : address_local(key);
}

/* Whether the address is the name of an account of Dovecot, or of a user of a database. free: nobody here has
 * the address. */
static bool is_name_elsewhere(const struct account_lookup *l, str account, str address, bool free)
{
    struct address_key name, key;
    if ((!conf_asks_dovecot(l->conf) && !l->databases) || address_parse(account, &name) != RC_OK ||
        address_parse(address, &key) != RC_OK || address_domain(&key).n == 0)
        return false;
    if (!str_eq(address_local(&key), address_local(&name)) && !str_eq(base_of(l, &key), address_local(&name)))
        return false;
    if (address_domain(&name).n > 0)
        return str_eq(address_domain(&name), address_domain(&key));
    return free && account_domain_is_local(l, address_domain(&key), NULL) == RC_OK;
}

enum rc account_may_send(const struct account_lookup *l, str account, str sender, struct err *e)
{
    struct resolver r;
    struct arena *a = arena_new(4 << 20);
    bool own = false;
    resolver_init(&r, l, a);
    enum rc rc = gather(&r, sender, e);
    for (size_t i = 0; rc == RC_OK && i < r.n; i++)
        own |= r.targets[i].remote ? is_name_elsewhere(l, account, r.targets[i].address, false)
                                   : str_eq(r.targets[i].account, account);
    own |= rc != RC_TEMP && is_name_elsewhere(l, account, sender, r.n == 0);
    resolver_deinit(&r);
    arena_free(a);
    if (rc == RC_TEMP)
        return rc;
    if (own)
        return RC_OK;
    return err_set(e, RC_PERM, 553, "5.7.1", "sender address is not owned by user " STR_FMT,
                   STR_ARG(account));
}
