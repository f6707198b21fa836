/* smtp_tls_report: counts how TLS with the servers of a domain went (RFC 8460). */
#ifndef ROLE_SMTP_TLS_REPORT_H
#define ROLE_SMTP_TLS_REPORT_H

#include "fmt/tlsrpt.h"
#include "role/smtp_site.h"

/* Of a host with which no session was tried, because of TLS. */
void smtp_tls_report(struct smtp_worker *w, const struct smtp_site *s, str host, enum tlsrpt_result result);
/* An attempt to open a session: client, or NULL and why not. What failed for other reasons than TLS is not
 * counted. */
void smtp_tls_report_session(struct smtp_worker *w, const struct smtp_site *s, str host,
                             const struct smtp_client *client, const struct smtp_client_failure *failure);

#endif
