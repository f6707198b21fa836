/* What is wrong with the lists of mail filters. */
#include "conf/build.h"
#include "conf/milter.h"

static void report(struct conf_build *b, enum conf_option option, const struct err *e)
{
    const struct conf_origin *o = &b->conf->origin[option];
    conf_error(b->report, o->file ? o->file : b->file, o->line, "%s: %s", conf_options.v[option].name,
               err_text(e));
}

static void check_list(struct conf_build *b, enum conf_option option, const char *list)
{
    struct conf_milter m;
    struct err e = {0};
    str rest = str_c(list);
    for (enum rc rc; (rc = conf_milter_take(b->conf, &rest, &m, &e)) != RC_GONE;)
        if (rc != RC_OK)
            report(b, option, &e);
}

void conf_check_milters(struct conf_build *b)
{
    const struct conf *c = b->conf;
    str rest = str_c(c->milter_macro_defaults), name, value;
    struct err e = {0};
    check_list(b, CONF_smtpd_milters, c->smtpd_milters);
    check_list(b, CONF_non_smtpd_milters, c->non_smtpd_milters);
    for (enum rc rc; (rc = conf_milter_take_default(&rest, &name, &value, &e)) != RC_GONE;)
        if (rc != RC_OK)
            report(b, CONF_milter_macro_defaults, &e);
}
