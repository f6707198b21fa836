/* The options of quotas: what they say for an account, and whether they can be read. */
#include "conf/build.h"
#include "conf/report.h"
#include "fmt/pipe_def.h"
#include "fmt/quota_rule.h"

static str rule_of(const struct conf *c, size_t i, str own)
{
    return own.n > 0 || i >= c->quota_rule.n ? own : c->quota_rule.v[i];
}

void conf_quota_rules(const struct conf *c, str own, struct buf *out)
{
    for (size_t i = 0; c->quota && i < QUOTA_RULES_MAX && (own.n > 0 || i < c->quota_rule.n); i++) {
        buf_puts(out, rule_of(c, i, str_take(&own, '\n')));
        buf_putc(out, '\n');
    }
}

static void wrong(struct conf_build *b, enum conf_option option, const char *name, str value,
                  const char *hint)
{
    const struct conf_origin *o = &b->conf->origin[option];
    conf_error(b->report, o->file ? o->file : b->file, o->line, "%s: \"" STR_FMT "\" is not understood; %s",
               name, STR_ARG(str_sub(value, 0, 60)), hint);
}

static void check_programs(struct conf_build *b)
{
    const struct conf *c = b->conf;
    const struct conf_origin *o = &c->origin[CONF_quota_warning_programs];
    str rest = str_c(c->quota_warning_programs);
    struct pipe_def d;
    struct err e = {0};
    for (enum rc rc; (rc = pipe_def_take(&rest, &d, &e)) != RC_GONE;)
        if (rc != RC_OK)
            conf_error(b->report, o->file ? o->file : b->file, o->line, "quota_warning_programs: %s",
                       err_text(&e));
}

void conf_check_quota(struct conf_build *b)
{
    const struct conf *c = b->conf;
    struct quota_rule rule;
    struct quota_warning warning;
    size_t bytes = 0;
    check_programs(b);
    for (size_t i = 0; i < c->quota_rule.n; i++) {
        bytes += c->quota_rule.v[i].n + 1;
        if (quota_rule_parse(c->quota_rule.v[i], &rule) != RC_OK || bytes > QUOTA_RULES_BYTES)
            wrong(b, CONF_quota_rule, "quota_rule", c->quota_rule.v[i],
                  "write it as *:storage=1G:messages=10000, Trash:storage=+100M or Junk:ignore");
    }
    for (size_t i = 0; i < c->quota_warning.n; i++)
        if (quota_warning_parse(c->quota_warning.v[i], &warning) != RC_OK)
            wrong(b, CONF_quota_warning, "quota_warning", c->quota_warning.v[i],
                  "write it as storage=95%, messages=80% or storage=900M");
    for (size_t i = 0; i < c->quota_trash.n; i++) {
        uint32_t priority;
        str mailbox;
        if (quota_trash_parse(c->quota_trash.v[i], &priority, &mailbox) != RC_OK)
            wrong(b, CONF_quota_trash, "quota_trash", c->quota_trash.v[i],
                  "write it as \"1 Junk\", \"2 Trash\"");
    }
    if (!quota_grace_valid(str_c(c->quota_grace)))
        wrong(b, CONF_quota_grace, "quota_grace", str_c(c->quota_grace), "write it as 10% or 50M");
}
