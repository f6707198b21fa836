/* Names of the machine as Postfix takes them. */
#include "conf/postfix_names.h"

#include <unistd.h>

void postfix_machine_name(char ret[POSTFIX_NAME_SIZE])
{
    char name[256] = "";
    if (gethostname(name, sizeof name - 1) != 0 || !name[0])
        snprintf(name, sizeof name, "localhost");
    snprintf(ret, POSTFIX_NAME_SIZE, "%s%s", name, strchr(name, '.') ? "" : ".localdomain");
}

bool postfix_computed(const struct postfix_main *main, const char *machine, str name, str *ret)
{
    const struct postfix_param *set = main ? postfix_main_find(main, S("myhostname")) : NULL;
    str hostname = set ? set->value : str_c(machine);
    ptrdiff_t dot = str_chr(hostname, '.');
    if (str_eq(name, S("myhostname")))
        *ret = hostname;
    else if (str_eq(name, S("mydomain")))
        *ret = dot > 0 ? str_from(hostname, (size_t)dot + 1) : S("localdomain");
    else if (str_eq(name, S("mynetworks")))
        *ret = S("127.0.0.0/8 [::1]/128");
    else
        return false;
    return true;
}

bool postfix_is_used(const struct postfix_main *main, str name)
{
    for (size_t i = 0; i < main->n; i++) {
        str rest = main->params[i].value;
        for (ptrdiff_t at; (at = str_find(rest, name)) >= 0; rest = str_from(rest, (size_t)at + name.n))
            if (at > 0 && strchr("${(", rest.p[at - 1]))
                return true;
    }
    return false;
}
