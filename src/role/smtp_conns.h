/* The connections that lie open between two jobs, for whichever worker gets the next job for their place. */
#ifndef ROLE_SMTP_CONNS_H
#define ROLE_SMTP_CONNS_H

#include "role/smtp_impl.h"

struct smtp_conns;

/* max: as many may lie open; another one takes the place of the one that was used longest ago. */
struct smtp_conns *smtp_conns_new(unsigned max);
/* Puts the connection there and leaves none in *c; nothing when there is none. */
void smtp_conns_keep(struct smtp_conns *s, struct smtp_conn *c);
/* The one used last of those that `fits` approves; it is the caller's then. */
bool smtp_conns_find(struct smtp_conns *s, bool (*fits)(const void *ctx, const struct smtp_conn *c),
                     const void *ctx, struct smtp_conn *ret);
/* Says QUIT on those that nobody has used for so long. */
void smtp_conns_expire(struct smtp_conns *s, msec idle);
bool smtp_conns_any(struct smtp_conns *s);

#endif
