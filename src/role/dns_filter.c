#include "role/dns_filter.h"

#include "base/log.h"

enum { LOOKUP_ARENA = 256 << 10, LOGGED_MAX = 200 };

static enum rc judge(void *tables, str record)
{
    AUTO(arena_freep) struct arena *a = arena_new(LOOKUP_ARENA);
    struct err e = {0};
    str action = STR_NONE;
    enum rc rc = table_list_find(tables, TABLE_WHOLE_KEY, record, a, &action, &e);
    if (rc == RC_GONE)
        return RC_OK;
    if (rc == RC_OK && str_ieq(action, S("IGNORE"))) {
        log_info("ignoring DNS RR: " STR_FMT, STR_ARG(str_sub(record, 0, LOGGED_MAX)));
        return RC_GONE;
    }
    if (rc == RC_OK)
        log_warn("unknown DNS filter action: \"" STR_FMT "\"", STR_ARG(str_sub(action, 0, LOGGED_MAX)));
    else
        log_warn("DNS reply filter: %s", err_text(&e));
    return RC_TEMP;
}

struct dns_asker dns_filter_asker(struct resolver *r, struct table_list *tables)
{
    return (struct dns_asker){.resolver = r, .judge = tables ? judge : NULL, .ctx = tables};
}
