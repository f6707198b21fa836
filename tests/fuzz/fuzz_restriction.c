/* Restriction lists and classes as administrators write them; the part before the first NUL is the classes.
 */
#include "fmt/restriction.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct restriction *r)
{
    must(r->kind != RESTRICTION_UNKNOWN && r->kind != RESTRICTION_UNSUPPORTED && r->name.n > 0);
    must(r->kind == RESTRICTION_CLASS || (r->takes == RESTRICTION_NO_ARGUMENT) == (r->argument.n == 0));
    must(r->takes != RESTRICTION_TABLE || str_chr(r->argument, ':') > 0);
    must(r->seconds <= RESTRICTION_SLEEP_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str list = str_mem(data, size), classes = str_take(&list, '\0'), rest = classes, name, of_class, again;
    struct restriction r;
    struct err e = {0};
    enum rc rc;
    while ((rc = restriction_take_class(&rest, &name, &of_class, &e)) != RC_GONE)
        if (rc == RC_OK)
            must(name.n > 0 && restriction_find_class(classes, name, &again));
    size_t before = SIZE_MAX;
    while ((rc = restriction_take(&list, (enum restriction_list)(size % RESTRICTION_LISTS), classes, &r,
                                  &e)) != RC_GONE) {
        must(list.n < before);
        before = list.n;
        must(rc == RC_OK || e.peer[0]);
        if (rc == RC_OK)
            check(&r);
    }
    return 0;
}
