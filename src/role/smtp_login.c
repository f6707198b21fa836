#include "role/smtp_login.h"

#include "table/maps.h"

static unsigned mechanisms_of(const struct conf *c)
{
    static const enum ehlo_auth all[] = {EHLO_AUTH_PLAIN, EHLO_AUTH_LOGIN, EHLO_AUTH_SCRAM_SHA_1,
                                         EHLO_AUTH_SCRAM_SHA_256, EHLO_AUTH_XOAUTH2};
    const struct conf_list *wanted = &c->smtp_sasl_mechanism_filter;
    unsigned bits = 0;
    for (size_t i = 0; i < wanted->n; i++)
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            if (str_ieq(wanted->v[i], ehlo_auth_name(all[k])))
                bits |= all[k];
    return bits;
}

static bool allows_plaintext(const struct conf *c)
{
    for (size_t i = 0; i < c->smtp_sasl_security_options.n; i++)
        if (str_eq(c->smtp_sasl_security_options.v[i], S("noplaintext")))
            return false;
    return true;
}

bool smtp_login_is_personal(const struct conf *c)
{
    return c->smtp_sasl_auth_enable && c->smtp_sender_dependent_authentication;
}

static enum rc look_up(const struct conf *c, struct table_list *l, str sender, str nexthop, str host,
                       struct arena *a, str *ret, struct err *e)
{
    const struct maps_rules rules = {.delimiters = c->recipient_delimiter};
    struct maps_found found = {.value = STR_NONE};
    enum rc rc = smtp_login_is_personal(c) && sender.n > 0
                     ? maps_find_address(l, sender, &rules, a, &found, e)
                     : RC_GONE;
    if (rc == RC_GONE)
        rc = table_list_find(l, TABLE_WHOLE_KEY, nexthop, a, &found.value, e);
    if (rc == RC_GONE)
        rc = table_list_find(l, TABLE_WHOLE_KEY, host, a, &found.value, e);
    if (rc == RC_OK)
        *ret = found.value;
    return rc;
}

enum rc smtp_login_find(const struct conf *c, const struct table_settings *t, str sender, str nexthop,
                        str host, struct arena *a, struct smtp_client_auth *ret, struct err *e)
{
    struct table_list *l = table_settings_of(t, c, TABLES_SASL_PASSWORD);
    str password;
    if (!c->smtp_sasl_auth_enable || !l)
        return RC_GONE;
    enum rc rc = look_up(c, l, sender, nexthop, host, a, &password, e);
    if (rc != RC_OK)
        return rc == RC_GONE ? RC_GONE : (e->rc = RC_TEMP);
    str user = str_take(&password, ':');
    if (user.n == 0 || password.n == 0)
        return err_set(e, RC_TEMP, 451, "4.3.5",
                       "smtp_sasl_password_maps does not say user:password for " STR_FMT, STR_ARG(nexthop));
    unsigned mechanisms = mechanisms_of(c);
    *ret = (struct smtp_client_auth){.user = user,
                                     .password = password,
                                     .token = mechanisms & EHLO_AUTH_XOAUTH2 ? password : STR_NONE,
                                     .mechanisms = mechanisms,
                                     .allow_plaintext = allows_plaintext(c)};
    return RC_OK;
}
