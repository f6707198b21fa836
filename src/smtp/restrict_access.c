/* Access tables (access(5)): which keys they are asked, and what their entries do. */
#include "smtp/restrict_impl.h"

#include "base/log.h"
#include "fmt/mime_walk.h"
#include "table/settings.h"

enum { PREPEND_MAX = 4096 };

static const struct maps_rules *rules_of(const struct smtp_session *s, struct maps_rules *ret)
{
    *ret = (struct maps_rules){.delimiters = s->conf->recipient_delimiter,
                               .parents_match = s->conf->parent_domain_matches_subdomains.n > 0};
    return ret;
}

/* --- what an entry does --- */

/* RFC 5321 has two classes of addresses: what is said of a sender fits no recipient, and the other way round.
 */
static str fixed_status(str status, const struct about *about, char *room, size_t size)
{
    static const struct {
        const char *detail, *sender, *recipient;
    } rows[] = {{".1.1", ".1.7", ".1.1"}, {".1.2", ".1.8", ".1.2"}, {".1.3", ".1.7", ".1.3"},
                {".1.4", ".1.7", ".1.4"}, {".1.5", ".1.0", ".1.5"}, {".1.6", ".1.7", ".1.6"},
                {".1.7", ".1.7", ".1.3"}, {".1.8", ".1.8", ".1.2"}};
    bool sender = str_eq(str_c(about->class), S(CLASS_SENDER)),
         recipient = str_eq(str_c(about->class), S(CLASS_RECIPIENT));
    str detail = str_from(status, 1), now = detail;
    if (str_starts(detail, S(".1.")))
        now = sender || recipient ? S(".1.0") : S(".0.0");
    for (size_t i = 0; (sender || recipient) && i < sizeof rows / sizeof *rows; i++)
        if (str_eq(detail, str_c(rows[i].detail)))
            now = str_c(sender ? rows[i].sender : rows[i].recipient);
    snprintf(room, size, "%c" STR_FMT, status.p[0], STR_ARG(now));
    return str_c(room);
}

static const char *status_of(struct smtp_session *s, const struct access_result *a, const char *otherwise,
                             const struct about *about)
{
    char room[16];
    str fixed =
        fixed_status(a->enhanced[0] ? str_c(a->enhanced) : str_c(otherwise), about, room, sizeof room);
    return arena_str(s->restrict_.arena, fixed).p;
}

static enum verdict refuse(struct smtp_session *s, const struct access_result *a, int code,
                           const char *status, const struct about *about)
{
    return restrict_refuse(s, BY_POLICY, code, status_of(s, a, status, about),
                           "<" STR_FMT ">: %s rejected: " STR_FMT, STR_ARG(about->name), about->class,
                           STR_ARG(a->text.n ? a->text : S("Access denied")));
}

static void log_action(struct smtp_session *s, const char *what, const struct about *about, const char *fmt,
                       str text)
{
    str said = arena_printf(s->restrict_.arena, "<" STR_FMT ">: %s ", STR_ARG(about->name), about->class);
    str rest = arena_printf(s->restrict_.arena, fmt, STR_ARG(text));
    restrict_log(s, what, arena_printf(s->restrict_.arena, STR_FMT STR_FMT, STR_ARG(said), STR_ARG(rest)));
}

static enum verdict prepend(struct smtp_session *s, const struct access_result *a, const char *source)
{
    str *lines = &s->tx.actions.prepend;
    if (str_eq(str_c(s->restrict_.where), S("END-OF-MESSAGE")))
        return restrict_misconfigured(s, "access table %s: action PREPEND must be used before %s", source,
                                      "smtpd_end_of_data_restrictions");
    if (mime_walk_name_size(a->text) == 0)
        return restrict_misconfigured(s, "access table %s: PREPEND requires header: text", source);
    if (lines->n + a->text.n + 1 > PREPEND_MAX)
        return restrict_misconfigured(s, "access table %s: more than %d bytes of PREPEND", source,
                                      PREPEND_MAX);
    str longer = arena_printf(s->tx.arena, STR_FMT STR_FMT "\n", STR_ARG(*lines), STR_ARG(a->text));
    if (arena_exhausted(s->tx.arena))
        return restrict_misconfigured(s, "there is no room for a header of PREPEND");
    *lines = longer;
    return DUNNO;
}

static enum verdict send_elsewhere(struct smtp_session *s, const struct access_result *a, const char *source,
                                   const struct about *about)
{
    bool bcc = a->action == ACCESS_BCC;
    enum rc rc = bcc ? smtp_action_bcc(s, a->text) : smtp_action_redirect(s, a->text);
    if (rc == RC_INVALID)
        return restrict_misconfigured(s,
                                      "access table %s: \"" STR_FMT "\" is not the user@domain that %s needs",
                                      source, STR_ARG(str_sub(a->text, 0, 100)), bcc ? "BCC" : "REDIRECT");
    if (rc != RC_OK)
        return restrict_misconfigured(s, "access table %s: too many addresses of BCC and REDIRECT", source);
    log_action(s, bcc ? "bcc" : "redirect", about,
               bcc ? "triggers BCC " STR_FMT : "triggers REDIRECT " STR_FMT, a->text);
    return DUNNO;
}

/* Mail must not go on as if nothing had been asked for. */
static enum verdict filter(struct smtp_session *s, const struct access_result *a, const char *source,
                           const struct about *about)
{
    if (str_chr(a->text, ':') < 0)
        return restrict_misconfigured(s, "access table %s: FILTER requires transport:destination", source);
    s->tx.actions.filter = arena_str(s->tx.arena, a->text);
    if (arena_exhausted(s->tx.arena))
        return restrict_misconfigured(s, "there is no room for a destination of FILTER");
    log_action(s, "filter", about, "triggers FILTER " STR_FMT, a->text);
    return DUNNO;
}

static enum verdict discard(struct smtp_session *s, const struct access_result *a, const struct about *about)
{
    log_action(s, "discard", about, STR_FMT, a->text.n ? a->text : S("triggers DISCARD action"));
    s->tx.actions.discard = true;
    return PERMITTED;
}

/* Those that change a message need one: before MAIL there is none. */
static enum verdict change_message(struct smtp_session *s, const struct access_result *a, const char *source,
                                   const struct about *about)
{
    if (!s->tx.mail_ok)
        return restrict_misconfigured(s,
                                      "access table %s: an action on messages is not possible at %s; set %s",
                                      source, s->restrict_.where, "smtpd_delay_reject = yes");
    switch (a->action) {
    case ACCESS_DISCARD:
        return discard(s, a, about);
    case ACCESS_PREPEND:
        return prepend(s, a, source);
    case ACCESS_BCC:
    case ACCESS_REDIRECT:
        return send_elsewhere(s, a, source, about);
    case ACCESS_HOLD:
        if (!s->tx.actions.hold)
            log_action(s, "hold", about, STR_FMT, a->text.n ? a->text : S("triggers HOLD action"));
        s->tx.actions.hold = true;
        return DUNNO;
    default:
        return filter(s, a, source, about);
    }
}

/* Tables are opened before the process is locked in: an entry may name classes, but no tables. */
static enum verdict apply_list(struct smtp_session *s, str list, const char *source,
                               const struct about *about)
{
    if (list.n == 0)
        return restrict_misconfigured(s, "access table %s has an entry with an empty value", source);
    if (str_chr(list, ':') >= 0)
        return restrict_misconfigured(s,
                                      "access table %s has an entry with a look-up table: " STR_FMT
                                      "; define a restriction class and specify its name instead",
                                      source, STR_ARG(str_sub(list, 0, 100)));
    return restrict_run(s, list, about);
}

enum verdict restrict_apply(struct smtp_session *s, str value, const char *source, str key,
                            const struct about *about)
{
    struct access_result a;
    access_result_parse(value, &a);
    switch (a.action) {
    case ACCESS_OK:
        return PERMITTED;
    case ACCESS_DUNNO:
        return DUNNO;
    case ACCESS_REJECT:
        return refuse(s, &a, s->conf->access_map_reject_code, "5.7.1", about);
    case ACCESS_DEFER:
        return refuse(s, &a, s->conf->access_map_defer_code, "4.7.1", about);
    case ACCESS_CODE:
        return refuse(s, &a, a.code, a.code < 500 ? "4.7.1" : "5.7.1", about);
    case ACCESS_DEFER_IF_PERMIT:
        return restrict_if_permit(s, false, s->conf->access_map_defer_code, status_of(s, &a, "4.7.1", about),
                                  "<" STR_FMT ">: %s rejected: " STR_FMT, STR_ARG(about->name), about->class,
                                  STR_ARG(a.text.n ? a.text : S("Service unavailable")));
    case ACCESS_DEFER_IF_REJECT:
        return restrict_if_reject(s, s->conf->access_map_defer_code, status_of(s, &a, "4.7.1", about),
                                  "<" STR_FMT ">: %s rejected: " STR_FMT, STR_ARG(about->name), about->class,
                                  STR_ARG(a.text.n ? a.text : S("Service unavailable")));
    case ACCESS_INFO:
    case ACCESS_WARN:
        restrict_log(s, a.action == ACCESS_INFO ? "info" : "warn", a.text);
        return DUNNO;
    case ACCESS_LIST:
        return apply_list(s, a.text, source, about);
    default:
        return change_message(s, &a, source, about);
    }
}

/* --- asking --- */

/* A table that does not answer refuses for now. */
static enum verdict answer(struct smtp_session *s, enum rc rc, const struct maps_found *found,
                           const struct err *e, str spec, const struct about *about)
{
    AUTO(str_freep) char *source = str_dup(str_sub(spec, 0, 200));
    if (rc == RC_GONE)
        return DUNNO;
    if (rc == RC_OK)
        return restrict_apply(s, found->value, source, found->key, about);
    log_warn("%s: table lookup problem: %s", source, err_text(e));
    return restrict_apply(s, S("451 4.3.5 Server configuration error"), source, STR_NONE, about);
}

enum verdict restrict_find_host(struct smtp_session *s, struct table_list *table, str name, str address,
                                const struct about *about, bool *ret_found)
{
    struct maps_rules rules;
    struct maps_found found = {.value = STR_NONE};
    struct err e = {0};
    enum rc rc = maps_find_host(table, name, address, rules_of(s, &rules), s->restrict_.arena, &found, &e);
    *ret_found = rc != RC_GONE;
    return answer(s, rc, &found, &e, table_spec(table_list_get(table, 0)), about);
}

/* Who is asked about, and what refusals say of him. False: there is nobody. */
static bool find_subject(const struct smtp_session *s, enum restriction_subject who, str *ret,
                         struct about *about)
{
    const struct smtp_restrict *x = &s->restrict_;
    switch (who) {
    case RESTRICTION_OF_CLIENT:
        *ret = s->p->client_name;
        about->name = arena_printf(x->arena, SMTP_CLIENT_FMT, SMTP_CLIENT_ARG(s));
        about->class = CLASS_CLIENT;
        return true;
    case RESTRICTION_OF_REVERSE_CLIENT:
        *ret = s->p->client_reverse_name;
        about->class = CLASS_REVERSE;
        break;
    case RESTRICTION_OF_HELO:
        *ret = s->helo;
        about->class = CLASS_HELO;
        break;
    case RESTRICTION_OF_SENDER:
        *ret = x->sender;
        about->name = x->sender;
        about->class = CLASS_SENDER;
        return x->has_sender;
    case RESTRICTION_OF_RECIPIENT:
        *ret = s->rcpt.address;
        about->name = s->rcpt.address;
        about->class = CLASS_RECIPIENT;
        return x->has_recipient;
    case RESTRICTION_OF_SASL:
        *ret = s->account;
        about->class = CLASS_SASL;
        break;
    case RESTRICTION_OF_CCERT:
        *ret = restrict_ccert(s) ? str_c(restrict_ccert(s)->subject) : S("");
        about->name = *ret;
        about->class = CLASS_CCERT;
        return restrict_ccert(s) != NULL;
    case RESTRICTION_NOBODY:
        return false;
    }
    about->name = *ret;
    return ret->n > 0;
}

/* A client may call himself anything, so that nobody gets a permit for it. */
static enum verdict forbid_permit(struct smtp_session *s, const struct restriction *r, enum verdict v,
                                  str target)
{
    if (v != PERMITTED)
        return v;
    return restrict_misconfigured(s,
                                  "restriction " STR_FMT " returns OK for " STR_FMT
                                  "; this is not allowed for security reasons: use DUNNO instead of OK",
                                  STR_ARG(r->name), STR_ARG(target));
}

static enum verdict ask(struct smtp_session *s, const struct restriction *r, struct table_list *table,
                        str subject, const struct about *about)
{
    struct maps_rules rules;
    struct maps_found found = {.value = STR_NONE};
    struct err e = {0};
    struct arena *a = s->restrict_.arena;
    enum rc rc = RC_GONE;
    rules_of(s, &rules);
    switch (r->subject) {
    case RESTRICTION_OF_CLIENT:
    case RESTRICTION_OF_REVERSE_CLIENT:
        rc = maps_find_host(table, subject, s->p->client_address, &rules, a, &found, &e);
        break;
    case RESTRICTION_OF_HELO:
        rc = maps_find_domain(table, subject, &rules, a, &found, &e);
        break;
    case RESTRICTION_OF_SENDER:
    case RESTRICTION_OF_RECIPIENT:
        if (subject.n > 0) {
            rc = maps_find_access(table, subject, &rules, a, &found, &e);
            break;
        }
        rc = table_list_find(table, TABLE_WHOLE_KEY, str_c(s->conf->smtpd_null_access_lookup_key), a,
                             &found.value, &e);
        break;
    case RESTRICTION_OF_CCERT:
        rc = restrict_find_ccert(s, table, &found, &e);
        break;
    default:
        rc = table_list_find(table, TABLE_WHOLE_KEY, subject, a, &found.value, &e);
    }
    return answer(s, rc, &found, &e, r->argument, about);
}

enum verdict restrict_access(struct smtp_session *s, const struct restriction *r, const struct about *about)
{
    struct about whom = {.list = about->list};
    str subject;
    struct table_list *table = table_settings_find(s->p->tables, r->argument);
    if (!table)
        return restrict_misconfigured(s, "the table " STR_FMT " is not open",
                                      STR_ARG(str_sub(r->argument, 0, 200)));
    if (!find_subject(s, r->subject, &subject, &whom))
        return DUNNO;
    if (r->servers == RESTRICTION_ITSELF) {
        enum verdict v = ask(s, r, table, subject, &whom);
        return r->subject == RESTRICTION_OF_REVERSE_CLIENT ? forbid_permit(s, r, v, subject) : v;
    }
    bool host = r->subject == RESTRICTION_OF_CLIENT || r->subject == RESTRICTION_OF_REVERSE_CLIENT;
    if (subject.n == 0 || (host && str_eq(subject, S("unknown"))))
        return DUNNO;
    return forbid_permit(s, r, restrict_servers(s, r, table, restrict_domain(subject), &whom), subject);
}
