/* socket: listening sockets, accepting, and the text of addresses. */
#ifndef OS_SOCKET_H
#define OS_SOCKET_H

#include "base/str.h"

#include <sys/socket.h>

enum { SOCKET_ADDRESS_MAX = 64, SOCKET_BACKLOG = 4096 };

/* Binds and listens; close-on-exec, blocking. address: "*" (every IPv4 address), "::" (every IPv6 address,
 * IPv6 only), or a literal IPv4 or IPv6 address. RC_PERM: the address is malformed or in use (e says which);
 * RC_GONE: the machine has no such address family. */
MUST_USE enum rc socket_listen_tcp(str address, int port, int *ret_fd, struct err *e);
/* A Unix stream socket at path; an old socket file is replaced. */
MUST_USE enum rc socket_listen_unix(const char *path, unsigned mode, int *ret_fd, struct err *e);
/* Gives the socket file at path to a user and a group, (uid_t)-1 and (gid_t)-1: as it is. Whoever may write
 * the folder could put something else there meanwhile: only a socket is given away, and no link is followed.
 * RC_PERM with e. */
MUST_USE enum rc socket_give_unix(const char *path, uid_t uid, gid_t gid, struct err *e);

/* Connects to the Unix stream socket at path without waiting: close-on-exec, non-blocking, for os/stream.
 * RC_TEMP with e: it is not there, not for us, or its listener is behind with accepting. */
MUST_USE enum rc socket_connect_unix(const char *path, int *ret_fd, struct err *e);
/* The user at the other end of a Unix socket, as the kernel knows it. */
MUST_USE enum rc socket_peer_uid(int fd, uid_t *ret);

/* The next connection, close-on-exec, with TCP_NODELAY. RC_TEMP: nothing now or out of descriptors; RC_GONE:
 * the listening socket is closed or shut down. */
MUST_USE enum rc socket_accept(int listen_fd, int *ret_fd, struct sockaddr_storage *ret_peer);

/* "192.0.2.1", "2001:db8::1"; an IPv4-mapped IPv6 address reads as IPv4; "local" for a Unix socket. */
void socket_address_text(const struct sockaddr_storage *a, char ret[SOCKET_ADDRESS_MAX], int *ret_port);
/* address: IPv4 mapped into IPv6, as in fmt/ip.h. */
void socket_from_ip(const uint8_t address[16], int port, struct sockaddr_storage *ret);
void socket_set_port(struct sockaddr_storage *a, int port); /* of an IPv4 or IPv6 address */
/* The address of this end of a connection. */
void socket_local(int fd, struct sockaddr_storage *ret);
bool socket_is_loopback(const struct sockaddr_storage *a);

/* What counts as one client in limits: an IPv4 address, or an IPv6 /64, which is one customer's network. All
 * its bytes are the key. */
struct socket_client {
    unsigned char family, bytes[8];
};
void socket_client_key(const struct sockaddr_storage *a, struct socket_client *ret);

#endif
