/* A message's content in pieces, from LF form in memory or in a file to the form of the wire: with dots
 * doubled (RFC 5321 §4.5.2), or counted for BDAT (RFC 3030 §2), binary content as it is. */
#include "smtp/client_impl.h"

#include <errno.h>
#include <unistd.h>

enum { PIECE = 65536, WIRE_MAX = 2 * PIECE + 16 };

void client_content_init(struct client_content *k, const struct smtp_client_message *m, bool dots)
{
    *k = (struct client_content){.m = m, .dots = dots};
    buf_init(&k->raw, PIECE);
    buf_init(&k->wire, WIRE_MAX);
}

void client_content_deinit(struct client_content *k)
{
    buf_deinit(&k->raw);
    buf_deinit(&k->wire);
}

static void put(struct client_content *k, str raw)
{
    if (k->dots)
        dotstuff_put(&k->dotstuff, &k->wire, raw);
    else
        crlf_encode(&k->crlf, &k->wire, raw);
}

/* A CR that stands alone becomes a space: RFC 5321 §2.3.8 forbids to send it, and servers that take it for a
 * line end would find other ends of the message than this one. A CR before LF is dropped, as the LF brings
 * one. */
static void encode(struct client_content *k, str raw)
{
    if (k->m->content == SMTP_CONTENT_BINARY) {
        buf_puts(&k->wire, raw);
        return;
    }
    for (ptrdiff_t at = 0; raw.n;) {
        if (k->after_cr && raw.p[0] != '\n')
            put(k, S(" "));
        at = str_chr(raw, '\r');
        k->after_cr = at >= 0;
        put(k, str_sub(raw, 0, at < 0 ? raw.n : (size_t)at));
        raw = str_from(raw, at < 0 ? raw.n : (size_t)at + 1);
    }
}

static uint64_t body_bytes(const struct smtp_client_message *m)
{
    return m->fd >= 0 ? m->body_bytes : m->body.n;
}

/* A file that is shorter than it was said to be must not pass for the whole message. */
static enum rc read_file(struct client_content *k, size_t n, str *ret)
{
    buf_reset(&k->raw);
    char *room = buf_room(&k->raw, n);
    must(room);
    while (k->raw.n < n) {
        off_t at = (off_t)(k->m->body_offset + k->body_at + k->raw.n);
        ssize_t got = pread(k->m->fd, room + k->raw.n, n - k->raw.n, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return RC_TEMP;
        buf_added(&k->raw, (size_t)got);
    }
    *ret = buf_str(&k->raw);
    return RC_OK;
}

static enum rc take_body(struct client_content *k, size_t room)
{
    uint64_t left = body_bytes(k->m) - k->body_at;
    size_t n = left < room ? (size_t)left : room;
    if (n == 0)
        return RC_OK;
    str piece = STR_NONE;
    if (k->m->fd < 0)
        piece = str_sub(k->m->body, (size_t)k->body_at, n);
    else if (read_file(k, n, &piece) != RC_OK)
        return RC_TEMP;
    encode(k, piece);
    k->body_at += n;
    return RC_OK;
}

enum rc client_content_next(struct client_content *k, bool *ret_last)
{
    buf_reset(&k->wire);
    str header = str_sub(k->m->header, k->header_at, PIECE);
    encode(k, header);
    k->header_at += header.n;
    enum rc rc = take_body(k, PIECE - header.n);
    if (rc != RC_OK)
        return rc;
    bool last = k->header_at == k->m->header.n && k->body_at == body_bytes(k->m);
    if (last && k->dots)
        dotstuff_finish(&k->dotstuff, &k->wire);
    must(!k->wire.overflow);
    *ret_last = last;
    return RC_OK;
}
