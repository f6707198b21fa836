/* Hosts and settings of MySQL. */
#include "table/mysql_host.h"

#include "base/num.h"

#define FAIL(e, ...) err_set((e), RC_PERM, 0, "", __VA_ARGS__)

enum rc mysql_host_parse(str text, struct arena *a, struct mysql_host *ret)
{
    struct mysql_host h = {.host = NULL};
    uint32_t port = 0;
    bool unix_socket = str_starts(text, S("unix:"));
    if (unix_socket || str_starts(text, S("inet:")))
        text = str_from(text, 5);
    if (text.n == 0)
        return RC_INVALID;
    if (unix_socket) {
        h.socket = arena_str(a, text).p;
    } else {
        ptrdiff_t colon = str_rchr(text, ':');
        if (colon >= 0 && num_parse_u32(str_from(text, (size_t)colon + 1), 65535, &port) != RC_OK)
            return RC_INVALID;
        str host = colon >= 0 ? str_sub(text, 0, (size_t)colon) : text;
        if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
            host = str_sub(host, 1, host.n - 2);
        h.host = arena_str(a, host).p;
        h.port = port;
    }
    *ret = h;
    return RC_OK;
}

/* --- connect --- */

static bool is_white(char c)
{
    return c == ' ' || c == '\t';
}

/* The next name=value. RC_GONE: no more; RC_INVALID. */
static enum rc take_pair(str *rest, struct arena *a, str *ret_name, const char **ret_value)
{
    size_t n = 0, i = 0;
    while (rest->n > 0 && is_white(rest->p[0]))
        *rest = str_from(*rest, 1);
    if (rest->n == 0)
        return RC_GONE;
    *ret_name = str_take(rest, '=');
    char *value = arena_alloc(a, rest->n + 1);
    if (!rest->p || !value)
        return RC_INVALID;
    if (rest->n > 0 && rest->p[0] == '\'') {
        for (i = 1; i < rest->n && rest->p[i] != '\''; i++) {
            i += rest->p[i] == '\\' && i + 1 < rest->n;
            value[n++] = rest->p[i];
        }
        if (i == rest->n)
            return RC_INVALID;
        i++;
    } else {
        for (; i < rest->n && !is_white(rest->p[i]); i++)
            value[n++] = rest->p[i];
    }
    value[n] = '\0';
    *rest = str_from(*rest, i);
    *ret_value = value;
    return RC_OK;
}

static enum rc take_text(str name, const char *value, struct mysql_settings *set, struct err *e)
{
    const struct {
        str name;
        const char **member;
    } all[] = {
        {S("user"), &set->user},        {S("password"), &set->password},   {S("pass"), &set->password},
        {S("dbname"), &set->dbname},    {S("ssl_ca"), &set->ca_file},      {S("ssl_ca_path"), &set->ca_dir},
        {S("ssl_cert"), &set->cert},    {S("ssl_cert_file"), &set->cert},  {S("ssl_key"), &set->key},
        {S("ssl_key_file"), &set->key}, {S("ssl_ca_file"), &set->ca_file}, {S("ssl_cipher"), &set->ciphers}};
    static const str others[] = {S("maxconns"), S("connect_timeout"), S("read_timeout"), S("write_timeout")};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (str_eq(name, all[i].name)) {
            *all[i].member = value;
            return RC_OK;
        }
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (str_eq(name, others[i])) /* table_timeout and table_connections say it */
            return RC_OK;
    if (str_eq(name, S("ssl_verify_server_cert"))) {
        set->verify = str_ieq(str_c(value), S("yes"));
        return RC_OK;
    }
    return FAIL(e, "\"" STR_FMT "\" is not known", STR_ARG(str_sub(name, 0, 40)));
}

enum rc mysql_connect_parse(str text, struct arena *a, struct mysql_host *ret_hosts, size_t max,
                            size_t *ret_n, struct mysql_settings *ret, struct err *e)
{
    struct mysql_settings set = {.user = NULL};
    uint32_t port = 0;
    size_t n = 0;
    str name;
    const char *value;
    enum rc rc;
    while ((rc = take_pair(&text, a, &name, &value)) == RC_OK) {
        bool host = str_eq(name, S("host")) || str_eq(name, S("hostaddr"));
        if (host && n == max)
            return FAIL(e, "more than %zu hosts", max);
        if (host)
            ret_hosts[n++] =
                value[0] == '/' ? (struct mysql_host){.socket = value} : (struct mysql_host){.host = value};
        else if (str_eq(name, S("port")))
            rc = num_parse_u32(str_c(value), 65535, &port) == RC_OK ? RC_OK : FAIL(e, "port is no number");
        else
            rc = take_text(name, value, &set, e);
        if (rc != RC_OK)
            return rc;
    }
    if (rc != RC_GONE)
        return FAIL(e, "it is not name=value");
    if (n == 0)
        return FAIL(e, "host is missing");
    for (size_t i = 0; i < n; i++)
        ret_hosts[i].port = port;
    *ret_n = n;
    *ret = set;
    return RC_OK;
}
