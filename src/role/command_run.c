/* A runner: one process for one request. As root it looks up whose choice the request names, in passwd, in
 * alias_maps and in the configuration; what users and strangers wrote it reads as the user. */
#include "role/command_impl.h"

#include "base/log.h"
#include "role/ipc.h"
#include "table/table.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARENA_MAX = 8 << 20, COMMAND_LINE_MAX = 4200 };

struct runner {
    const struct conf *conf;
    int channel;
    struct arena *arena;
    struct command_request q;
    struct via via;
};

static _Noreturn void answer(struct runner *r, struct buf *b)
{
    enum rc rc = ipc_send(r->channel, b, NULL, 0, 0);
    _exit(rc == RC_OK ? RUNNER_ANSWERED : RUNNER_FAILED);
}

static _Noreturn void done(struct runner *r, const struct err *e, str text)
{
    struct buf b = BUF_INIT(IPC_MAX);
    if (e->rc != RC_OK && e->rc != RC_GONE)
        log_warn(STR_FMT ": " STR_FMT ": %s%s" STR_FMT, STR_ARG(r->q.id), STR_ARG(r->q.name), err_text(e),
                 text.n > 0 ? ": " : "", STR_ARG(text));
    command_done_put(&b, e, text.n > 0 || e->rc == RC_OK ? text : str_c(e->peer));
    answer(r, &b);
}

static _Noreturn void refuse(struct runner *r, enum rc rc, struct err *e)
{
    e->rc = rc;
    done(r, e, STR_NONE);
}

/* --- .forward --- */

static void put_failure(struct err *e, enum rc rc)
{
    if (e->rc == RC_OK && rc != RC_GONE)
        (void)err_set(e, rc, 450, "4.3.0", "Temporary lookup failure");
    e->rc = rc;
}

static enum rc find_person(struct runner *r, struct command_user *u, struct err *e)
{
    enum rc rc =
        r->conf->system_users ? command_user_find(r->conf, r->via.name, STR_NONE, true, u, e) : RC_GONE;
    if (rc == RC_OK && u->id.uid != r->via.uid)
        rc = RC_GONE;
    return rc == RC_GONE ? err_set(e, RC_TEMP, 450, "4.3.0", "there is no such user now") : rc;
}

static _Noreturn void expand(struct runner *r)
{
    struct buf b = BUF_INIT(IPC_MAX);
    struct command_user u;
    struct alias all;
    struct command_target *t = NULL;
    struct err e = {0};
    size_t n = 0;
    enum rc rc = find_person(r, &u, &e);
    if (rc == RC_OK) {
        command_become(&u);
        rc = command_forward_read(r->conf, &u, r->via.tag, r->arena, &all, &e);
    }
    if (rc == RC_OK)
        rc = command_forward_targets(r->conf, &all, r->arena, &t, &n, &e);
    if (rc != RC_OK && rc != RC_GONE)
        log_warn("the .forward of " STR_FMT ": %s", STR_ARG(r->via.name), err_text(&e));
    put_failure(&e, rc);
    command_targets_put(&b, &e, t, rc == RC_OK ? n : 0);
    answer(r, &b);
}

/* --- running and writing --- */

static bool is_allowed(const struct conf_list *l, str place)
{
    for (size_t i = 0; i < l->n; i++)
        if (str_eq(l->v[i], place))
            return true;
    return false;
}

static struct source source_of(const struct runner *r, unsigned flags, str null_sender)
{
    return (struct source){
        .request = &r->q, .rcpt = &r->q.rcpts[0], .flags = flags, .null_sender = null_sender};
}

/* A command line of a user or an alias, by the shell, as that user. */
static _Noreturn void run_line(struct runner *r, const struct command_user *u, str line, str tag)
{
    static struct command_env env;
    char *text = str_dup(line);
    char *const argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, text, NULL};
    struct source s = source_of(r, SOURCE_FROM_LINE | SOURCE_RETURN_PATH | SOURCE_ORIGINAL | SOURCE_DELIVERED,
                                S("MAILER-DAEMON"));
    struct buf reply = BUF_INIT(COMMAND_REPLY_MAX);
    struct err e = {0};
    command_env_make(r->conf, &r->q, u, tag, &env);
    const struct program p = {.argv = argv,
                              .env = env.v,
                              .directory = u->id.home,
                              .source = &s,
                              .time_limit = r->conf->command_time_limit_ms};
    if (command_program_run(&p, &reply, &e) == RC_OK) {
        log_info(STR_FMT ": delivered to command: " STR_FMT, STR_ARG(r->q.id), STR_ARG(line));
        buf_puts(&reply, S("delivered to command"));
    }
    done(r, &e, buf_str(&reply));
}

static _Noreturn void write_file(struct runner *r, str path)
{
    struct source s = source_of(r, 0, S("MAILER-DAEMON"));
    struct err e = {0};
    e.rc = command_file_write(r->conf, path.p, &s, &e); /* the arena's texts end with a NUL */
    if (e.rc == RC_OK)
        log_info(STR_FMT ": delivered to file: " STR_FMT, STR_ARG(r->q.id), STR_ARG(path));
    done(r, &e, e.rc == RC_OK ? S("delivered to file") : STR_NONE);
}

/* The target that the via names, among all of its place ("forward" or "alias"). */
static _Noreturn void run_target(struct runner *r, const struct command_user *u, const struct alias *all,
                                 str place, str tag)
{
    struct err e = {0};
    const struct alias_target *t = via_find(all, r->via.n, r->via.hash);
    if (!t)
        refuse(r, RC_GONE, &e);
    bool command = t->kind == ALIAS_COMMAND;
    if (!is_allowed(command ? &r->conf->allow_mail_to_commands : &r->conf->allow_mail_to_files, place)) {
        (void)err_set(&e, RC_PERM, 550, "5.7.1", "mail to %s is restricted", command ? "commands" : "files");
        refuse(r, RC_PERM, &e);
    }
    if (command)
        run_line(r, u, t->text, tag);
    write_file(r, t->text);
}

static _Noreturn void run_forward(struct runner *r)
{
    struct command_user u;
    struct alias all;
    struct err e = {0};
    enum rc rc = find_person(r, &u, &e);
    if (rc == RC_OK) {
        command_become(&u);
        rc = command_forward_read(r->conf, &u, r->via.tag, r->arena, &all, &e);
    }
    if (rc != RC_OK)
        refuse(r, rc, &e);
    run_target(r, &u, &all, S("forward"), r->via.tag);
}

/* --- what tables name --- */

/* What they say of r->via.name. Opened for this one look, so that it is never an old one. Tables that ask a
 * database or a server are not asked: who may write there is not thereby somebody who may run commands here.
 */
static enum rc find_here(struct runner *r, const char *setting, const char *specs, str *ret, struct err *e)
{
    const struct table_env env = {.no_substitution = true, .unasked = true};
    struct table_list *l = NULL;
    str maps = str_c(specs);
    enum rc rc = table_list_open(&maps, 1, &env, &l, e);
    if (rc == RC_OK && str_starts(r->via.name, S(":"))) /* ":include:" and a path: what a table has read */
        rc = RC_TEMP;
    if (rc == RC_OK)
        rc = table_list_find_here(l, r->via.name, r->arena, ret, e);
    if (rc == RC_OK || rc == RC_GONE)
        return rc;
    struct err why = *e;
    (void)err_set(e, RC_TEMP, 450, "4.3.5", "Server configuration error");
    err_note(e, "%s: %s", setting, err_text(&why));
    return RC_TEMP;
}

static enum rc find_alias(struct runner *r, struct alias *ret, struct err *e)
{
    str text = STR_NONE;
    enum rc rc = find_here(r, "alias_maps", r->conf->alias_maps, &text, e);
    if (rc != RC_OK || aliases_parse_targets(text, r->arena, ret, e) == RC_OK)
        return rc;
    (void)err_set(e, RC_TEMP, 450, "4.3.5", "Server configuration error");
    err_note(e, "alias_maps: what they say of " STR_FMT " cannot be read", STR_ARG(r->via.name));
    return RC_TEMP;
}

/* mailbox_command_maps, mailbox_command; RC_GONE: there is no command for this user. */
static enum rc find_mailbox_command(struct runner *r, str *ret, struct err *e)
{
    enum rc rc = r->conf->mailbox_command_maps[0]
                     ? find_here(r, "mailbox_command_maps", r->conf->mailbox_command_maps, ret, e)
                     : RC_GONE;
    if (rc != RC_GONE)
        return rc;
    *ret = str_c(r->conf->mailbox_command);
    return ret->n > 0 ? RC_OK : RC_GONE;
}

static _Noreturn void run_mailbox_command(struct runner *r)
{
    struct command_user u;
    struct err e = {0};
    str line = STR_NONE;
    enum rc rc = find_mailbox_command(r, &line, &e);
    if (rc == RC_OK)
        rc = find_person(r, &u, &e);
    if (rc != RC_OK)
        refuse(r, rc, &e);
    command_become(&u);
    run_line(r, &u, line, r->via.tag);
}

static _Noreturn void run_alias(struct runner *r)
{
    struct command_user u;
    struct alias all;
    struct err e = {0};
    enum rc rc = find_alias(r, &all, &e);
    if (rc == RC_OK) {
        rc = command_user_find(r->conf, str_c(r->conf->default_privs), STR_NONE, false, &u, &e);
        if (rc == RC_GONE)
            rc = err_set(&e, RC_TEMP, 450, "4.3.5", "Server configuration error");
    }
    if (rc != RC_OK)
        refuse(r, rc, &e);
    command_become(&u);
    run_target(r, &u, &all, S("alias"), STR_NONE);
}

/* --- transports --- */

static unsigned pipe_source_flags(unsigned f)
{
    return (f & PIPE_FROM_LINE ? SOURCE_FROM_LINE : 0) | (f & PIPE_RETURN_PATH ? SOURCE_RETURN_PATH : 0) |
           (f & PIPE_ORIGINAL ? SOURCE_ORIGINAL : 0) | (f & PIPE_DELIVERED ? SOURCE_DELIVERED : 0) |
           (f & PIPE_QUOTE_FROM ? SOURCE_QUOTE_FROM : 0) | (f & PIPE_DOTS ? SOURCE_DOTS : 0) |
           (f & PIPE_BLANK_LINE ? SOURCE_BLANK_LINE : 0);
}

static enum rc prepare_pipe(struct runner *r, struct pipe_def *d, struct command_user *u, struct err *e)
{
    enum rc rc = pipe_def_find(str_c(r->conf->pipe_transports), r->q.name, d);
    if (rc != RC_OK)
        return err_set(e, RC_TEMP, 450, "4.3.5", "there is no such transport now");
    if (r->q.n > d->recipients)
        return err_set(e, RC_TEMP, 450, "4.3.0", "too many recipients at once");
    if (d->size_max > 0 && r->q.size + r->q.trace.n > d->size_max)
        return err_set(e, RC_PERM, 552, "5.2.3", "the message is too large");
    rc = command_user_find(r->conf, d->user, d->group, false, u, e);
    return rc == RC_GONE ? err_set(e, RC_TEMP, 450, "4.3.5", "Server configuration error") : rc;
}

static _Noreturn void run_pipe(struct runner *r)
{
    static struct command_env env;
    static struct command_argv argv;
    struct buf reply = BUF_INIT(COMMAND_REPLY_MAX);
    struct command_user u;
    struct pipe_def d;
    struct err e = {0};
    enum rc rc = prepare_pipe(r, &d, &u, &e);
    if (rc == RC_OK) {
        command_become(&u);
        rc = command_argv_make(r->conf, &d, &r->q, &argv, &e);
    }
    if (rc != RC_OK)
        refuse(r, rc, &e);
    command_env_make(r->conf, &r->q, NULL, STR_NONE, &env);
    struct source s = source_of(r, pipe_source_flags(d.flags), d.null_sender);
    const struct program p = {.argv = argv.v,
                              .env = env.v,
                              .directory = d.directory.n > 0 ? str_dup(d.directory) : NULL,
                              .source = &s,
                              .time_limit = conf_of_transport(r->conf, d.name)->command_time_limit_ms};
    if (command_program_run(&p, &reply, &e) == RC_OK)
        buf_printf(&reply, "delivered via " STR_FMT " service", STR_ARG(d.name));
    done(r, &e, buf_str(&reply));
}

/* --- warnings of quotas --- */

static _Noreturn void warn(struct runner *r, struct ipc_msg *m)
{
    struct err e = {0};
    uint32_t n = ipc_get_u32(m);
    str account = ipc_get_str(m, IDENTITY_ACCOUNT_MAX);
    if (ipc_end(m) != RC_OK)
        _exit(RUNNER_REFUSES);
    if (n < r->conf->quota_warning.n) /* else it was another configuration's */
        e.rc = command_warn(r->conf, r->conf->quota_warning.v[n], account, r->arena, &e);
    struct buf b = BUF_INIT(IPC_MAX);
    command_done_put(&b, &e, STR_NONE);
    answer(r, &b);
}

/* --- the request --- */

static _Noreturn void run(struct runner *r, struct ipc_msg *m)
{
    if (command_request_get(m, &r->q) != RC_OK)
        _exit(RUNNER_REFUSES);
    if (r->q.pipe)
        run_pipe(r);
    if (via_parse(r->q.name, &r->via) != RC_OK)
        _exit(RUNNER_REFUSES);
    switch (r->via.kind) {
    case VIA_FORWARD:
        run_forward(r);
    case VIA_MAILBOX:
        run_mailbox_command(r);
    case VIA_ALIAS:
        run_alias(r);
    case VIA_USER:
    case VIA_FILTER:
    case VIA_TRANSPORT:
        break;
    }
    _exit(RUNNER_REFUSES);
}

void command_runner(const struct conf *c, struct ipc_msg *m, int channel)
{
    struct runner r = {.conf = c, .channel = channel, .arena = arena_new(ARENA_MAX)};
    if (m->type == MSG_COMMAND_RUN)
        run(&r, m);
    if (m->type == MSG_COMMAND_WARN)
        warn(&r, m);
    str via = ipc_get_str(m, VIA_MAX);
    if (ipc_end(m) != RC_OK || via_parse(via, &r.via) != RC_OK || r.via.kind != VIA_USER)
        _exit(RUNNER_REFUSES);
    expand(&r);
}
