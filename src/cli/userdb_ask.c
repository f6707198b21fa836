/* One question over Dovecot's master protocol (fmt/dovecot_auth.h). */
#include "cli/userdb_ask.h"

#include "base/arena.h"
#include "fmt/dovecot_auth.h"
#include "os/socket.h"
#include "os/stream.h"

#include <unistd.h>

enum { ANSWER_MS = 60000, LINES_MAX = 20, ARENA_MAX = 64 << 10, QUESTION = 1 };

static enum rc connect_to(const struct conf *c, struct stream **ret, struct err *e)
{
    int fd = -1;
    enum rc rc = err_set(e, RC_TEMP, 0, "", "the settings have no listener of the protocol auth-userdb");
    for (size_t i = 0; i < c->listener_count && rc != RC_OK; i++)
        if (c->listeners[i].protocol == CONF_AUTH_USERDB)
            rc = socket_connect_unix(c->listeners[i].socket, &fd, e);
    if (rc != RC_OK)
        return RC_TEMP;
    *ret = stream_new(fd, 2 * DOVECOT_AUTH_LINE_MAX);
    stream_set_deadline(*ret, clock_mono() + ANSWER_MS);
    return RC_OK;
}

static void put_question(struct stream *io, const char *name)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(DOVECOT_AUTH_LINE_MAX);
    dovecot_auth_begin(&b, S("VERSION"));
    dovecot_auth_put_number(&b, DOVECOT_AUTH_MAJOR);
    dovecot_auth_put_number(&b, DOVECOT_AUTH_MASTER_MINOR);
    dovecot_auth_end(&b);
    dovecot_auth_begin(&b, S("USER"));
    dovecot_auth_put_number(&b, QUESTION);
    dovecot_auth_put(&b, str_c(name));
    dovecot_auth_put_value(&b, S("service"), S("lda"));
    dovecot_auth_end(&b);
    stream_write(io, buf_str(&b));
}

static bool is_answer(const struct dovecot_auth_reply *r)
{
    return (r->answer == DOVECOT_AUTH_FOUND || r->answer == DOVECOT_AUTH_NOT_FOUND ||
            r->answer == DOVECOT_AUTH_FAIL) &&
           r->id == QUESTION;
}

/* The first line that answers; before it the server says who it is. */
static enum rc read_answer(struct stream *io, struct arena *a, struct dovecot_auth_reply *ret)
{
    enum rc rc = stream_flush(io);
    for (int i = 0; i < LINES_MAX && rc == RC_OK; i++) {
        enum line_end end;
        str line;
        rc = stream_read_line(io, DOVECOT_AUTH_LINE_MAX, &line, &end);
        if (rc == RC_OK)
            rc = dovecot_auth_parse_reply(line, a, ret);
        if (rc == RC_OK && is_answer(ret))
            return RC_OK;
    }
    return RC_TEMP;
}

/* "maildir:PATH[:INDEX=PATH]" */
static bool take_mail(str mail, struct account_identity *id)
{
    str rest = mail, kind = str_take(&rest, ':'), path = str_take(&rest, ':'), index = path;
    while (rest.n) {
        str key = str_take(&rest, ':');
        if (str_starts(key, S("INDEX=")))
            index = str_from(key, 6);
    }
    return str_eq(kind, S("maildir")) && str_starts(path, S("/")) && str_starts(index, S("/")) &&
           str_copy(id->mail_dir, sizeof id->mail_dir, path) == RC_OK &&
           str_copy(id->index_dir, sizeof id->index_dir, index) == RC_OK;
}

static bool take_user(const struct dovecot_auth_reply *r, struct account_identity *ret)
{
    *ret = (struct account_identity){.uid = r->uid, .gid = r->gid, .system = str_chr(r->user, '@') < 0};
    return r->has_ids && str_copy(ret->account, sizeof ret->account, r->user) == RC_OK &&
           str_copy(ret->home, sizeof ret->home, r->home) == RC_OK &&
           str_copy(ret->quota, sizeof ret->quota, r->quota_rule) == RC_OK && take_mail(r->mail, ret);
}

enum rc userdb_ask(const struct conf *c, const char *name, struct account_identity *ret, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    AUTO(stream_freep) struct stream *io = NULL;
    struct dovecot_auth_reply r = {0};
    enum rc rc = connect_to(c, &io, e);
    if (rc != RC_OK)
        return rc;
    put_question(io, name);
    if (read_answer(io, a, &r) != RC_OK)
        return err_set(e, RC_TEMP, 0, "", "the server does not tell who %s is", name);
    if (r.answer == DOVECOT_AUTH_NOT_FOUND)
        return RC_GONE;
    if (r.answer == DOVECOT_AUTH_FAIL || !take_user(&r, ret))
        return err_set(e, RC_TEMP, 0, "", "the server cannot tell now who %s is", name);
    return RC_OK;
}
