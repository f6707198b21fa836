/* What a session asks of auth: recipients, SASL, senders. */
#include "net/resolver.h"
#include "queue/verify_db.h"
#include "role/dns_filter.h"
#include "role/ipc.h"
#include "role/rcpt_targets.h"
#include "role/sasl_ask.h"
#include "role/smtpd_impl.h"

#include <unistd.h>

static enum rc auth_down(struct err *e)
{
    (void)err_set(e, RC_TEMP, 451, "4.3.0", "Temporary lookup failure");
    err_note(e, "auth does not answer");
    return RC_TEMP;
}

/* Of what leads elsewhere there need be none. */
static enum rc take_targets(struct ipc_msg *m, enum rc rc, struct arena *a, struct smtp_target **ret,
                            size_t *ret_n, struct err *e)
{
    if (rcpt_targets_get(m, a, ret, ret_n) == RC_OK)
        return rc;
    *ret_n = 0;
    return rc == RC_GONE ? rc : auth_down(e);
}

static enum rc env_resolve(void *ctx, str address, struct arena *a, struct smtp_target **ret, size_t *ret_n,
                           struct err *e)
{
    struct smtpd_session *s = ctx;
    struct ipc_msg m = {0};
    struct err answer = {0};
    enum rc rc;
    buf_reset(&s->ipc);
    if (rcpt_cache_find(s->server->rcpts, address, clock_mono(), &s->ipc, &rc)) {
        m.fields = buf_str(&s->ipc);
        return take_targets(&m, rc, a, ret, ret_n, e);
    }
    ipc_begin(&s->ipc, MSG_RCPT_LOOKUP);
    ipc_put_str(&s->ipc, address);
    if (channel_pool_ask(s->server->auth, &s->ipc, MSG_RCPT_REPLY, &m, clock_mono() + SMTPD_IPC_TIMEOUT_MS) !=
        RC_OK)
        return auth_down(e);
    ipc_get_err(&m, &answer);
    rc = answer.rc;
    str targets = m.fields;
    if (rc != RC_OK && rc != RC_GONE)
        *e = answer;
    else if ((rc = take_targets(&m, rc, a, ret, ret_n, e)) != RC_TEMP)
        rcpt_cache_put(s->server->rcpts, address, rc, targets, clock_mono());
    ipc_msg_deinit(&m);
    return rc;
}

static enum rc env_room(void *ctx, const struct smtp_target *t, uint64_t bytes, struct err *e)
{
    struct smtpd_session *s = ctx;
    const struct local_env env = {
        .pools = s->server->deliver, .mailbox = s->server->mailbox, .conf = s->conf, .ipc = &s->ipc};
    enum rc rc = local_room(&env, t, bytes, e);
    return rc == RC_LIMIT || rc == RC_PERM ? rc : RC_OK; /* else whoever delivers finds out */
}

static enum rc env_check_sender(void *ctx, str account, str sender, struct err *e)
{
    struct smtpd_session *s = ctx;
    struct ipc_msg m;
    struct err answer = {0};
    ipc_begin(&s->ipc, MSG_SENDER_CHECK);
    ipc_put_str(&s->ipc, account);
    ipc_put_str(&s->ipc, sender);
    if (channel_pool_ask(s->server->auth, &s->ipc, MSG_SENDER_REPLY, &m,
                         clock_mono() + SMTPD_IPC_TIMEOUT_MS) != RC_OK)
        return auth_down(e);
    ipc_get_err(&m, &answer);
    ipc_msg_deinit(&m);
    if (answer.rc != RC_OK)
        *e = answer;
    return answer.rc;
}

enum rc smtpd_rewrite_sender(struct smtpd_session *s, struct arena *a, str *sender, str *ret_forwarded,
                             struct err *e)
{
    struct ipc_msg m;
    struct err answer = {0};
    ipc_begin(&s->ipc, MSG_SENDER_REWRITE);
    ipc_put_str(&s->ipc, *sender);
    if (channel_pool_ask(s->server->auth, &s->ipc, MSG_SENDER_REWRITE_REPLY, &m,
                         clock_mono() + SMTPD_IPC_TIMEOUT_MS) != RC_OK)
        return auth_down(e);
    ipc_get_err(&m, &answer);
    str plain = arena_str(a, ipc_get_str(&m, IDENTITY_ACCOUNT_MAX));
    str forwarded = arena_str(a, ipc_get_str(&m, IDENTITY_ACCOUNT_MAX));
    enum rc rc = ipc_end(&m);
    ipc_msg_deinit(&m);
    if (rc != RC_OK || arena_exhausted(a))
        return auth_down(e);
    if (answer.rc != RC_OK) {
        *e = answer;
        return RC_TEMP;
    }
    *sender = plain;
    *ret_forwarded = forwarded;
    return RC_OK;
}

/* --- SASL --- */

static void env_sasl_cancel(void *ctx)
{
    struct smtpd_session *s = ctx;
    channel_release(&s->sasl, true);
    smtpd_dovecot_cancel(s);
}

static bool is_elsewhere(const struct smtpd_session *s)
{
    return conf_asks_dovecot(s->conf);
}

static bool env_sasl_mechanisms(void *ctx, struct buf *out)
{
    struct smtpd_session *s = ctx;
    if (is_elsewhere(s))
        smtpd_dovecot_mechanisms(s, out);
    return is_elsewhere(s);
}

static void put_sasl_answer(const struct sasl_answer *a, struct smtp_sasl_reply *ret)
{
    static const enum smtp_sasl_result results[] = {[AUTH_CONTINUE] = SMTP_SASL_CONTINUE,
                                                    [AUTH_OK] = SMTP_SASL_OK,
                                                    [AUTH_FAIL] = SMTP_SASL_FAIL,
                                                    [AUTH_TEMP] = SMTP_SASL_TEMP};
    *ret = (struct smtp_sasl_reply){
        .result = results[a->result], .data = a->data, .account = a->account, .reason = a->reason};
}

static void env_sasl_start(void *ctx, const struct smtp_sasl_start *start, struct smtp_sasl_reply *ret)
{
    struct smtpd_session *s = ctx;
    struct sasl_answer a;
    const struct sasl_question q = {.service = S("smtp"),
                                    .mechanism = start->mechanism,
                                    .has_initial = start->has_initial,
                                    .initial = start->initial,
                                    .client_address = str_c(s->client_address),
                                    .secured = start->secured,
                                    .exporter = start->exporter,
                                    .end_point = start->end_point,
                                    .certified_name = start->certified_name,
                                    .session_id = start->session_id};
    if (is_elsewhere(s)) {
        smtpd_dovecot_start(s, start, ret);
        return;
    }
    sasl_ask_start(s->server->sasl, &s->sasl, &s->ipc, &q, &a);
    put_sasl_answer(&a, ret);
}

static void env_sasl_step(void *ctx, str response, struct smtp_sasl_reply *ret)
{
    struct smtpd_session *s = ctx;
    struct sasl_answer a;
    if (is_elsewhere(s)) {
        smtpd_dovecot_step(s, response, ret);
        return;
    }
    sasl_ask_step(&s->sasl, &s->ipc, response, &a);
    put_sasl_answer(&a, ret);
}

static bool env_stopping(void *ctx)
{
    struct smtpd_session *s = ctx;
    return atomic_load(&s->server->stopping);
}

/* --- restrictions --- */

static enum rc env_dns(void *ctx, str name, int type, struct arena *a, str **ret, size_t *ret_n)
{
    struct smtpd_session *s = ctx;
    AUTO(dns_answer_freep) const struct dns_answer *answer = NULL;
    const struct dns_asker asker = dns_filter_asker(
        s->server->resolver, table_settings_of(s->server->tables, s->conf, TABLES_SMTPD_DNS_FILTER));
    enum rc rc = dns_ask(&asker, name, (enum dns_type)type, clock_mono() + s->conf->dns_timeout_ms, &answer);
    *ret_n = 0;
    if (rc == RC_GONE) /* there are some */
        return RC_OK;
    if (rc != RC_OK)
        return rc == RC_INVALID ? RC_GONE : RC_TEMP;
    if (answer->n == 0)
        return answer->security == DNS_BOGUS ? RC_TEMP : RC_GONE;
    str *v = arena_array(a, answer->n, sizeof *v);
    for (size_t i = 0; v && i < answer->n; i++)
        v[i] = arena_str(a, answer->rdata[i]);
    if (arena_exhausted(a))
        return RC_TEMP;
    *ret = v;
    *ret_n = answer->n;
    return RC_OK;
}

static enum rc env_verify(void *ctx, str address, struct arena *a, enum smtp_verified *ret, str *ret_text)
{
    static const enum smtp_verified of[] = {[VERIFY_OK] = SMTP_VERIFIED,
                                            [VERIFY_UNDELIVERABLE] = SMTP_UNDELIVERABLE,
                                            [VERIFY_DEFERRED] = SMTP_DEFERRED,
                                            [VERIFY_UNKNOWN] = SMTP_UNVERIFIED};
    struct smtpd_session *s = ctx;
    struct ipc_msg m;
    struct err answer = {0};
    ipc_begin(&s->ipc, MSG_VERIFY_ASK);
    ipc_put_str(&s->ipc, address);
    if (channel_pool_ask(s->server->queue, &s->ipc, MSG_VERIFY_REPLY, &m,
                         clock_mono() + SMTPD_IPC_TIMEOUT_MS) != RC_OK)
        return RC_TEMP;
    ipc_get_err(&m, &answer);
    uint32_t status = ipc_get_u32(&m);
    *ret_text = arena_str(a, ipc_get_str(&m, VERIFY_TEXT_MAX));
    bool fine = ipc_end(&m) == RC_OK && answer.rc == RC_OK && status <= VERIFY_UNKNOWN;
    ipc_msg_deinit(&m);
    if (fine)
        *ret = of[status];
    return fine ? RC_OK : RC_TEMP;
}

static void env_pause(void *ctx, int64_t ms)
{
    const struct smtpd_session *s = ctx;
    msec end = clock_mono() + ms;
    while (clock_mono() < end && !atomic_load(&s->server->stopping))
        usleep(10000);
}

static enum rc env_milter_connect(void *ctx, str place, msec deadline, size_t in_max, struct stream **ret,
                                  struct err *e)
{
    struct smtpd_session *s = ctx;
    return smtpd_connect(s->server, place, deadline, in_max, ret, e);
}

const struct smtp_env smtpd_env = {
    .resolve = env_resolve,
    .room = env_room,
    .sasl_mechanisms = env_sasl_mechanisms,
    .sasl_start = env_sasl_start,
    .sasl_step = env_sasl_step,
    .sasl_cancel = env_sasl_cancel,
    .check_sender = env_check_sender,
    .content_new = content_new,
    .content_append = content_append,
    .content_discard = content_discard,
    .content_end = content_end,
    .content_read = content_read,
    .content_cut = content_cut,
    .content_replace_head = content_replace_head,
    .milter_connect = env_milter_connect,
    .deliver = smtpd_deliver,
    .dns = env_dns,
    .verify = env_verify,
    .pause = env_pause,
    .count = smtpd_count,
    .client_is = smtpd_client_is,
    .stopping = env_stopping,
};

const struct smtp_env smtpd_lmtp_env = {
    .resolve = env_resolve,
    .room = env_room,
    .content_new = content_new,
    .content_append = content_append,
    .content_discard = content_discard,
    .deliver = smtpd_deliver,
    .dns = env_dns,
    .verify = env_verify,
    .pause = env_pause,
    .stopping = env_stopping,
};
