/* Which SASL mechanisms a connection is offered before log-in (login.h). */
#include "account/login.h"

#include "fmt/sasl.h"

bool login_mechanism_fits(const struct login_settings *set, bool is_tls, str mechanism)
{
    enum sasl_mech mech;
    if (sasl_mech_parse(mechanism, &mech) != RC_OK)
        return false;
    if (is_tls)
        return true;
    return !sasl_mech_is_plus(mech) && !(sasl_mech_is_plaintext(mech) && set->plaintext_forbidden);
}

str login_find_mechanism(const struct login_settings *set, bool is_tls, str name)
{
    for (size_t i = 0; i < set->n_mechanisms; i++)
        if (str_ieq(set->mechanisms[i], name))
            return login_mechanism_fits(set, is_tls, name) ? set->mechanisms[i] : STR_NONE;
    return STR_NONE;
}
