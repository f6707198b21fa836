/* stream_deflate: DEFLATE (RFC 1951) between a stream's buffers and its transport, as IMAP's COMPRESS wants
 * it (RFC 4978): raw, without zlib's header. Input is inflated into the room that the stream gives, so what a
 * small input grows to is held back by the stream's own limit; output is brought to a byte boundary at each
 * flush. */
#include "os/stream_impl.h"

#include <zlib.h>

enum { WIRE_MAX = STREAM_DEFLATE_FIRST_MAX, RAW_WINDOW = -15, MEMORY_LEVEL = 8, SPEED_LEVEL = 3 };

struct stream_deflate {
    z_stream in, out;
    unsigned char wire[WIRE_MAX]; /* compressed input that is not inflated yet */
    bool dirty;                   /* output was given that no flush has completed */
    bool ended;
};

struct stream_deflate *stream_deflate_new(str first)
{
    struct stream_deflate *d = calloc(1, sizeof *d);
    must(d && first.n <= sizeof d->wire);
    int in = inflateInit2(&d->in, RAW_WINDOW);
    int out = deflateInit2(&d->out, SPEED_LEVEL, Z_DEFLATED, RAW_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
    must(in == Z_OK && out == Z_OK); /* they fail for lack of memory alone */
    if (first.n)
        memcpy(d->wire, first.p, first.n);
    d->in.next_in = d->wire;
    d->in.avail_in = (unsigned)first.n;
    return d;
}

struct stream_deflate *stream_deflate_free(struct stream_deflate *d)
{
    if (d) {
        inflateEnd(&d->in);
        deflateEnd(&d->out);
    }
    free(d);
    return NULL;
}

enum rc stream_deflate_read(struct stream *s, char *p, size_t n, size_t *ret_n, short *ret_wants)
{
    struct stream_deflate *d = s->deflate;
    size_t got = 0;
    for (;;) {
        d->in.next_out = (unsigned char *)p;
        d->in.avail_out = n < UINT32_MAX ? (unsigned)n : UINT32_MAX;
        unsigned room = d->in.avail_out;
        int z = d->ended ? Z_STREAM_END : inflate(&d->in, Z_SYNC_FLUSH);
        d->ended = z == Z_STREAM_END;
        if (room > d->in.avail_out) {
            *ret_n = room - d->in.avail_out;
            return RC_OK;
        }
        if (z != Z_OK && z != Z_BUF_ERROR) /* the end of it, or what is no DEFLATE */
            return RC_GONE;
        enum rc rc = stream_transport_read(s, (char *)d->wire, sizeof d->wire, &got, ret_wants);
        if (rc != RC_OK)
            return rc;
        d->in.next_in = d->wire;
        d->in.avail_in = (unsigned)got;
    }
}

static void send_deflated(struct stream *s, str bytes, int flush)
{
    struct stream_deflate *d = s->deflate;
    char wire[WIRE_MAX];
    d->out.next_in = (unsigned char *)(uintptr_t)bytes.p;
    d->out.avail_in = (unsigned)bytes.n;
    do {
        d->out.next_out = (unsigned char *)wire;
        d->out.avail_out = sizeof wire;
        int z = deflate(&d->out, flush);
        must(z == Z_OK || z == Z_BUF_ERROR);
        stream_send_raw(s, str_mem(wire, sizeof wire - d->out.avail_out));
    } while (d->out.avail_out == 0);
}

void stream_deflate_write(struct stream *s, str bytes)
{
    enum { PIECE = 1 << 20 };
    s->deflate->dirty = s->deflate->dirty || bytes.n;
    for (; bytes.n && s->failed == RC_OK; bytes = str_from(bytes, PIECE))
        send_deflated(s, str_sub(bytes, 0, PIECE), Z_NO_FLUSH);
}

void stream_deflate_flush(struct stream *s)
{
    if (s->deflate->dirty && s->failed == RC_OK)
        send_deflated(s, STR_NONE, Z_SYNC_FLUSH);
    s->deflate->dirty = false;
}
