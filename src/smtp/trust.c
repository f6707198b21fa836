/* Whom and what the settings and their tables trust: clients, and domains that mail is passed on for. */
#include "base/log.h"
#include "smtp/rules.h"
#include "smtp/session_impl.h"
#include "table/maps.h"
#include "table/settings.h"

enum { LOOKUP_ARENA = 64 << 10 };

static enum rc not_now(const char *setting, const struct err *e)
{
    log_warn("%s: %s", setting, err_text(e));
    return RC_TEMP;
}

enum rc smtp_in_mynetworks(const struct smtp_session *s)
{
    struct table_list *l = table_settings_find(s->p->tables, str_c(s->conf->mynetworks_maps));
    if (!s->has_address)
        return RC_GONE;
    if (conf_list_has_address(&s->conf->mynetworks, &s->address))
        return RC_OK;
    if (!l)
        return RC_GONE;
    AUTO(arena_freep) struct arena *a = arena_new(LOOKUP_ARENA);
    struct err e = {0};
    str ignored;
    enum rc rc = table_list_find(l, TABLE_WHOLE_KEY, s->p->client_address, a, &ignored, &e);
    return rc == RC_OK || rc == RC_GONE ? rc : not_now("mynetworks_maps", &e);
}

enum rc smtp_is_relay_address(const struct smtp_session *s, str address)
{
    const struct conf *c = s->conf;
    const struct maps_rules rules = {
        .parents_match = conf_list_has(&c->parent_domain_matches_subdomains, S("relay_domains"))};
    struct table_list *l = s->p->tables ? s->p->tables->v[TABLES_RELAY_DOMAIN] : NULL;
    str domain = rules_relay_domain(address);
    struct maps_found found;
    struct err e = {0};
    if (domain.n == 0)
        return RC_GONE;
    if (conf_list_has_domain(&c->relay_domains, domain))
        return RC_OK;
    if (!l)
        return RC_GONE;
    AUTO(arena_freep) struct arena *a = arena_new(LOOKUP_ARENA);
    enum rc rc = maps_find_domain(l, domain, &rules, a, &found, &e);
    return rc == RC_OK || rc == RC_GONE ? rc : not_now("relay_domain_maps", &e);
}

bool smtp_is_trusted(const struct smtp_session *s)
{
    return smtp_is_authenticated(s) || (s->p->kind == SMTP_KIND_MX && smtp_in_mynetworks(s) == RC_OK);
}
