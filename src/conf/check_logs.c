/* The options that are texts for the log: whether their variables are known. */
#include "conf/build.h"
#include "fmt/log_fields.h"
#include "fmt/login_format.h"
#include "fmt/mail_log.h"

enum { LINE_MAX_BYTES = 8192 };

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
    AUTO(buf_deinit) struct buf line = BUF_INIT(LINE_MAX_BYTES);
    struct err e = {0};
    if (!o->file)
        o = &b->conf->origin[CONF_login_log_format];
    if (login_format_put(str_c(b->conf->login_log_format), str_c(b->conf->login_log_format_elements), S("x"),
                         known_variable, NULL, &line, &e) != RC_OK)
        conf_error(b->report, o->file ? o->file : b->file, o->line,
                   "login_log_format, login_log_format_elements: %s", err_text(&e));
}

static void check_fields(struct conf_build *b, enum conf_option option, const char *name,
                         enum log_fields_kind kind, const char *format)
{
    const struct conf_origin *o = &b->conf->origin[option];
    const struct log_fields f = {.kind = kind};
    AUTO(buf_deinit) struct buf line = BUF_INIT(LINE_MAX_BYTES);
    struct err e = {0};
    if (log_fields_put(&f, str_c(format), &line, &e) != RC_OK)
        conf_error(b->report, o->file ? o->file : b->file, o->line, "%s: %s", name, err_text(&e));
}

/* As in Dovecot, a word that is none counts for nothing. */
static void check_mail_log(struct conf_build *b)
{
    const struct conf *c = b->conf;
    const struct conf_origin *o = &c->origin[CONF_mail_log_events];
    struct mail_log_terms terms;
    str unknown;
    if (!o->file)
        o = &c->origin[CONF_mail_log_fields];
    mail_log_parse(str_c(c->mail_log_events), str_c(c->mail_log_fields), &terms, &unknown);
    if (unknown.p)
        conf_warning(b->report, o->file ? o->file : b->file, o->line,
                     "mail_log_events, mail_log_fields: there is no \"" STR_FMT "\"",
                     STR_ARG(str_sub(unknown, 0, 60)));
}

void conf_check_logs(struct conf_build *b)
{
    const struct conf *c = b->conf;
    check_login_format(b);
    check_mail_log(b);
    check_fields(b, CONF_imap_logout_format, "imap_logout_format", LOG_FIELDS_IMAP, c->imap_logout_format);
    check_fields(b, CONF_pop3_logout_format, "pop3_logout_format", LOG_FIELDS_POP3, c->pop3_logout_format);
    check_fields(b, CONF_deliver_log_format, "deliver_log_format", LOG_FIELDS_DELIVER, c->deliver_log_format);
}
