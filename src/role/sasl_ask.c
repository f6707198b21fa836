#include "role/sasl_ask.h"

#include "account/identity.h"
#include "account/ticket.h"
#include "role/ipc.h"

enum { DATA_MAX = 16384, REASON_MAX = 300, TAKE_TIMEOUT_MS = 30000, ANSWER_TIMEOUT_MS = 60000 };

static const struct sasl_answer no_answer = {.result = AUTH_TEMP, .reason = {"auth does not answer", 20}};

static void ask(struct channel **channel, struct buf *ipc, struct sasl_answer *ret)
{
    struct ipc_msg m;
    *ret = no_answer;
    enum rc rc = channel_call(*channel, ipc, NULL, 0, MSG_AUTH_REPLY, &m, clock_mono() + ANSWER_TIMEOUT_MS);
    if (rc == RC_OK) {
        uint32_t result = ipc_get_u32(&m);
        str data = ipc_get_str(&m, DATA_MAX), account = ipc_get_str(&m, IDENTITY_ACCOUNT_MAX);
        (void)ipc_get_str(&m, TICKET_SIZE); /* tickets are for login */
        str reason = ipc_get_str(&m, REASON_MAX);
        rc = ipc_end(&m);
        if (rc == RC_OK && result <= AUTH_TEMP)
            *ret = (struct sasl_answer){(enum auth_result)result, data, account, reason};
        ipc_msg_deinit(&m); /* closes descriptors; the views lie in ipc */
    }
    if (rc != RC_OK || ret->result != AUTH_CONTINUE)
        channel_release(channel, rc != RC_OK);
}

void sasl_ask_start(struct channel_pool *auth, struct channel **channel, struct buf *ipc,
                    const struct sasl_question *q, struct sasl_answer *ret)
{
    channel_release(channel, true);
    if (channel_take(auth, channel, clock_mono() + TAKE_TIMEOUT_MS) != RC_OK) {
        *ret = no_answer;
        return;
    }
    ipc_begin(ipc, MSG_AUTH_START);
    ipc_put_str(ipc, q->service);
    ipc_put_str(ipc, q->mechanism);
    ipc_put_u32(ipc, q->has_initial ? 1 : 0);
    ipc_put_str(ipc, q->initial);
    ipc_put_str(ipc, q->client_address);
    ipc_put_u32(ipc, q->secured ? 1 : 0);
    ipc_put_str(ipc, q->exporter);
    ipc_put_str(ipc, q->end_point);
    ipc_put_str(ipc, q->session_id);
    ipc_put_str(ipc, q->certified_name);
    ask(channel, ipc, ret);
}

void sasl_ask_step(struct channel **channel, struct buf *ipc, str response, struct sasl_answer *ret)
{
    if (!*channel) {
        *ret = (struct sasl_answer){.result = AUTH_TEMP, .reason = S("no exchange is open")};
        return;
    }
    ipc_begin(ipc, MSG_AUTH_STEP);
    ipc_put_str(ipc, response);
    ask(channel, ipc, ret);
}
