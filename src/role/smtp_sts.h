/* smtp_sts: the MTA-STS policies of domains (RFC 8461): fetched over HTTPS when mail goes to a domain that
 * announces one, remembered here and by queue, and fetched again before they expire and when the domain
 * announces another. Thread-safe.
 *
 * A policy that was fetched once stays in force until it expires, whatever the DNS says later: that is what
 * protects from somebody in between. One that never could be fetched counts as none (RFC 8461 §3.3). */
#ifndef ROLE_SMTP_STS_H
#define ROLE_SMTP_STS_H

#include "fmt/mta_sts.h"
#include "role/smtp_impl.h"

struct smtp_sts;

struct smtp_sts *smtp_sts_new(struct smtp_role *server);
/* The thread that fetches policies again. */
void smtp_sts_start(struct smtp_sts *s);
/* The policy in force at a domain, its texts in the arena. False: none. May take as long as an answer over
 * HTTPS may. */
bool smtp_sts_find(struct smtp_sts *s, const struct conf *c, str domain, struct arena *a,
                   struct mta_sts_policy *ret);

#endif
