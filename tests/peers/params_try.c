/* The row that each name finds in malle's tables, for tests/peers/test_params.py: a line each of the name,
 * the row's own, its status and its option, parted by tabs; "-" for no row. usage: params_try DIALECT NAME...
 */
#include "conf/params.h"

static enum conf_dialect dialect_of(const char *name)
{
    if (strcmp(name, "postfix") == 0)
        return CONF_DIALECT_POSTFIX;
    return strcmp(name, "dovecot") == 0 ? CONF_DIALECT_DOVECOT : CONF_DIALECT_DOVECOT_24;
}

int main(int argc, char **argv)
{
    static const char *const status[] = {"SAME", "MAPPED", "HARMLESS", "WARN", "REFUSE"};
    for (int i = 2; i < argc; i++) {
        const struct conf_param *p = conf_param_find(dialect_of(argv[1]), str_c(argv[i]));
        printf("%s\t%s\t%s\t%s\n", argv[i], p ? p->name : "-", p ? status[p->status] : "-",
               p ? p->option : "-");
    }
    return 0;
}
