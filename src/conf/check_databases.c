/* The options passdb and userdb: whether each of their databases can be read. */
#include "conf/build.h"
#include "fmt/authdb.h"

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

void conf_check_databases(struct conf_build *b)
{
    check_option(b, CONF_passdb, b->conf->passdb, true);
    check_option(b, CONF_userdb, b->conf->userdb, false);
}
