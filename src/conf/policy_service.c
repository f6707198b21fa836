#include "conf/policy_service.h"

#include "base/num.h"

static enum rc wrong(struct err *e, str name, str value)
{
    return err_set(e, RC_INVALID, 0, "",
                   "check_policy_service: " STR_FMT " = \"" STR_FMT "\" is not understood",
                   STR_ARG(str_sub(name, 0, 40)), STR_ARG(str_sub(value, 0, 60)));
}

static enum rc set_option(struct conf_policy_service *p, str name, str value, struct err *e)
{
    const struct {
        const char *name;
        int64_t *time;
        uint32_t *number;
        str *text;
    } options[] = {
        {"timeout", .time = &p->timeout_ms},
        {"max_idle", .time = &p->max_idle_ms},
        {"max_ttl", .time = &p->max_ttl_ms},
        {"retry_delay", .time = &p->retry_delay_ms},
        {"request_limit", .number = &p->request_limit},
        {"try_limit", .number = &p->try_limit},
        {"default_action", .text = &p->default_action},
        {"policy_context", .text = &p->context},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (!str_eq(name, str_c(options[i].name)))
            continue;
        enum rc rc = RC_OK;
        if (options[i].time)
            rc = num_parse_duration_ms(value, options[i].time);
        else if (options[i].number)
            rc = num_parse_u32(value, INT32_MAX, options[i].number);
        else
            *options[i].text = value;
        return rc == RC_OK ? RC_OK : wrong(e, name, value);
    }
    return wrong(e, name, value);
}

enum rc conf_policy_service(const struct conf *c, const struct restriction *r,
                            struct conf_policy_service *ret, struct err *e)
{
    enum { WAIT_MAX_MS = 3600000 };
    struct conf_policy_service p = {
        .server = r->argument,
        .timeout_ms = c->smtpd_policy_service_timeout_ms,
        .max_idle_ms = c->smtpd_policy_service_max_idle_ms,
        .max_ttl_ms = c->smtpd_policy_service_max_ttl_ms,
        .retry_delay_ms = c->smtpd_policy_service_retry_delay_ms,
        .request_limit = (uint32_t)c->smtpd_policy_service_request_limit,
        .try_limit = (uint32_t)c->smtpd_policy_service_try_limit,
        .default_action = str_c(c->smtpd_policy_service_default_action),
        .context = str_c(c->smtpd_policy_service_policy_context),
    };
    str options = r->options, name, value;
    if (str_starts(p.server, S("unix:")) && !str_starts(p.server, S("unix:/")))
        return err_set(e, RC_INVALID, 0, "", "check_policy_service: the path of " STR_FMT " must be absolute",
                       STR_ARG(str_sub(p.server, 0, 100)));
    while (restriction_take_option(&options, &name, &value) == RC_OK) {
        enum rc rc = set_option(&p, name, value, e);
        if (rc != RC_OK)
            return rc;
    }
    if (p.timeout_ms < 1 || p.timeout_ms > WAIT_MAX_MS || p.retry_delay_ms > WAIT_MAX_MS || p.try_limit < 1 ||
        p.default_action.n == 0)
        return err_set(e, RC_INVALID, 0, "", "check_policy_service " STR_FMT ": an option is out of range",
                       STR_ARG(str_sub(p.server, 0, 100)));
    *ret = p;
    return RC_OK;
}

void conf_policy_spec(const struct conf_policy_service *p, struct buf *out)
{
    buf_printf(out, "policy:" STR_FMT ";%lld;%lld;%lld;%u", STR_ARG(p->server), (long long)p->timeout_ms,
               (long long)p->max_idle_ms, (long long)p->max_ttl_ms, p->request_limit);
}
