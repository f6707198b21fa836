/* Names and values of foreign files: a name finds a row or none, whose own name finds it again, and a guess
 * is a name that is there; whether two values are the same is told alike both ways, and each is the same as
 * itself. Input: a byte for the dialect, then the name, a value and another, parted by line ends. */
#include "conf/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_values(const struct conf_param *p, str a, str b)
{
    must(conf_param_same(p, a, a) && conf_param_same(p, b, b));
    must(conf_param_same(p, a, b) == conf_param_same(p, b, a));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const enum conf_dialect dialect = (enum conf_dialect)(data[0] % (CONF_DIALECT_DOVECOT_24 + 1));
    str rest = str_mem(data + 1, size - 1), name = str_take(&rest, '\n'), a = str_take(&rest, '\n');
    const struct conf_param *p = conf_param_find(dialect, name);
    if (p && p->name[0] != '_') /* the end of a family is no name */
        must(conf_param_find(dialect, str_c(p->name)) == p);
    const char *meant = conf_param_nearest(dialect, name);
    must(!meant || conf_param_find(dialect, str_c(meant)));
    for (size_t kind = CONF_PARAM_STR; kind <= CONF_PARAM_BLOCK; kind++)
        check_values(&(struct conf_param){.kind = (enum conf_param_kind)kind, .initial = "5d"}, a, rest);
    if (p)
        check_values(p, a, rest);
    return 0;
}
