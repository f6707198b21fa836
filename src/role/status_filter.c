#include "role/status_filter.h"

#include "base/log.h"
#include "fmt/smtp_reply.h"

enum { LOGGED_MAX = 200 };

static bool is_failure(const struct queue_outcome *o)
{
    return o->result == QUEUE_DEFERRED || o->result == QUEUE_FAILED;
}

/* The text stays as it is where the result has none of its own. */
static void set_text(struct queue_outcome *o, str *text, str other)
{
    if (other.n == 0 || str_eq(other, *text))
        return;
    o->reply = *text = other;
}

static void change(const char *setting, struct arena *a, struct queue_outcome *o, str *text, str result)
{
    char status[12];
    bool failure = is_failure(o), temp = failure && smtp_reply_enhanced(result, 450, status);
    if (!temp && !smtp_reply_enhanced(result, failure ? 550 : 250, status)) {
        log_warn("%s: bad result \"" STR_FMT "\" for status " STR_FMT, setting,
                 STR_ARG(str_sub(result, 0, LOGGED_MAX)), STR_ARG(o->status));
        return;
    }
    if (failure && temp != (o->result == QUEUE_DEFERRED))
        o->code = temp ? 450 : 550;
    if (failure)
        o->result = temp ? QUEUE_DEFERRED : QUEUE_FAILED;
    o->status = arena_str(a, str_c(status));
    set_text(o, text, str_trim(str_from(result, strlen(status))));
}

void status_filter_apply(struct table_list *tables, const char *setting, struct arena *a,
                         struct queue_outcome *o, str *text)
{
    struct err e = {0};
    str result = STR_NONE;
    if (!tables || o->result == QUEUE_NOT_TRIED || o->result == QUEUE_EXPANDED)
        return;
    enum rc rc = table_list_find(tables, TABLE_WHOLE_KEY,
                                 arena_printf(a, STR_FMT " " STR_FMT, STR_ARG(o->status), STR_ARG(*text)), a,
                                 &result, &e);
    if (rc == RC_OK)
        change(setting, a, o, text, result);
    if (rc == RC_OK || rc == RC_GONE)
        return;
    log_warn("%s map lookup problem: %s", setting, err_text(&e));
    if (o->result == QUEUE_FAILED) {
        o->result = QUEUE_DEFERRED;
        o->code = 451;
        o->status = S("4.3.0");
    }
}
