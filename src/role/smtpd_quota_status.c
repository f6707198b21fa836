/* Dovecot's service quota-status: a policy server (Postfix, SMTPD_POLICY_README) that tells before RCPT
 * whether the mailbox has room. One request after the other, attributes a line each up to an empty one;
 * "recipient" and "size" are what counts. */
#include "account/identity.h"
#include "base/log.h"
#include "base/num.h"
#include "role/smtpd_impl.h"

#include <stdatomic.h>

enum { LINE_MAX_BYTES = 4096, LINES_MAX = 200, ARENA_BYTES = 1 << 20, IDLE_MS = 1000000 };

struct request {
    char recipient[IDENTITY_ACCOUNT_MAX + 1];
    uint64_t size;
};

static enum rc read_request(struct stream *io, struct request *ret)
{
    *ret = (struct request){.size = 0};
    for (int i = 0; i < LINES_MAX; i++) {
        enum line_end end;
        str line;
        enum rc rc = stream_read_line(io, LINE_MAX_BYTES, &line, &end);
        if (rc != RC_OK || line.n == 0)
            return rc;
        str value = line, name = str_take(&value, '=');
        if (str_eq(name, S("recipient")) && str_copy(ret->recipient, sizeof ret->recipient, value) != RC_OK)
            return RC_INVALID;
        if (str_eq(name, S("size")) && num_parse_u64(value, UINT64_MAX, &ret->size) != RC_OK)
            ret->size = 0;
    }
    return RC_LIMIT;
}

/* "%{error}" is why. */
static void put_with_error(struct buf *out, const char *action, const char *error)
{
    str rest = str_c(action);
    for (ptrdiff_t at; (at = str_find(rest, S("%{error}"))) >= 0;) {
        buf_puts(out, str_sub(rest, 0, (size_t)at));
        buf_puts(out, str_c(error));
        rest = str_from(rest, (size_t)at + 8);
    }
    buf_puts(out, rest);
}

static void put_action(struct smtpd_session *s, const struct request *r, struct buf *out)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_BYTES);
    const struct conf *c = s->conf;
    struct smtp_target *targets = NULL;
    struct err e = {0};
    size_t n = 0;
    enum rc rc = smtpd_env.resolve(s, str_c(r->recipient), a, &targets, &n, &e);
    bool one = rc == RC_OK && n == 1 && targets->limited && targets->via.n == 0;
    if (one)
        rc = smtpd_env.room(s, targets, r->size, &e);
    if (rc == RC_OK)
        buf_puts(out, str_c(c->quota_status_success));
    else if (one && rc == RC_PERM && r->size > 0 && c->quota_status_toolarge[0] &&
             strcmp(e.enhanced, "5.2.3") == 0)
        put_with_error(out, c->quota_status_toolarge, e.peer);
    else if (one)
        put_with_error(out, c->quota_status_overquota, e.peer);
    else if (rc == RC_TEMP)
        buf_puts(out, S("DEFER_IF_PERMIT Temporary internal error"));
    else
        buf_puts(out, str_c(c->quota_status_nouser));
}

void smtpd_quota_status(struct smtpd_session *s, struct stream *io)
{
    struct request r;
    while (!atomic_load(&s->server->stopping)) {
        AUTO(buf_deinit) struct buf action = BUF_INIT(2000);
        stream_set_deadline(io, clock_mono() + IDLE_MS);
        enum rc rc = read_request(io, &r);
        if (rc != RC_OK) {
            if (rc != RC_GONE && rc != RC_TEMP)
                log_warn("quota-status: what [%s] asks is no request of a policy server", s->client_address);
            return;
        }
        put_action(s, &r, &action);
        stream_printf(io, "action=%s\n\n", buf_cstr(&action));
        if (stream_flush(io) != RC_OK)
            return;
    }
}
