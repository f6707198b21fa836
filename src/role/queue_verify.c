/* Addresses that smtpd wants to be verified: what is known of them, and probes for the rest. A probe is a
 * message without content in the queue; whoever has it asks the next hop as far as RCPT, and nobody is told
 * of its fate but verify_db. What addresses of this server are, smtpd knows without. */
#include "account/identity.h"
#include "base/log.h"
#include "fmt/smtp_cmd.h"
#include "queue/new_id.h"
#include "queue/site_name.h"
#include "role/ipc.h"
#include "role/queue_impl.h"
#include "smtp/rules.h"

enum {
    ANSWER_ARENA = 64 << 10,
    PROBE_MS = 1000000, /* after so long one that has not come back is lost */
    PENDING_MAX = 5000
};

static enum rc send_probe(const struct queue_role *s, str address, struct arena *a, struct err *e)
{
    const struct conf *c = s->role->conf;
    char id[QUEUE_ID_SIZE];
    int64_t now = clock_wall() / 1000, pending = 0;
    struct queue_rcpt rcpt = {.address = address, .notify = SMTP_NOTIFY_NEVER};
    const struct queue_envelope v = {.id = queue_new_id(id),
                                     .sender = rules_probe_sender(c, a),
                                     .flags = QUEUE_PROBE | QUEUE_NO_POSTMASTER,
                                     .client = S("local"),
                                     .arrived = now,
                                     .rcpts = &rcpt,
                                     .n = 1};
    enum rc rc = verify_db_pending(s->verify, now - PROBE_MS, &pending, e);
    if (rc == RC_OK && pending >= PENDING_MAX)
        rc = err_set(e, RC_LIMIT, 0, "", "more than %d addresses are being verified", PENDING_MAX);
    if (rc == RC_OK)
        rc =
            verify_db_note_probe(s->verify, address, now, now - c->address_verify_positive_expire_time_ms, e);
    if (rc == RC_OK)
        rc = queue_put(s->queue, &v, STR_NONE, -1, e);
    return rc;
}

static int64_t lifetime(const struct conf *c, enum verify_status status)
{
    if (status == VERIFY_OK)
        return c->address_verify_positive_expire_time_ms;
    return c->address_verify_negative_cache ? c->address_verify_negative_expire_time_ms : 0;
}

static int64_t refresh(const struct conf *c, enum verify_status status)
{
    return status == VERIFY_OK ? c->address_verify_positive_refresh_time_ms
                               : c->address_verify_negative_refresh_time_ms;
}

/* Without a negative cache what was just heard counts all the same, for those who wait for it. */
static bool holds(const struct conf *c, const struct verify_entry *v, int64_t age)
{
    int64_t least = ((int64_t)c->address_verify_poll_count + 1) * c->address_verify_poll_delay_ms,
            most = lifetime(c, v->status);
    return v->updated > 0 && age < (most > least ? most : least);
}

/* *ret: what is known; its status is UNKNOWN while a probe is under way. */
static enum rc look_up(const struct queue_role *s, str address, struct arena *a, struct verify_entry *ret,
                       struct err *e)
{
    const struct conf *c = s->role->conf;
    struct verify_entry v = {.status = VERIFY_UNKNOWN};
    int64_t now = clock_wall() / 1000;
    enum rc rc = verify_db_find(s->verify, address, a, &v, e);
    if (rc != RC_OK && rc != RC_GONE)
        return rc;
    bool known = holds(c, &v, now - v.updated), probed = now - v.probed < PROBE_MS;
    if (!known)
        v.status = VERIFY_UNKNOWN;
    rc = RC_OK;
    if (!probed && (!known || now - v.updated > refresh(c, v.status)))
        rc = send_probe(s, address, a, e);
    *ret = v;
    return known ? RC_OK : rc;
}

enum rc queue_verify_ask(const struct queue_role *s, struct ipc_msg *m, struct buf *reply)
{
    AUTO(arena_freep) struct arena *a = arena_new(ANSWER_ARENA);
    struct verify_entry v = {.status = VERIFY_UNKNOWN};
    struct err e = {0};
    str address = arena_str(a, ipc_get_str(m, IDENTITY_ACCOUNT_MAX));
    if (ipc_end(m) != RC_OK || str_rchr(address, '@') < 0)
        return RC_INVALID;
    if (look_up(s, address, a, &v, &e) != RC_OK) {
        log_warn("an address cannot be verified: %s", err_text(&e));
        e.rc = RC_TEMP;
    }
    ipc_begin(reply, MSG_VERIFY_REPLY);
    ipc_put_err(reply, &e);
    ipc_put_u32(reply, v.status);
    ipc_put_str(reply, v.text);
    return RC_OK;
}

/* --- probes that come back --- */

static enum verify_status status_of(enum queue_result result)
{
    return result == QUEUE_FAILED     ? VERIFY_UNDELIVERABLE
           : result == QUEUE_DEFERRED ? VERIFY_DEFERRED
                                      : VERIFY_OK;
}

void queue_verify_note(const struct queue_role *s, str address, struct queue_outcome *o)
{
    struct err e = {0};
    if (o->result == QUEUE_NOT_TRIED)
        return;
    if (verify_db_put(s->verify, address, status_of(o->result), str_sub(o->reply, 0, VERIFY_TEXT_MAX),
                      clock_wall() / 1000, &e) != RC_OK)
        log_warn("what became of a probe is not kept: %s", err_text(&e));
    o->result = QUEUE_RELAYED; /* whatever it was, the probe has done its work */
}

bool queue_verify_take(const struct queue_role *s, const struct queue_job *job)
{
    const struct site_name site = site_name_parse(job->site_name);
    bool fails = site.transport == SITE_ERROR,
         waits = site.transport == SITE_RETRY || site.transport == SITE_ROUTE;
    if (!(job->envelope.flags & QUEUE_PROBE))
        return false;
    for (size_t i = 0; i < job->envelope.n; i++) {
        struct queue_outcome o = {.rcpt = job->envelope.rcpts[i].n,
                                  .result = fails   ? QUEUE_FAILED
                                            : waits ? QUEUE_DEFERRED
                                                    : QUEUE_DELIVERED,
                                  .status = S("2.0.0"),
                                  .reply = fails || waits ? site.next : S("delivered")};
        const struct queue_report r = {.number = job->number,
                                       .id = job->envelope.id,
                                       .outcomes = &o,
                                       .n = 1,
                                       .sender = job->envelope.sender};
        queue_verify_note(s, job->envelope.rcpts[i].address, &o);
        if (queue_report(s->queue, &r) != RC_OK)
            log_error(STR_FMT ": its report was not taken", STR_ARG(job->envelope.id));
    }
    return true;
}
