/* Who verifies passwords: malle itself, or a Dovecot whose socket main.cf or a service of master.cf names. */
#include "conf/postfix.h"

#include "conf/report.h"

/* A socket that malle serves itself, since Dovecot's file is here, too, needs no detour. */
static bool is_own_socket(const struct postfix *p, str path)
{
    for (size_t i = 0; i < p->f->n_auth_sockets; i++)
        if (str_eq(p->f->auth_sockets[i], path))
            return true;
    return false;
}

/* The services that have smtpd_sasl_type or smtpd_sasl_path of their own. */
static const struct postfix_service *next_sasl(const struct postfix *p, size_t *at)
{
    str ignored;
    while (*at < p->master.n) {
        const struct postfix_service *s = &p->master.services[(*at)++];
        if (!s->overridden_by && (postfix_override_find(s, S("smtpd_sasl_type"), &ignored) ||
                                  postfix_override_find(s, S("smtpd_sasl_path"), &ignored)))
            return s;
    }
    return NULL;
}

/* Of them all the same is asked: what main.cf says, else the first of the services. */
static void find_sasl(struct postfix *p, struct postfix_value *ret_type, struct postfix_value *ret_path)
{
    size_t at = 0, first = 0;
    *ret_type = postfix_value(p, "smtpd_sasl_type");
    if (!ret_type->is_set)
        p->service = next_sasl(p, &first);
    *ret_type = postfix_value(p, "smtpd_sasl_type");
    *ret_path = postfix_value(p, "smtpd_sasl_path");
    while ((p->service = next_sasl(p, &at))) {
        struct postfix_value type = postfix_value(p, "smtpd_sasl_type"),
                             path = postfix_value(p, "smtpd_sasl_path");
        if (!str_eq(type.text, ret_type->text) || !str_eq(path.text, ret_path->text))
            conf_warning(p->f->b->report, p->master_file, p->service->line,
                         "smtpd_sasl_type, smtpd_sasl_path: malle has one value for all services");
    }
}

void postfix_set_sasl(struct postfix *p)
{
    struct postfix_value type, path;
    find_sasl(p, &type, &path);
    str queue = postfix_value(p, "queue_directory").text, whole = path.text;
    if (!postfix_is_on(p, "smtpd_sasl_auth_enable") && !p->master.n)
        return;
    if (!str_eq(type.text, S("dovecot"))) {
        if (postfix_is_on(p, "smtpd_sasl_auth_enable"))
            conf_warning(p->f->b->report, type.file, type.line,
                         "smtpd_sasl_type: malle verifies passwords itself, or asks a Dovecot, but knows no "
                         "Cyrus SASL");
        return;
    }
    if (!str_starts(whole, S("/")) && !str_starts(whole, S("inet:")))
        whole = arena_printf(p->f->a, STR_FMT "/" STR_FMT, STR_ARG(queue), STR_ARG(whole));
    if (p->f->has_dovecot && is_own_socket(p, whole))
        return;
    folder_set(p->f, type.file, type.line, "smtpd_sasl_type", type.text);
    folder_set(p->f, path.file, path.line, "smtpd_sasl_path", whole);
}
