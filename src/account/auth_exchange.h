/* auth_exchange: the inside of a SASL exchange, shared by auth_session.c and auth_scram.c. */
#ifndef ACCOUNT_AUTH_EXCHANGE_H
#define ACCOUNT_AUTH_EXCHANGE_H

#include "account/auth_session.h"

enum auth_state { SASL_FRESH, SASL_WAIT_1, SASL_WAIT_2, SASL_ENDED };

struct auth_session {
    struct auth *auth;
    const struct account_lookup *lookup;
    struct buf client_ip, service, exporter, end_point, certified_name;
    bool secured;
    enum auth_state state;
    enum sasl_mech mech;
    struct buf name; /* as the client gave it */
    struct auth_outcome outcome;
    /* SCRAM */
    struct buf transcript; /* client-first-bare "," server-first */
    struct buf nonce;      /* the client's and ours */
    struct buf header;     /* what c= must hold: the gs2 header and the binding's bytes */
    struct scram_keys keys;
    char account[ADDRESS_MAX + 1]; /* "": the keys are made up */
    bool wrong_authzid;
};

/* Ends the exchange with what outcome says. */
enum auth_result auth_end(struct auth_session *s);
/* Ends it with RC_INVALID. */
enum auth_result auth_refuse(struct auth_session *s, int code, const char *enhanced, const char *text);
enum auth_result auth_broken(struct auth_session *s);
/* Takes the name that the client gave, or that of its certificate. */
void auth_take_name(struct auth_session *s, str name);
/* Whether the authorization identity is empty or the same as who logs in. */
bool auth_authzid_fits(str authzid, str name, str account);

enum auth_result auth_scram_first(struct auth_session *s, str message, msec now, struct buf *ret_data);
enum auth_result auth_scram_final(struct auth_session *s, str message, msec now, struct buf *ret_data);

/* A message with a token. One that is refused: the challenge says why, and whatever the client answers to it,
 * it is over (RFC 7628 §3.2.3). */
enum auth_result auth_token(struct auth_session *s, str message, msec now, struct buf *ret_data);

#endif
