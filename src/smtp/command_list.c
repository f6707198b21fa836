/* Commands that settings name: those of other protocols, which no mail client says, and those that are to do
 * nothing. Postfix looks at them in the same way: names without regard to case, tables by the command as it
 * was given; of entries with "!" in front the first that fits decides. */
#include "base/log.h"
#include "fmt/tablespec.h"
#include "smtp/session_impl.h"
#include "table/settings.h"

/* A table that does not answer has nothing: this protects nobody. */
static bool table_has(struct smtp_session *s, str spec, str verb)
{
    struct table_list *l = table_settings_find(s->p->tables, spec);
    struct err e = {0};
    str ignored;
    enum rc rc = l ? table_list_find(l, TABLE_WHOLE_KEY, verb, s->cmd_arena, &ignored, &e) : RC_GONE;
    if (rc != RC_OK && rc != RC_GONE)
        log_warn("list of commands: " STR_FMT ": %s", STR_ARG(str_sub(spec, 0, 200)), err_text(&e));
    return rc == RC_OK;
}

bool smtp_command_list_has(struct smtp_session *s, const char *list, str verb)
{
    str rest = str_c(list), item;
    while (tablespec_take(&rest, &item) == RC_OK) {
        bool negated = str_starts(item, S("!"));
        item = str_from(item, negated);
        if (str_chr(item, ':') >= 0 ? table_has(s, item, verb) : str_ieq(item, verb))
            return !negated;
    }
    return false;
}

/* The name of a field with its colon: a header that was sent without a dialogue. */
static bool is_field(str verb)
{
    size_t n = 0;
    while (n < verb.n && verb.p[n] > ' ' && verb.p[n] < 0x7f && verb.p[n] != ':')
        n++;
    return n > 0 && n < verb.n && verb.p[n] == ':';
}

bool smtp_is_foreign(struct smtp_session *s, const char *forbidden, str line)
{
    str verb, args;
    smtp_cmd_split(line, &verb, &args);
    return verb.n > 0 && !smtp_command_is_known(s, verb) &&
           (is_field(verb) || smtp_command_list_has(s, forbidden, verb));
}
