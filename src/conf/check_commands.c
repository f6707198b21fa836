/* What is wrong with lists of SMTP commands and of keywords of EHLO. */
#include "conf/build.h"
#include "fmt/ehlo.h"
#include "fmt/tablespec.h"

static void report(struct conf_build *b, enum conf_option option, str item, const char *why)
{
    const struct conf_origin *o = &b->conf->origin[option];
    conf_error(b->report, o->file ? o->file : b->file, o->line, "%s: \"" STR_FMT "\" %s",
               conf_options.v[option].name, STR_ARG(str_sub(item, 0, 60)), why);
}

static void check_commands(struct conf_build *b, enum conf_option option, const char *list)
{
    str rest = str_c(list), item;
    enum rc rc;
    while ((rc = tablespec_take(&rest, &item)) == RC_OK)
        if (str_chr(item, ':') < 0 && str_chr(item, '/') >= 0)
            report(b, option, item, "is neither a command nor a table");
    if (rc != RC_GONE)
        report(b, option, rest, "has braces that do not match");
}

static void check_keywords(struct conf_build *b, enum conf_option option, const struct conf_list *words)
{
    for (size_t i = 0; i < words->n; i++)
        if (!ehlo_may_discard(words->v[i]))
            report(b, option, words->v[i], "is no keyword of EHLO");
}

void conf_check_commands(struct conf_build *b)
{
    const struct conf *c = b->conf;
    check_commands(b, CONF_smtpd_forbidden_commands, c->smtpd_forbidden_commands);
    check_commands(b, CONF_smtpd_noop_commands, c->smtpd_noop_commands);
    check_commands(b, CONF_gate_forbidden_commands, c->gate_forbidden_commands);
    check_keywords(b, CONF_smtpd_discard_ehlo_keywords, &c->smtpd_discard_ehlo_keywords);
    check_keywords(b, CONF_smtp_discard_ehlo_keywords, &c->smtp_discard_ehlo_keywords);
    check_keywords(b, CONF_lmtp_discard_lhlo_keywords, &c->lmtp_discard_lhlo_keywords);
}
