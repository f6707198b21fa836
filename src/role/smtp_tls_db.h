/* smtp_tls_db: asks queue to remember what is known of TLS at other domains (queue/tls_db.h), since smtp
 * reaches no files. Whatever fails is logged; mail goes on without it. */
#ifndef ROLE_SMTP_TLS_DB_H
#define ROLE_SMTP_TLS_DB_H

#include "os/channel.h"
#include "queue/tls_db.h"

/* The policy of a domain; of "" the one that is to be fetched again first. False: none is known. */
bool smtp_tls_db_find(struct channel_pool *queue, str domain, struct arena *a, struct tls_db_policy *ret);
void smtp_tls_db_keep(struct channel_pool *queue, const struct tls_db_policy *p);
/* One session more of today. */
void smtp_tls_db_count(struct channel_pool *queue, str domain, enum tlsrpt_policy policy,
                       enum tlsrpt_result result, str host);

#endif
