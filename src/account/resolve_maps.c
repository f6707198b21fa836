/* What stands before and beside accounts and aliases: masked and blocked addresses, and what the tables of
 * the configuration say: relocated(5), virtual(5), aliases(5). */
#include "account/resolve_impl.h"

#include "account/mask.h"
#include "base/clock.h"
#include "conf/conf.h"
#include "fmt/aliases.h"
#include "fmt/mailaddr.h"
#include "fmt/tablespec.h"
#include "table/maps.h"

enum { RELOCATED_TEXT_MAX = 150 };

/* --- virtual(5) --- */

static enum rc follow_results(struct resolver *r, const struct step *s, const struct maps_found *found,
                              struct err *e)
{
    bool tagged = conf_list_has(&r->l->conf->propagate_unmatched_extensions, S("virtual"));
    str rest = found->value, extension = tagged ? found->extension : STR_NONE, one;
    enum rc rc = RC_OK;
    size_t n = 0;
    while (rc == RC_OK && (rc = tablespec_take(&rest, &one)) == RC_OK) {
        one = resolve_complete(one, address_text(s->key), extension, r->a);
        rc = arena_exhausted(r->a) ? resolve_too_many(e) : resolve_follow(r, one, s->depth + 1, e);
        n++;
    }
    if (rc == RC_INVALID || (rc == RC_GONE && n == 0)) {
        rc = err_set(e, RC_TEMP, 451, "4.3.5", "Server configuration error");
        err_note(e, "virtual_alias_maps give no addresses for " STR_FMT, STR_ARG(found->key));
    }
    return rc == RC_GONE ? RC_OK : rc;
}

str resolve_virtual_id(struct resolver *r, const struct step *s)
{
    return arena_printf(r->a, "virtual:" STR_FMT, STR_ARG(address_text(s->key)));
}

/* RC_GONE: the tables do not know it, or it is being followed: among its own results it stands for itself. */
enum rc resolve_virtual(struct resolver *r, const struct step *s, str id, struct err *e)
{
    const struct maps_rules rules = resolve_rules(r->l->conf);
    struct maps_found found;
    const char *met = map_find(r->expanded, id);
    if (met)
        return met == &resolve_followed ? RC_OK : RC_GONE;
    enum rc rc = maps_find_address(r->l->virtual_aliases, address_text(s->key), &rules, r->a, &found, e);
    if (rc == RC_GONE)
        return RC_GONE;
    if (rc != RC_OK) /* whatever is wrong with a table: it may know the address */
        return e ? e->rc = RC_TEMP : RC_TEMP;
    map_put(r->expanded, id, &resolve_in_progress);
    rc = follow_results(r, s, &found, e);
    map_put(r->expanded, id, &resolve_followed);
    return rc;
}

/* --- masked and blocked addresses --- */

static enum rc find_mask(struct resolver *r, const struct step *s, struct mask *ret, str *ret_tag,
                         struct err *e)
{
    struct address_key key;
    str base;
    *ret_tag = S("");
    enum rc rc = mask_find(r->l->db, s->key, ret, e);
    if (rc != RC_GONE ||
        !mailaddr_split_detail(address_local(s->key), str_c(r->l->conf->recipient_delimiter), &base, ret_tag))
        return rc;
    return address_join(base, address_domain(s->key), &key) == RC_OK ? mask_find(r->l->db, &key, ret, e)
                                                                     : RC_GONE;
}

enum rc resolve_mask(struct resolver *r, const struct step *s, struct err *e)
{
    struct address_key account;
    struct mask m;
    str tag;
    enum rc rc = find_mask(r, s, &m, &tag, e);
    if (rc != RC_OK)
        return rc;
    if (!m.account[0] && !m.enabled)
        return RC_GONE;
    rc = RC_GONE;
    if (mask_is_open(&m, clock_seconds()) && address_parse(str_c(m.account), &account) == RC_OK)
        rc = resolve_account(r, s, &account, tag, e);
    if (rc != RC_GONE)
        return rc;
    r->dead = s->address;
    if (s->depth > 0)
        return RC_OK;
    if (!m.account[0] && m.note[0])
        return err_set(e, RC_PERM, 550, "5.1.1", "%s", m.note);
    return resolve_unknown(r, s->address, e);
}

/* --- relocated(5) --- */

enum rc resolve_relocated(struct resolver *r, const struct step *s, struct err *e)
{
    const struct maps_rules rules = resolve_rules(r->l->conf);
    struct maps_found found;
    if (!r->l->relocated)
        return RC_GONE;
    enum rc rc = maps_find_address(r->l->relocated, address_text(s->key), &rules, r->a, &found, e);
    if (rc == RC_GONE)
        return RC_GONE;
    if (rc != RC_OK)
        return e ? e->rc = RC_TEMP : RC_TEMP;
    r->dead = s->address;
    if (s->depth > 0)
        return RC_OK;
    return err_set(e, RC_PERM, 550, "5.1.6", "User has moved to " STR_FMT,
                   STR_ARG(str_sub(found.value, 0, RELOCATED_TEXT_MAX)));
}

/* --- aliases(5) --- */

static enum rc follow_members(struct resolver *r, const struct step *s, str text, unsigned depth,
                              struct err *e);

static enum rc broken_alias(const struct step *s, str what, const char *problem, struct err *e)
{
    err_set(e, RC_TEMP, 451, "4.3.5", "Server configuration error");
    err_note(e, "alias_maps: " STR_FMT " behind " STR_FMT ": %s", STR_ARG(str_sub(what, 0, 150)),
             STR_ARG(s->address), problem);
    return RC_TEMP;
}

/* A file of members: its text was read when the tables were opened. */
static enum rc follow_include(struct resolver *r, const struct step *s, str path, unsigned depth,
                              struct err *e)
{
    str text, key = arena_printf(r->a, ":include:" STR_FMT, STR_ARG(path));
    if (arena_exhausted(r->a))
        return resolve_too_many(e);
    if (depth > RESOLVE_DEPTH_MAX)
        return broken_alias(s, key, "files include each other too deep", e);
    if (map_find(r->expanded, key))
        return RC_OK;
    enum rc rc = table_list_find(r->l->aliases, TABLE_WHOLE_KEY, key, r->a, &text, e);
    if (rc == RC_GONE)
        return broken_alias(s, key, "the file could not be read; only aliases: tables read such files", e);
    if (rc != RC_OK)
        return e ? e->rc = RC_TEMP : RC_TEMP;
    map_put(r->expanded, key, &resolve_followed);
    str outer = r->alias;
    r->alias = STR_NONE;
    rc = follow_members(r, s, text, depth + 1, e);
    r->alias = outer;
    return rc;
}

static str alias_id(struct resolver *r, str name)
{
    return arena_printf(r->a, "alias:" STR_FMT, STR_ARG(name));
}

/* A member without a domain is one of the domain that was asked for. "\joe" means joe, whatever alias_maps
 * say of him. */
static enum rc follow_address(struct resolver *r, const struct step *s, const struct alias_target *t,
                              unsigned depth, struct err *e)
{
    str domain = address_domain(s->key), to = t->text, id = alias_id(r, to);
    if (str_chr(to, '@') < 0 && domain.n > 0)
        to = arena_printf(r->a, STR_FMT "@" STR_FMT, STR_ARG(to), STR_ARG(domain));
    if (arena_exhausted(r->a))
        return resolve_too_many(e);
    char *before = map_find(r->expanded, id);
    if (t->final)
        map_put(r->expanded, id, &resolve_passed_over);
    enum rc rc = resolve_follow(r, to, depth + 1, e);
    if (t->final && before)
        map_put(r->expanded, id, before);
    else if (t->final)
        map_del(r->expanded, id);
    return rc;
}

static enum rc follow_member(struct resolver *r, const struct step *s, const struct alias *all, size_t n,
                             unsigned depth, struct err *e)
{
    const struct alias_target *t = &all->targets[n];
    enum rc rc = RC_GONE;
    switch (t->kind) {
    case ALIAS_ADDRESS:
        return follow_address(r, s, t, depth, e);
    case ALIAS_INCLUDE:
        return follow_include(r, s, t->text, depth, e);
    case ALIAS_COMMAND:
    case ALIAS_FILE:
        rc = resolve_program(r, s, t, (unsigned)n, e);
        break;
    }
    if (rc != RC_GONE)
        return rc;
    r->unsupported = true;
    r->dead = t->text;
    return RC_OK;
}

static enum rc follow_members(struct resolver *r, const struct step *s, str text, unsigned depth,
                              struct err *e)
{
    struct alias members;
    struct err why;
    enum rc rc = aliases_parse_targets(text, r->a, &members, &why);
    if (rc == RC_LIMIT)
        return resolve_too_many(e);
    if (rc != RC_OK)
        return broken_alias(s, text, why.peer, e);
    if (members.count == 0)
        return broken_alias(s, text, "it names nobody", e);
    for (size_t i = 0; rc == RC_OK && i < members.count; i++)
        rc = follow_member(r, s, &members, i, depth, e);
    return rc;
}

/* Failures of a list's members are for its owner: owner-NAME, when alias_maps have that, too. */
static enum rc find_owner(struct resolver *r, const struct step *s, str name, str *ret, struct err *e)
{
    str ignored, domain = address_domain(s->key), owner = arena_printf(r->a, "owner-" STR_FMT, STR_ARG(name));
    if (arena_exhausted(r->a))
        return resolve_too_many(e);
    if (str_starts(name, S("owner-")) || str_ends(name, S("-request")))
        return RC_OK;
    enum rc rc = table_list_find(r->l->aliases, TABLE_WHOLE_KEY, owner, r->a, &ignored, e);
    if (rc == RC_GONE)
        return RC_OK;
    if (rc != RC_OK)
        return e ? e->rc = RC_TEMP : RC_TEMP;
    *ret = arena_printf(r->a, STR_FMT "@" STR_FMT, STR_ARG(owner),
                        STR_ARG(domain.n ? domain : str_c(r->l->conf->hostname)));
    return arena_exhausted(r->a) ? resolve_too_many(e) : RC_OK;
}

enum rc resolve_alias_maps(struct resolver *r, const struct step *s, str name, struct err *e)
{
    str text, id = alias_id(r, name);
    if (!r->l->aliases || name.n == 0 || str_starts(name, S(":")))
        return RC_GONE;
    if (arena_exhausted(r->a))
        return resolve_too_many(e);
    if (map_find(r->expanded, id))
        return RC_GONE; /* not again, but a user may have the same name */
    enum rc rc = table_list_find(r->l->aliases, TABLE_WHOLE_KEY, name, r->a, &text, e);
    if (rc == RC_GONE)
        return RC_GONE;
    if (rc != RC_OK)
        return e ? e->rc = RC_TEMP : RC_TEMP;
    str outer = r->sender, outer_alias = r->alias, outer_text = r->alias_text;
    map_put(r->expanded, id, &resolve_in_progress);
    rc = find_owner(r, s, name, &r->sender, e);
    r->alias = name;
    r->alias_text = text;
    if (rc == RC_OK)
        rc = follow_members(r, s, text, s->depth, e);
    r->sender = outer;
    r->alias = outer_alias;
    r->alias_text = outer_text;
    map_put(r->expanded, id, &resolve_followed);
    return rc;
}

const char *resolve_alias_met(struct resolver *r, str name)
{
    const char *met = r->l->aliases ? map_find(r->expanded, alias_id(r, name)) : NULL;
    return met == &resolve_passed_over ? NULL : met;
}
