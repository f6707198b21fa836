/* mysql_host: where a server of MySQL is and how it is talked to, from the settings of mysql_table(5) and of
 * dovecot-sql.conf.ext. All lies in the arena. Pure. */
#ifndef TABLE_MYSQL_HOST_H
#define TABLE_MYSQL_HOST_H

#include "base/arena.h"
#include "base/str.h"

enum { MYSQL_SETTINGS_ARENA = 256 << 10 };

struct mysql_host {
    const char *host;   /* NULL with a socket */
    unsigned int port;  /* 0: the usual one */
    const char *socket; /* NULL: over the network, but "localhost" is a socket of the usual place */
};

struct mysql_settings { /* NULL: not set */
    const char *user, *password, *dbname;
    const char *ca_file, *ca_dir, *cert, *key, *ciphers;
    bool verify; /* the name in the server's certificate */
};

/* Postfix's unix:/path, inet:host:port, host:port, host. RC_INVALID. */
MUST_USE enum rc mysql_host_parse(str text, struct arena *a, struct mysql_host *ret);

/* Dovecot's connect = host=x port=y user=... with as many hosts as it says. A value may stand in single
 * quotes, with backslashes before quotes and backslashes in it. RC_PERM with *e filled. */
MUST_USE enum rc mysql_connect_parse(str text, struct arena *a, struct mysql_host *ret_hosts, size_t max,
                                     size_t *ret_n, struct mysql_settings *ret, struct err *e);

#endif
