/* conn: a load generator's connection to a server, with or without TLS: whole writes, lines, and IMAP's
 * responses. What fails ends the program: a generator measures servers that work. */
#ifndef BENCH_CONN_H
#define BENCH_CONN_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct conn {
    int fd; /* -1: closed */
    SSL *ssl;
    char in[16384];
    size_t n, at; /* of in: filled, and read */
    size_t bytes; /* received so far */
};

void conn_open(struct conn *c, const char *host, int port);
void conn_start_tls(struct conn *c);
void conn_close(struct conn *c);

void conn_write(struct conn *c, const char *p, size_t n);
void conn_printf(struct conn *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One line without its line end, cut to size - 1 bytes. */
const char *conn_line(struct conn *c, char *line, size_t size);
/* One response of IMAP with its literals, which are read and dropped (RFC 9051 §4.3); its first line as
 * above. */
const char *conn_response(struct conn *c, char *line, size_t size);

#endif
