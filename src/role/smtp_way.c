#include "role/smtp_way.h"

#include "base/log.h"
#include "fmt/nexthop.h"
#include "fmt/socks5.h"
#include "net/mx.h"
#include "os/file.h"
#include "os/socket.h"
#include "table/maps.h"

#include <unistd.h>

/* --- the source --- */

/* conf/check.c looked at the settings' texts; an empty one is no address. */
static enum rc set_source(str text, struct dial_way *way)
{
    struct ip_net ip;
    if (ip_parse(text, &ip) != RC_OK)
        return RC_INVALID;
    mx_sockaddr(&ip, 0, ip_is_mapped_v4(&ip) ? &way->v4 : &way->v6);
    return RC_OK;
}

void smtp_way_from_settings(const struct conf *c, struct dial_way *ret)
{
    memset(ret, 0, sizeof *ret);
    (void)!set_source(str_c(c->smtp_bind_address), ret);
    (void)!set_source(str_c(c->smtp_bind_address6), ret);
}

static enum rc look_up(struct table_list *l, const struct conf *c, str sender, struct arena *a, str *ret,
                       struct err *e)
{
    const struct maps_rules rules = {.delimiters = c->recipient_delimiter};
    struct maps_found found = {.value = STR_NONE};
    enum rc rc = sender.n ? maps_find_address(l, sender, &rules, a, &found, e)
                          : table_list_find(l, TABLE_WHOLE_KEY, S("<>"), a, &found.value, e);
    *ret = found.value;
    return rc;
}

enum rc smtp_way_find_source(const struct smtp_role *s, const struct conf *c, str sender, struct arena *a,
                             struct dial_way *ret, struct err *e)
{
    struct table_list *l = table_settings_of(s->tables, c, TABLES_BIND_ADDRESS);
    str found = STR_NONE;
    smtp_way_from_settings(c, ret);
    enum rc rc = l ? look_up(l, c, sender, a, &found, e) : RC_GONE;
    if (rc == RC_GONE || str_ieq(str_trim(found), S("DUNNO")))
        return RC_OK;
    if (rc != RC_OK)
        return e->rc = RC_TEMP;
    for (str word = str_word(&found); word.n > 0; word = str_word(&found))
        if (set_source(str_ends(word, S(",")) ? str_sub(word, 0, word.n - 1) : word, ret) != RC_OK)
            return err_set(e, RC_TEMP, 451, "4.3.5",
                           "sender_dependent_bind_address_maps: \"" STR_FMT "\" is no IP address",
                           STR_ARG(str_sub(word, 0, 60)));
    return RC_OK;
}

bool smtp_way_same_source(const struct dial_way *a, const struct dial_way *b)
{
    return memcmp(&a->v4, &b->v4, sizeof a->v4) == 0 && memcmp(&a->v6, &b->v6, sizeof a->v6) == 0;
}

/* --- the proxy --- */

void smtp_way_read_password(struct smtp_role *s)
{
    const char *path = s->role->conf->smtp_socks5_password_file;
    buf_init(&s->proxy_password, 2 * SOCKS5_WORD_MAX + 3);
    if (!path[0])
        return;
    must(buf_room(&s->proxy_password, s->proxy_password.max)); /* all of it, so that growing leaves no copy */
    bool fine = file_read(path, &s->proxy_password) == RC_OK;
    str password = str_trim(buf_str(&s->proxy_password)), user = str_take(&password, ':');
    if (fine && user.n > 0 && user.n <= SOCKS5_WORD_MAX && password.n > 0 && password.n <= SOCKS5_WORD_MAX)
        return;
    log_error("smtp_socks5_password_file: %s does not have one line user:password", path);
    _exit(1);
}

enum rc smtp_way_find_proxy(const struct smtp_role *s, const struct conf *c, struct dial_way *ret,
                            struct err *e)
{
    struct nexthop hop;
    struct mx_addresses all;
    if (!c->smtp_socks5_proxy[0])
        return RC_OK;
    must(nexthop_parse(str_c(c->smtp_socks5_proxy), &hop) == RC_OK); /* conf/check.c looked at it */
    if (hop.is_address || ip_parse(hop.host, &hop.address) == RC_OK) {
        mx_sockaddr(&hop.address, 0, &ret->proxy);
    } else {
        const struct dns_asker asker = {.resolver = s->resolver};
        if (mx_addresses(&asker, hop.host, MX_ANY, clock_mono() + c->dns_timeout_ms * 2, &all, e) != RC_OK)
            return e->rc = RC_TEMP;
        ret->proxy = all.v[0];
    }
    socket_set_port(&ret->proxy, hop.port ? hop.port : SOCKS5_PORT);
    ret->proxy_password = str_trim(buf_str(&s->proxy_password));
    ret->proxy_user = str_take(&ret->proxy_password, ':');
    return RC_OK;
}
