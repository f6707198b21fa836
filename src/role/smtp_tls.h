/* smtp_tls: TLS as a client, by the certificate that other servers see: one for the mail of all transports,
 * and one for each that has certificates of its own. */
#ifndef ROLE_SMTP_TLS_H
#define ROLE_SMTP_TLS_H

#include "os/tls_client.h"
#include "role/role.h"

struct smtp_tls;

/* From r->keys, before the sandbox; ends the process when something is unusable. */
struct smtp_tls *smtp_tls_new(const struct role *r);

/* The one for mail that leaves by this transport. only_1_3: it speaks nothing older. */
struct tls_client *smtp_tls_find(const struct smtp_tls *t, str transport, bool only_1_3);
/* The one for servers that are asked for something else than to take mail: it shows no certificate. */
struct tls_client *smtp_tls_of_nobody(const struct smtp_tls *t);

#endif
