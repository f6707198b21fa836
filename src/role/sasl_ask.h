/* sasl_ask: one SASL exchange with auth, for the roles whose clients log in without a session.
 *
 * auth keeps an exchange's state with the channel, so *channel is held for as long as the exchange lasts: it
 * is NULL before, and again once the answer is anything but AUTH_CONTINUE. Who gives up calls
 * channel_release(channel, true). */
#ifndef ROLE_SASL_ASK_H
#define ROLE_SASL_ASK_H

#include "account/auth_result.h"
#include "os/channel.h"

struct sasl_question {
    str service;   /* at most 32 bytes */
    str mechanism; /* at most 32 bytes */
    bool has_initial;
    str initial;             /* decoded, at most SASL_RESPONSE_MAX */
    str client_address;      /* at most 64 bytes */
    bool secured;            /* passwords may be shown */
    str exporter, end_point; /* channel bindings, or empty */
    str certified_name;      /* of the client's certificate, with EXTERNAL */
    str session_id;          /* at most 64 bytes */
};

/* Views into the buffer of the call, until it is used again. */
struct sasl_answer {
    enum auth_result result;
    str data;    /* a challenge, or with AUTH_OK the last data; decoded */
    str account; /* AUTH_OK: who logged in; when it failed, the name that was given, perhaps empty */
    str reason;  /* AUTH_FAIL and AUTH_TEMP: for the log */
};

/* ipc: room for messages (IPC_MAX), which the caller wipes. An exchange that is open is dropped. */
void sasl_ask_start(struct channel_pool *auth, struct channel **channel, struct buf *ipc,
                    const struct sasl_question *q, struct sasl_answer *ret);
void sasl_ask_step(struct channel **channel, struct buf *ipc, str response, struct sasl_answer *ret);

#endif
