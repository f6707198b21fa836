/* milter_header_checks: what tables say of the header fields that milters add or change. As in Postfix,
 * PREPEND is not done there. */
#include "base/log.h"
#include "fmt/check_result.h"
#include "smtp/milter_impl.h"
#include "table/settings.h"

enum { LOGGED_MAX = 60 };

static void log_check(const struct smtp_session *s, const char *what, str field, str text)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(100), about = BUF_INIT(SMTP_REASON_MAX + 200);
    buf_printf(&name, "milter-header-%s", what);
    buf_printf(&about, "header " STR_FMT, STR_ARG(str_sub(field, 0, LOGGED_MAX)));
    str sender = s->tx.sender.n ? s->tx.sender : S("");
    str rcpt = s->tx.n > 0 ? s->tx.rcpts[s->tx.n - 1].address : STR_NONE;
    if (text.n)
        buf_printf(&about, ": " STR_FMT, STR_ARG(str_sub(text, 0, SMTP_REASON_MAX)));
    smtp_log_event_of(s, LOG_AS_CLEANUP, buf_cstr(&name), "END-OF-MESSAGE", buf_str(&about), sender, rcpt);
}

static void reject(struct smtp_session *s, const struct check_result *r, str field)
{
    char text[SMTP_REASON_MAX];
    str why = r->text.n ? r->text : S("message content rejected");
    log_check(s, "reject", field, why);
    snprintf(text, sizeof text, STR_FMT, STR_ARG(why));
    smtp_message_fail(s, r->enhanced[0] == '4' ? 451 : 550, r->enhanced, text);
    s->tx.msg.logged = true;
}

/* What is done with the message as a whole. */
static void change_message(struct smtp_session *s, const struct check_result *r, str field)
{
    struct smtp_actions *a = &s->tx.actions;
    switch (r->action) {
    case CHECK_REJECT:
        reject(s, r, field);
        return;
    case CHECK_DISCARD:
        log_check(s, "discard", field, r->text);
        a->discard = true;
        return;
    case CHECK_HOLD:
        log_check(s, "hold", field, r->text);
        a->hold = true;
        return;
    case CHECK_FILTER:
        log_check(s, "filter", field, r->text);
        a->filter = arena_str(s->tx.arena, r->text);
        return;
    case CHECK_REDIRECT:
        log_check(s, "redirect", field, r->text);
        if (smtp_action_redirect(s, r->text) != RC_OK)
            smtp_message_fail(s, 451, "4.3.5", "Server configuration error");
        return;
    default:
        log_warn("milter_header_checks: an action that is not done there: " STR_FMT,
                 STR_ARG(str_sub(field, 0, LOGGED_MAX)));
    }
}

static bool apply(struct milter_mail *x, str value, str *text)
{
    struct check_result r;
    check_result_parse(value, &r);
    const char *fault = check_result_fault(&r, true);
    if (fault) {
        log_warn("milter_header_checks: " STR_FMT " needs %s", STR_ARG(str_sub(value, 0, 100)), fault);
        return true;
    }
    switch (r.action) {
    case CHECK_DUNNO:
    case CHECK_PASS:
        return true;
    case CHECK_IGNORE:
        return false;
    case CHECK_STRIP:
        log_check(x->s, "strip", *text, r.text);
        return false;
    case CHECK_REPLACE:
        log_check(x->s, "replace", *text, r.text);
        *text = arena_str(x->arena, r.text);
        return true;
    case CHECK_INFO:
    case CHECK_WARN:
        log_check(x->s, r.action == CHECK_INFO ? "info" : "warning", *text, r.text);
        return true;
    default:
        change_message(x->s, &r, *text);
        return true;
    }
}

bool milter_check_field(struct milter_mail *x, str *text)
{
    str tables = str_c(x->s->conf->milter_header_checks), value;
    struct err e = {0};
    if (tables.n == 0)
        return true;
    struct table_list *l = table_settings_find(x->s->p->tables, tables);
    enum rc rc = l ? table_list_find(l, TABLE_WHOLE_KEY, *text, x->arena, &value, &e) : RC_TEMP;
    if (rc == RC_OK)
        return apply(x, value, text);
    if (rc == RC_GONE)
        return true;
    log_warn(STR_FMT ": milter_header_checks lookup error -- deferring delivery: %s", STR_ARG(x->s->tx.id),
             err_text(&e));
    smtp_message_fail(x->s, 451, "4.3.0", "Error: queue file write error");
    return false;
}
