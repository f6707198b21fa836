/* Table files, names of tables: lines cover the file in order, entries and settings are parts of their line,
 * and what is taken from a list can be taken again from itself. */
#include "fmt/tablespec.h"
#include "fmt/tabletext.h"
#include "table/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_part(str whole, str part)
{
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void check_line(str line)
{
    str a, b;
    must(line.n > 0 && !tabletext_is_white(line.p[line.n - 1]));
    if (!tabletext_entry(line, &a, &b))
        must(a.n > 0 && b.n > 0 && is_part(line, a) && is_part(line, b) && a.p == line.p);
    if (!tabletext_setting(line, &a, &b))
        must(a.n > 0 && is_part(line, a) && is_part(line, b));
}

static void check_list(str list)
{
    str item, again, a, b;
    while (tablespec_take(&list, &item) == RC_OK) {
        str one = item;
        must(item.n > 0 && tablespec_take(&one, &again) == RC_OK && str_eq(item, again) && one.n == 0);
        if (tablespec_split(item, &a, &b) == RC_OK)
            must(a.n + 1 + b.n == item.n);
        if (tablespec_pair(item, &a, &b) == RC_OK)
            must(a.n > 0 && is_part(item, a) && is_part(item, b));
        if (tablespec_braced(item, &a) == RC_OK)
            must(a.n + 2 <= item.n && is_part(item, a));
    }
}

/* What another process is to ask is a part of the list, and names itself alone. */
static void check_asking(void *ctx, str spec)
{
    str *list = ctx, type, name;
    must(is_part(*list, spec) && tablespec_split(spec, &type, &name) == RC_OK);
    static const char *const asking[] = {"sqlite",    "pgsql", "mysql",  "ldap",        "dovecot-sql",
                                         "socketmap", "tcp",   "policy", "dovecot-ldap"};
    bool asks = false;
    for (size_t i = 0; i < sizeof asking / sizeof *asking; i++)
        asks |= str_eq(type, str_c(asking[i]));
    must(asks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf joined = BUF_INIT(200);
    struct tabletext t = tabletext_of(str_mem(data, size));
    str line;
    int number = 0, before = 0;
    enum rc rc;
    while ((rc = tabletext_next(&t, &joined, &line, &number)) != RC_GONE) {
        must(number > before && (rc == RC_OK || rc == RC_LIMIT || rc == RC_INVALID));
        before = number;
        if (rc == RC_OK)
            check_line(line);
    }
    must(t.rest.n == 0);
    check_list(str_mem(data, size));
    str list = str_mem(data, size);
    table_each_asking(list, check_asking, &list);
    buf_deinit(&joined);
    return 0;
}
