/* The options passdb and userdb: whether each of their databases can be read. */
#include "conf/build.h"
#include "fmt/authdb.h"
#include "fmt/login_format.h"

static void check_option(struct conf_build *b, enum conf_option option, const char *text, bool passdb)
{
    const struct conf_origin *o = &b->conf->origin[option];
    struct authdb list[AUTHDB_MAX];
    struct err e = {0};
    size_t n = 0;
    if (authdb_parse(str_c(text), passdb, list, &n, &e) != RC_OK)
        conf_error(b->report, o->file ? o->file : b->file, o->line, "%s: %s", passdb ? "passdb" : "userdb",
                   err_text(&e));
}

static str known_variable(void *ctx, str name)
{
    static const str names[] = {S("user"), S("username"), S("domain"), S("service"), S("mech"),
                                S("rip"),  S("lip"),      S("mpid"),   S("secured"), S("session")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(name, names[i]))
            return S("x");
    return STR_NONE;
}

static void check_login_format(struct conf_build *b)
{
    const struct conf_origin *o = &b->conf->origin[CONF_login_log_format_elements];
    AUTO(buf_deinit) struct buf line = BUF_INIT(8192);
    struct err e = {0};
    if (!o->file)
        o = &b->conf->origin[CONF_login_log_format];
    if (login_format_put(str_c(b->conf->login_log_format), str_c(b->conf->login_log_format_elements), S("x"),
                         known_variable, NULL, &line, &e) != RC_OK)
        conf_error(b->report, o->file ? o->file : b->file, o->line,
                   "login_log_format, login_log_format_elements: %s", err_text(&e));
}

void conf_check_databases(struct conf_build *b)
{
    check_login_format(b);
    check_option(b, CONF_passdb, b->conf->passdb, true);
    check_option(b, CONF_userdb, b->conf->userdb, false);
}
