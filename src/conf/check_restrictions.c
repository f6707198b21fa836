/* What is wrong with the restriction lists: names, arguments, classes that lead back to themselves, and lists
 * that would make this an open relay. */
#include "conf/build.h"
#include "conf/policy_service.h"
#include "conf/restrictions.h"
#include "fmt/dnsbl.h"

struct place { /* what issues are told of */
    struct conf_build *b;
    enum conf_option option;
    str class; /* of smtpd_restriction_classes, or empty */
};

static void report(const struct place *p, const char *text, const char *nearest)
{
    const struct conf_origin *o = &p->b->conf->origin[p->option];
    conf_error(p->b->report, o->file ? o->file : p->b->file, o->line, "%s: " STR_FMT "%s%s%s%s",
               conf_options.v[p->option].name, STR_ARG(str_sub(p->class, 0, 60)), p->class.n ? ": " : "",
               text, nearest ? "; did you mean " : "", nearest ? nearest : "");
}

static void consider(str name, str candidate, const char *text, size_t *best, const char **found)
{
    size_t distance = conf_edit_distance(name, candidate);
    if (distance < *best) {
        *best = distance;
        *found = text;
    }
}

/* The restriction that was probably meant. */
static const char *nearest_name(str name)
{
    const char *found = NULL, *candidate;
    size_t best = name.n / 3 + 2;
    for (size_t i = 0; (candidate = restriction_name(i)) != NULL; i++)
        consider(name, str_c(candidate), candidate, &best, &found);
    return found;
}

static void check_argument(const struct place *p, const struct restriction *r)
{
    struct conf_policy_service service;
    struct dnsbl list;
    struct err e = {0};
    if (r->kind == RESTRICTION_POLICY && conf_policy_service(p->b->conf, r, &service, &e) != RC_OK) {
        report(p, err_text(&e), NULL);
    } else if (r->takes == RESTRICTION_DOMAIN && dnsbl_parse(r->argument, &list) != RC_OK) {
        (void)err_set(&e, RC_INVALID, 0, "", "\"" STR_FMT "\" is no list such as bl.example=127.0.0.[2..9]",
                      STR_ARG(str_sub(r->argument, 0, 60)));
        report(p, err_text(&e), NULL);
    }
}

static void check_list(const struct place *p, str list, enum restriction_list which)
{
    struct restriction r;
    struct err e = {0};
    enum rc rc;
    str classes = str_c(p->b->conf->smtpd_restriction_classes);
    while ((rc = restriction_take(&list, which, classes, &r, &e)) != RC_GONE)
        if (rc == RC_OK)
            check_argument(p, &r);
        else
            report(p, err_text(&e), r.kind == RESTRICTION_UNKNOWN ? nearest_name(r.name) : NULL);
}

/* --- classes --- */

/* steps bounds the walk: classes may stand for many others. */
static bool leads_back(str classes, str list, str name, unsigned *steps)
{
    struct restriction r;
    enum rc rc;
    while ((rc = restriction_take(&list, RESTRICTION_RECIPIENT, classes, &r, NULL)) != RC_GONE) {
        if (*steps == 0)
            return true;
        --*steps;
        if (rc == RC_OK && r.kind == RESTRICTION_CLASS &&
            (str_ieq(r.name, name) || leads_back(classes, r.argument, name, steps)))
            return true;
    }
    return false;
}

static void check_classes(struct conf_build *b)
{
    str classes = str_c(b->conf->smtpd_restriction_classes), rest = classes, name, list, first;
    struct place p = {.b = b, .option = CONF_smtpd_restriction_classes};
    struct err e = {0};
    unsigned steps = 2000; /* for all of them */
    enum rc rc;
    while ((rc = restriction_take_class(&rest, &name, &list, &e)) != RC_GONE) {
        p.class = rc == RC_OK ? name : STR_NONE;
        if (rc != RC_OK)
            report(&p, err_text(&e), NULL);
        else if (restriction_find_class(classes, name, &first) && first.p != list.p)
            report(&p, "it is there twice", NULL);
        else if (leads_back(classes, list, name, &steps))
            report(&p, "it leads back to itself, or to too many others", NULL);
        else
            check_list(&p, list, RESTRICTION_RECIPIENT);
    }
}

/* --- relaying --- */

/* `permit` before anything that could refuse a stranger. */
static bool permits_all(const struct conf *c, enum restriction_list which)
{
    struct restriction r;
    str list = conf_restrictions(c, which);
    while (restriction_take(&list, which, str_c(c->smtpd_restriction_classes), &r, NULL) == RC_OK) {
        if (r.kind == RESTRICTION_PERMIT)
            return true;
        if (r.kind == RESTRICTION_REJECT || r.kind == RESTRICTION_DEFER ||
            r.kind == RESTRICTION_REJECT_DESTINATION || r.kind == RESTRICTION_DEFER_DESTINATION)
            return false;
    }
    return false;
}

static void check_relaying(struct conf_build *b)
{
    const struct conf *c = b->conf;
    bool relay = conf_restrictions(c, RESTRICTION_RELAY).n > 0;
    if (!relay && conf_restrictions(c, RESTRICTION_RECIPIENT).n == 0)
        return;
    enum restriction_list which = conf_restrictions_deciding(c);
    bool open = which == RESTRICTION_LISTS;
    if (open)
        which = relay ? RESTRICTION_RELAY : RESTRICTION_RECIPIENT;
    const struct place p = {.b = b, .option = conf_restrictions_option(which)};
    if (open)
        report(&p,
               "nothing in it, nor in the other list for recipients, keeps strangers from sending to other "
               "servers: "
               "add reject_unauth_destination, defer_unauth_destination, reject or defer",
               NULL);
    else if (permits_all(c, which))
        report(&p, "permit before reject_unauth_destination lets strangers send to other servers", NULL);
}

void conf_check_restrictions(struct conf_build *b)
{
    check_classes(b);
    for (int i = 0; i < RESTRICTION_LISTS; i++) {
        enum restriction_list which = (enum restriction_list)i;
        const struct place p = {.b = b, .option = conf_restrictions_option(which)};
        check_list(&p, conf_restrictions(b->conf, which), which);
    }
    check_relaying(b);
}
