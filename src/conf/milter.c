#include "conf/milter.h"

#include "base/num.h"
#include "fmt/milter.h"
#include "fmt/nexthop.h"
#include "fmt/restriction.h"
#include "fmt/tablespec.h"

enum { SOCKET_PATH_MAX = 107, WAIT_MAX_MS = 3600000 };

static enum rc wrong(struct err *e, const char *what, str text)
{
    return err_set(e, RC_INVALID, 0, "", "\"" STR_FMT "\" is no %s", STR_ARG(str_sub(text, 0, 60)), what);
}

static bool find_action(str name, enum conf_milter_action *ret)
{
    static const char *const names[] = {[CONF_MILTER_ACCEPT] = "accept",
                                        [CONF_MILTER_REJECT] = "reject",
                                        [CONF_MILTER_TEMPFAIL] = "tempfail",
                                        [CONF_MILTER_QUARANTINE] = "quarantine",
                                        [CONF_MILTER_SHUTDOWN] = "shutdown"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_ieq(name, str_c(names[i]))) {
            *ret = (enum conf_milter_action)i;
            return true;
        }
    return false;
}

/* protocol = version [ "no_header_reply" ] */
static bool set_protocol(struct conf_milter *m, str text)
{
    str word;
    uint32_t version;
    m->version = 0;
    m->mute_headers = false;
    while (tablespec_take(&text, &word) == RC_OK) {
        if (str_ieq(word, S("no_header_reply")))
            m->mute_headers = true;
        else if (m->version == 0 && num_parse_u32(word, UINT32_MAX, &version) == RC_OK &&
                 milter_is_version(version))
            m->version = version;
        else
            return false;
    }
    return m->version > 0;
}

static bool set_time(int64_t *time, str value)
{
    return num_parse_duration_ms(value, time) == RC_OK && *time >= 1 && *time <= WAIT_MAX_MS;
}

static enum rc set_option(struct conf_milter *m, str name, str value, struct err *e)
{
    bool fine;
    if (str_eq(name, S("connect_timeout")))
        fine = set_time(&m->connect_timeout_ms, value);
    else if (str_eq(name, S("command_timeout")))
        fine = set_time(&m->command_timeout_ms, value);
    else if (str_eq(name, S("content_timeout")))
        fine = set_time(&m->content_timeout_ms, value);
    else if (str_eq(name, S("default_action")))
        fine = find_action(value, &m->action);
    else if (str_eq(name, S("protocol")))
        fine = set_protocol(m, value);
    else
        return wrong(e, "setting of a milter", name);
    return fine ? RC_OK
                : err_set(e, RC_INVALID, 0, "", STR_FMT " = \"" STR_FMT "\" is not understood", STR_ARG(name),
                          STR_ARG(str_sub(value, 0, 60)));
}

/* "inet:host:port", "unix:/path"; Sendmail's "local" is the latter. */
static enum rc check_place(str place, struct err *e)
{
    struct nexthop hop;
    str path;
    if (str_starts(place, S("inet:")))
        return nexthop_parse(str_from(place, 5), &hop) == RC_OK && hop.port > 0
                   ? RC_OK
                   : wrong(e, "place of a milter such as inet:127.0.0.1:8891", place);
    if (!str_starts(place, S("unix:")))
        return wrong(e, "place of a milter: inet:host:port or unix:/path", place);
    path = str_from(place, 5);
    if (str_starts(path, S("/")) && path.n <= SOCKET_PATH_MAX)
        return RC_OK;
    return err_set(e, RC_INVALID, 0, "", "the path of " STR_FMT " must be absolute, and of at most %d bytes",
                   STR_ARG(str_sub(place, 0, 120)), SOCKET_PATH_MAX);
}

static enum rc read_item(str item, struct conf_milter *m, struct err *e)
{
    str name, value, options = STR_NONE;
    enum rc rc = RC_OK;
    m->place = item;
    if (tablespec_braced(item, &options) == RC_OK && tablespec_take(&options, &m->place) != RC_OK)
        return wrong(e, "milter", item);
    while (rc == RC_OK) {
        enum rc next = restriction_take_option(&options, &name, &value);
        if (next == RC_GONE)
            return check_place(m->place, e);
        rc = next == RC_OK ? set_option(m, name, value, e) : wrong(e, "milter with settings", item);
    }
    return rc;
}

enum rc conf_milter_take(const struct conf *c, str *list, struct conf_milter *ret, struct err *e)
{
    struct conf_milter m = {
        .connect_timeout_ms = c->milter_connect_timeout_ms,
        .command_timeout_ms = c->milter_command_timeout_ms,
        .content_timeout_ms = c->milter_content_timeout_ms,
        .action = (enum conf_milter_action)c->milter_default_action,
    };
    str item;
    enum rc rc = tablespec_take(list, &item);
    if (rc != RC_OK) {
        *list = STR_NONE;
        return rc == RC_GONE ? rc : err_set(e, RC_INVALID, 0, "", "a brace is not closed, or not opened");
    }
    if (!set_protocol(&m, str_c(c->milter_protocol)))
        return wrong(e, "milter_protocol: 2, 3, 4 or 6, perhaps with no_header_reply",
                     str_c(c->milter_protocol));
    rc = read_item(item, &m, e);
    if (rc == RC_OK)
        *ret = m;
    return rc;
}

enum rc conf_milter_take_default(str *list, str *ret_name, str *ret_value, struct err *e)
{
    str item;
    enum rc rc = tablespec_take(list, &item);
    if (rc != RC_OK) {
        *list = STR_NONE;
        return rc == RC_GONE ? rc : err_set(e, RC_INVALID, 0, "", "a brace is not closed, or not opened");
    }
    return tablespec_pair(item, ret_name, ret_value) == RC_OK ? RC_OK : wrong(e, "name=value", item);
}

static bool list_names(const struct conf *c, const char *list, str path)
{
    struct conf_milter m;
    str rest = str_c(list);
    for (enum rc rc; (rc = conf_milter_take(c, &rest, &m, NULL)) != RC_GONE;)
        if (rc == RC_OK && str_starts(m.place, S("unix:")) && str_eq(str_from(m.place, 5), path))
            return true;
    return false;
}

static bool names(const struct conf *c, str path)
{
    return list_names(c, c->smtpd_milters, path) || list_names(c, c->non_smtpd_milters, path);
}

bool conf_milter_names_socket(const struct conf *c, str path)
{
    bool named = names(c, path);
    for (size_t i = 0; i < c->listener_count && !named; i++)
        named = c->listeners[i].own && names(c->listeners[i].own, path);
    return named;
}
