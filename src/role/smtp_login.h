/* smtp_login: with what name and password to log in at another server (smtp_sasl_password_maps). */
#ifndef ROLE_SMTP_LOGIN_H
#define ROLE_SMTP_LOGIN_H

#include "smtp/client.h"
#include "table/settings.h"

/* Asks with smtp_sender_dependent_authentication for the sender first, then for the next hop as it is
 * written, then for the host. RC_OK: *ret is filled, texts in the arena; RC_GONE: no log-in is wanted;
 * RC_TEMP: it cannot be said, or what the table says is not user:password. */
MUST_USE enum rc smtp_login_find(const struct conf *c, const struct table_settings *t, str sender,
                                 str nexthop, str host, struct arena *a, struct smtp_client_auth *ret,
                                 struct err *e);

/* Whether a connection is of use for the mail of one sender only. */
bool smtp_login_is_personal(const struct conf *c);

#endif
