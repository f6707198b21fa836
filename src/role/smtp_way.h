/* smtp_way: how connections to other servers leave this machine, as settings and tables say. */
#ifndef ROLE_SMTP_WAY_H
#define ROLE_SMTP_WAY_H

#include "net/dial.h"
#include "role/smtp_impl.h"

/* Reads smtp_socks5_password_file, before the sandbox; ends the process when it is not user:password. */
void smtp_way_read_password(struct smtp_role *s);

/* smtp_bind_address and smtp_bind_address6. */
void smtp_way_from_settings(const struct conf *c, struct dial_way *ret);
/* The addresses from which mail of a sender leaves ("" for the empty one). RC_TEMP with e: the table cannot
 * say, or says something else than addresses: the mail waits. */
MUST_USE enum rc smtp_way_find_source(const struct smtp_role *s, const struct conf *c, str sender,
                                      struct arena *a, struct dial_way *ret, struct err *e);
/* The proxy, when there is one; *ret is otherwise left alone. RC_TEMP with e: its name is not found. */
MUST_USE enum rc smtp_way_find_proxy(const struct smtp_role *s, const struct conf *c, struct dial_way *ret,
                                     struct err *e);
/* Where it comes from alone. */
bool smtp_way_same_source(const struct dial_way *a, const struct dial_way *b);

#endif
