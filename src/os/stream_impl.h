/* stream_impl: what the files stream*.c share, and nothing else includes.
 *
 * stream.c owns buffers, lines, deadlines and rates; below it lies a transport of two non-blocking calls,
 * either the bare descriptor or TLS. Results of a transport call: RC_OK with *ret_n >= 1, RC_TEMP would block
 * (*ret_wants says what to poll for), RC_GONE the connection is over. */
#ifndef OS_STREAM_IMPL_H
#define OS_STREAM_IMPL_H

#include "os/stream.h"

struct stream_deflate;
struct stream_tls;

struct stream_rate { /* the peer's least speed; only time spent waiting for the peer counts */
    size_t min_bytes, bytes;
    msec period_ms, waited_ms;
};

struct stream {
    int fd;
    msec deadline;
    struct buf in; /* in.p[pos..n) is unread */
    size_t pos;
    size_t scanned;  /* bytes behind pos that hold no LF */
    bool discarding; /* inside a line that was too long */
    bool pours;      /* more comes at once than READ_CHUNK: all that there is room for is asked for */
    struct buf out;
    enum rc failed; /* RC_OK until a write failed */
    struct stream_rate rate;
    bool asks_certificate;
    struct stream_traffic traffic;
    struct stream_tls *tls;         /* NULL: no TLS */
    struct stream_deflate *deflate; /* NULL: bytes go as they are */
};

/* --- waiting (stream_wait.c) --- */
/* Waits until the descriptor is ready for `events`; RC_TEMP past the deadline or below the least rate. */
MUST_USE enum rc stream_wait_ready(struct stream *s, short events);
/* The same, or until other_fd (-1: none) is readable: *ret_other, which may be NULL. */
MUST_USE enum rc stream_wait_either(struct stream *s, short events, int other_fd, bool *ret_other);

/* The transport itself, below DEFLATE. */
MUST_USE enum rc stream_transport_read(struct stream *s, char *p, size_t n, size_t *ret_n, short *ret_wants);
void stream_send_raw(struct stream *s, str bytes); /* failure is remembered in s->failed */

/* --- DEFLATE (stream_deflate.c) --- */
enum { STREAM_DEFLATE_FIRST_MAX = 16384 };
/* first: input that came already, at most STREAM_DEFLATE_FIRST_MAX bytes. */
struct stream_deflate *stream_deflate_new(str first);
struct stream_deflate *stream_deflate_free(struct stream_deflate *d); /* accepts NULL, returns NULL */
/* As a transport call. */
MUST_USE enum rc stream_deflate_read(struct stream *s, char *p, size_t n, size_t *ret_n, short *ret_wants);
void stream_deflate_write(struct stream *s, str bytes);
void stream_deflate_flush(struct stream *s); /* the peer can read all that was written */

/* --- the TLS transport (stream_tls.c) --- */
MUST_USE enum rc stream_tls_read(struct stream_tls *t, char *p, size_t n, size_t *ret_n, short *ret_wants);
MUST_USE enum rc stream_tls_write(struct stream_tls *t, const char *p, size_t n, size_t *ret_n,
                                  short *ret_wants);
/* Sends close_notify when the connection is in order and the socket takes it now. */
void stream_tls_close_write(struct stream_tls *t);
struct stream_tls *stream_tls_free(struct stream_tls *t);

#endif
