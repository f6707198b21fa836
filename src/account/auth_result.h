/* auth_result: how a step of a log-in ended, as auth tells it to the roles that speak to clients
 * (AUTH_REPLY). */
#ifndef ACCOUNT_AUTH_RESULT_H
#define ACCOUNT_AUTH_RESULT_H

enum auth_result {
    AUTH_CONTINUE, /* a challenge for the client */
    AUTH_OK,       /* logged in; there may be final data for the client */
    AUTH_FAIL,     /* wrong, already delayed; also malformed responses and accounts that may not log in */
    AUTH_TEMP      /* could not be checked now */
};

#endif
