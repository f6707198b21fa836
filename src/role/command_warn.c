/* The commands of quota_warning: the first word names one of quota_warning_programs, the others are further
 * arguments, with Dovecot's %u, %n and %d. As with Dovecot nobody waits for the program or hears what it
 * says.
 */
#include "role/command_impl.h"

#include "base/log.h"
#include "fmt/dovecot_var.h"
#include "fmt/quota_rule.h"

enum { ARGUMENT_MAX = 4096 };

struct names {
    str account;
};

static enum rc find(void *ctx, str name, str *ret, struct err *e)
{
    const struct names *n = ctx;
    str domain = n->account, user = str_take(&domain, '@');
    if (str_eq(name, S("user")))
        *ret = n->account;
    else if (str_eq(name, S("username")))
        *ret = user;
    else if (str_eq(name, S("domain")))
        *ret = domain.p ? domain : S("");
    else
        return RC_GONE;
    return RC_OK;
}

static char *text_of(str s, struct arena *a)
{
    str copy = arena_str(a, s);
    must(copy.p);
    return (char *)copy.p;
}

/* argv has room for PIPE_ARGS_MAX words and a NULL. */
static enum rc put_arguments(const struct pipe_def *d, str words, str account, struct arena *a, char **argv,
                             struct err *e)
{
    struct names names = {account};
    const struct dovecot_var_env env = {.find = find, .ctx = &names};
    size_t n = 0;
    while (n < d->argc) {
        argv[n] = text_of(d->argv[n], a);
        n++;
    }
    for (str word = str_word(&words); word.n > 0; word = str_word(&words)) {
        AUTO(buf_deinit) struct buf value = BUF_INIT(ARGUMENT_MAX);
        if (n == PIPE_ARGS_MAX)
            return err_set(e, RC_TEMP, 0, "", "it has too many words");
        if (dovecot_var_expand(word, &env, &value, e) != RC_OK)
            return RC_TEMP;
        argv[n++] = text_of(buf_str(&value), a);
    }
    argv[n] = NULL;
    return RC_OK;
}

enum rc command_warn(const struct conf *c, str warning, str account, struct arena *a, struct err *e)
{
    static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char *argv[PIPE_ARGS_MAX + 1], *const env[] = {path, NULL};
    struct quota_warning w;
    struct pipe_def d;
    struct command_user u;
    if (quota_warning_parse(warning, &w) != RC_OK)
        return err_set(e, RC_TEMP, 0, "", "it is none");
    str words = w.command, name = str_word(&words);
    if (pipe_def_find(str_c(c->quota_warning_programs), name, &d) != RC_OK)
        return err_set(e, RC_TEMP, 0, "", "quota_warning_programs has no \"" STR_FMT "\"",
                       STR_ARG(str_sub(name, 0, 60)));
    enum rc rc = command_user_find(c, d.user, d.group, false, &u, e);
    if (rc == RC_GONE)
        rc = err_set(e, RC_TEMP, 0, "", "there is no user " STR_FMT, STR_ARG(str_sub(d.user, 0, 60)));
    if (rc == RC_OK)
        rc = put_arguments(&d, words, account, a, argv, e);
    if (rc != RC_OK)
        return rc;
    command_become(&u);
    const struct program p = {.argv = argv,
                              .env = env,
                              .directory = d.directory.n > 0 ? text_of(d.directory, a) : NULL,
                              .time_limit = c->command_time_limit_ms};
    rc = command_program_leave(&p, e);
    if (rc == RC_OK)
        log_info(STR_FMT ": quota warning: " STR_FMT " runs", STR_ARG(account), STR_ARG(name));
    return rc;
}
