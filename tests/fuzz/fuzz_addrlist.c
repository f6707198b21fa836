/* Address lists: every list is well-formed (groups open and close in turn, parts are there), and parsing
 * again gives the same. */
#include "fmt/addrlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(str a, str b)
{
    return !a.p == !b.p && str_eq(a, b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str value = str_mem(data, size);
    struct arena *a = arena_new(64 << 20);
    struct address *list = addrlist_parse(value, a), *again = addrlist_parse(value, a);
    bool in_group = false;
    for (; list && again; list = list->next, again = again->next) {
        must(same(list->name, again->name) && same(list->route, again->route));
        must(same(list->mailbox, again->mailbox) && same(list->host, again->host));
        if (address_is_group_mark(list)) {
            must(!list->name.p && !list->route.p && !list->mailbox.p == in_group);
            in_group = !in_group;
        }
        must(list->mailbox.p || address_is_group_mark(list));
    }
    must(!list && !again);
    must(!in_group || arena_exhausted(a));
    arena_free(a);
    return 0;
}
