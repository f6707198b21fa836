/* mmdb: a database of addresses in MaxMind's format (libmaxminddb); it gives the country of an address as its
 * two letters (ISO 3166-1), or what the database has in place of it: the country of whoever registered the
 * address, or the number of its network. */
#include "fmt/ip.h"
#include "os/file.h"
#include "os/ipc.h"
#include "table/table_impl.h"

#include <maxminddb.h>

enum { VALUE_MAX = 64 };

/* Through a sealed copy: a file that is cut short in place would otherwise end the process that mapped it. */
static enum rc open_mmdb(struct table *t, str name, struct err *e)
{
    char path[40];
    AUTO(buf_deinit) struct buf content = BUF_INIT(t->env.file_max);
    enum rc rc = table_read_file(t, name, &content, e);
    if (rc != RC_OK)
        return rc;
    AUTO(fd_closep) int copy = ipc_memfd("mmdb", buf_str(&content));
    if (copy < 0)
        return table_fail(t, e, RC_TEMP, "no memory for a copy");
    snprintf(path, sizeof path, "/proc/self/fd/%d", copy);
    MMDB_s *db = calloc(1, sizeof *db);
    must(db);
    int code = MMDB_open(path, MMDB_MODE_MMAP, db);
    if (code != MMDB_SUCCESS) {
        free(db);
        return table_fail(t, e, RC_PERM, "%s", MMDB_strerror(code));
    }
    t->state = db;
    return RC_OK;
}

static void close_mmdb(struct table *t)
{
    if (t->state)
        MMDB_close(t->state);
    free(t->state);
}

static int look_up(MMDB_s *db, const struct ip_net *address, MMDB_lookup_result_s *ret)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    int code = MMDB_SUCCESS;
    memcpy(&v4.sin_addr, address->addr + 12, sizeof v4.sin_addr);
    memcpy(&v6.sin6_addr, address->addr, sizeof v6.sin6_addr);
    *ret = MMDB_lookup_sockaddr(
        db, ip_is_mapped_v4(address) ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6, &code);
    return code;
}

static bool value_of(MMDB_entry_s *entry, const char *const *path, char *text)
{
    MMDB_entry_data_s data;
    if (MMDB_aget_value(entry, &data, path) != MMDB_SUCCESS || !data.has_data)
        return false;
    if (data.type == MMDB_DATA_TYPE_UINT32)
        snprintf(text, VALUE_MAX, "%u", data.uint32);
    else if (data.type == MMDB_DATA_TYPE_UTF8_STRING)
        snprintf(text, VALUE_MAX, "%.*s", (int)(data.data_size < VALUE_MAX ? data.data_size : VALUE_MAX - 1),
                 data.utf8_string);
    else
        return false;
    return text[0] != '\0';
}

static enum rc find_mmdb(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    static const char *const paths[][3] = {
        {"country", "iso_code"}, {"registered_country", "iso_code"}, {"autonomous_system_number"}};
    char text[VALUE_MAX];
    struct ip_net address;
    MMDB_lookup_result_s found;
    if (ip_parse(key, &address) != RC_OK)
        return RC_GONE;
    int code = look_up(t->state, &address, &found);
    if (code == MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR)
        return RC_GONE;
    if (code != MMDB_SUCCESS)
        return table_fail(t, e, RC_PERM, "%s", MMDB_strerror(code));
    for (size_t i = 0; found.found_entry && i < sizeof paths / sizeof *paths; i++)
        if (value_of(&found.entry, paths[i], text))
            return table_give(t, str_c(text), a, ret, e);
    return RC_GONE;
}

const struct table_type table_mmdb = {"mmdb", true, false, open_mmdb, find_mmdb, close_mmdb};
