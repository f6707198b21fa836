/* stream: a buffered byte stream over a socket, with deadlines, and TLS switched on under way.
 *
 * Straight-line code for one session: calls block until done or until the deadline. The descriptor is
 * non-blocking underneath and waits in poll(), so a deadline always holds, in TLS too. One thread uses a
 * stream at a time. Writes are gathered and leave in one piece at stream_flush (TCP_NODELAY is set: a batch
 * of replies is one segment). Limits: the input buffer never grows past the size given at creation. */
#ifndef OS_STREAM_H
#define OS_STREAM_H

#include "base/buf.h"
#include "base/clock.h"

struct stream;
struct tls_server;

enum tls_trust { /* a client's view of the server's certificate, in Postfix's words */
                 TLS_UNTRUSTED,
                 TLS_TRUSTED, /* issued by a known CA; for whom was not looked at or is not as it should be */
                 TLS_VERIFIED /* as tls_client_params.verify asks: CA and name, or TLSA record */
};

/* Why a server is not verified, in the classes of RFC 8460 §4.3. */
enum tls_fault {
    TLS_FAULT_NONE,
    TLS_FAULT_HANDSHAKE, /* no common version or cipher, a broken peer, time ran out */
    TLS_FAULT_HOST_MISMATCH,
    TLS_FAULT_EXPIRED,
    TLS_FAULT_NOT_TRUSTED,
    TLS_FAULT_NO_TLSA_MATCH,
    TLS_FAULT_NO_USABLE_TLSA
};

struct tls_ccert { /* what a client showed */
    bool present, trusted;
    char subject[256], issuer[256]; /* their common names, "" when there is none */
    char why[100];                  /* it is not trusted */
};

struct tls_info;
/* Who a client is by its certificate: the common name, when it is trusted; STR_NONE otherwise, and without
 * TLS (NULL). */
str tls_certified_name(const struct tls_info *tls);

struct tls_info {        /* of an established connection; strings live as long as the stream */
    str version, cipher; /* "TLSv1.3", "TLS_AES_256_GCM_SHA384" */
    int bits, alg_bits;
    str sni;
    bool resumed;
    const struct tls_ccert *ccert; /* NULL: nobody asked for one */
    /* of a client's connection */
    enum tls_trust trust;
    enum tls_fault fault; /* TLS_FAULT_NONE: nobody asked for more than `trust` says */
    str trust_text; /* by what it is verified: "TLSA 3 1 1", "certificate of mx.example"; or why it is not */
};

/* Takes ownership of fd. in_max: bytes of input that may wait unread, also the longest line. */
struct stream *stream_new(int fd, size_t in_max);
struct stream *
stream_free(struct stream *s); /* closes; sends a TLS close_notify when it fits; accepts NULL */
void stream_freep(struct stream **s);
/* Frees the stream alone and gives its descriptor back: somebody else goes on there. Nothing may be buffered;
 * not with TLS or DEFLATE. */
int stream_detach(struct stream *s);
int stream_fd(const struct stream *s);

/* All time limits are absolute clock_mono() instants; every call below fails with RC_TEMP once it has passed.
 * A new stream has none. */
#define STREAM_NO_DEADLINE INT64_MAX
void stream_set_deadline(struct stream *s, msec deadline);
/* While a peer sends or reads too slowly to make sense, RC_TEMP: fewer than min_bytes in every period_ms (0:
 * off). */
void stream_set_min_rate(struct stream *s, size_t min_bytes, msec period_ms);

/* The client may show a certificate in the handshake that follows; tls_info has what it is worth. */
void stream_ask_certificate(struct stream *s);
/* Server handshake. Input that arrived before it is discarded by the caller's rule: refuse when
 * stream_buffered() > 0 (RFC 3207 §4.2), or this call drops it. RC_GONE/RC_INVALID: the handshake failed, e
 * says why (for the log). */
MUST_USE enum rc stream_start_tls(struct stream *s, struct tls_server *tls, struct err *e);
bool stream_is_tls(const struct stream *s);
const struct tls_info *stream_tls_info(const struct stream *s); /* NULL without TLS */
/* "AB:CD:...": the fingerprint of the other side's certificate, or of its public key, by a digest such as
 * "sha256". RC_GONE: there is none, or no such digest. */
MUST_USE enum rc stream_tls_fingerprint(struct stream *s, const char *digest, bool of_key, struct buf *out);
/* Channel-binding data: RFC 9266 tls-exporter (32 bytes) and RFC 5929 tls-server-end-point. RC_GONE without
 * TLS. */
MUST_USE enum rc stream_tls_exporter(struct stream *s, struct buf *out);
MUST_USE enum rc stream_tls_end_point(struct stream *s, struct buf *out);

enum line_end { LINE_CRLF, LINE_LF };
/* The next line without its line end; the view is valid until the next read call. RC_LIMIT: longer than max;
 * the rest of that line is discarded at the next call. RC_GONE: the peer closed (an unfinished line is
 * dropped). */
MUST_USE enum rc stream_read_line(struct stream *s, size_t max, str *ret, enum line_end *ret_end);
/* At least one byte of input, as a view of everything buffered; stream_consume takes it. RC_GONE at the end.
 */
MUST_USE enum rc stream_read(struct stream *s, str *ret);
void stream_consume(struct stream *s, size_t n);
size_t stream_buffered(const struct stream *s);
/* Puts bytes back in front of the input. RC_LIMIT: the buffer has no room. */
MUST_USE enum rc stream_unread(struct stream *s, str bytes);
/* Whether input can be read without waiting (buffered, or waiting in the kernel or in TLS). */
bool stream_readable(struct stream *s);
/* Waits until input is there or another descriptor is readable: RC_OK and *ret_other. */
MUST_USE enum rc stream_wait(struct stream *s, int other_fd, bool *ret_other);

/* Gathers; sends by itself past 16 KiB. A failed connection is remembered and reported by stream_flush. */
void stream_write(struct stream *s, str bytes);
void stream_printf(struct stream *s, const char *fmt, ...) PRINTF(2, 3);
MUST_USE enum rc stream_flush(struct stream *s);
/* Whether a few KiB go without waiting, or the connection is known to have failed. */
bool stream_writable(const struct stream *s);

/* From here on both directions are raw DEFLATE (RFC 1951): for IMAP's COMPRESS, on a stream whose output is
 * flushed. Input that came already is compressed, too. Not for a pump. RC_LIMIT: too much of it came. */
MUST_USE enum rc stream_start_deflate(struct stream *s);
bool stream_is_deflated(const struct stream *s);

/* Bytes so far, without those of TLS; compressed ones as they go over the wire. */
struct stream_traffic {
    uint64_t in, out;
};
struct stream_traffic stream_traffic(const struct stream *s);

/* --- for a pump that multiplexes many connections (role login) --- */
/* Non-blocking forms: RC_OK with *ret_n >= 1, RC_TEMP would block (*ret_wants: POLLIN or POLLOUT), RC_GONE
 * closed. */
MUST_USE enum rc stream_try_read(struct stream *s, char *p, size_t n, size_t *ret_n, short *ret_wants);
MUST_USE enum rc stream_try_write(struct stream *s, const char *p, size_t n, size_t *ret_n, short *ret_wants);
/* After RC_TEMP from stream_try_write the next call must begin with the same bytes and bring at least as
 * many: part of them may already be encrypted. */
/* No more output will come: sends what TLS needs for that, and half-closes the socket. */
void stream_end(struct stream *s);
/* Gives back the buffers while the connection idles. */
void stream_release_buffers(struct stream *s);

#endif
