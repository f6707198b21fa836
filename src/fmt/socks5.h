/* socks5: the messages of a client of a SOCKS proxy, version 5 (RFC 1928), with user name and password (RFC
 * 1929). Pure. What the proxy says is read to the byte, since the server's own words follow at once: the
 * parsers tell how many more bytes they need. */
#ifndef FMT_SOCKS5_H
#define FMT_SOCKS5_H

#include "base/buf.h"

enum {
    SOCKS5_PORT = 1080,
    SOCKS5_WORD_MAX = 255, /* of a user name, and of a password */
    SOCKS5_REPLY_MAX = 262 /* bytes of the longest message of a proxy */
};

enum socks5_method { SOCKS5_NO_LOGIN = 0, SOCKS5_PASSWORD = 2, SOCKS5_NO_METHOD = 0xff };

/* --- what is sent --- */
void socks5_put_greeting(struct buf *out, bool has_password);
void socks5_put_login(struct buf *out, str user, str password);  /* 1 to SOCKS5_WORD_MAX bytes each */
void socks5_put_connect(struct buf *out, str address, int port); /* address: its 4 or 16 bytes */

/* --- what comes --- */
/* Each: RC_OK: bytes is the whole message; RC_TEMP: *ret_missing more bytes are needed at least; RC_INVALID:
 * malformed. bytes never has more than was asked for, beginning with none. */
typedef enum rc socks5_parser(str bytes, size_t *ret_missing, unsigned *ret);
MUST_USE socks5_parser socks5_parse_method;   /* enum socks5_method */
MUST_USE socks5_parser socks5_parse_login;    /* 0: accepted */
MUST_USE socks5_parser socks5_parse_reply;    /* 0: connected */
const char *socks5_reply_text(unsigned code); /* "connection refused" */

#endif
