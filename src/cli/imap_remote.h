/* imap_remote: a log-in at another IMAP server. The connection is always encrypted, and the certificate must
 * be one of a known CA for that very host: who cannot be told from somebody else gets no password. */
#ifndef CLI_IMAP_REMOTE_H
#define CLI_IMAP_REMOTE_H

#include "cli/cli.h"
#include "imap/client.h"

struct imap_remote {
    const char *server;  /* HOST or HOST:PORT; 993 without a port, 143 with starttls */
    bool starttls;       /* TLS begins by STARTTLS, else with the connection */
    const char *ca_file; /* PEM; NULL: the CAs of the system */
    const char *user;
    str password;
};

/* response_max: of imap_client_new. NULL after a sentence. */
struct imap_client *imap_remote_open(const struct imap_remote *r, size_t response_max);

#endif
