/* fetch_binary: see fetch_binary.h. Encoded text is brought into its CRLF form first, then decoded, so that
 * line ends that are data stay as they are. */
#include "imap/fetch_binary.h"

#include "fmt/transfer.h"

enum { SLICE = 16 * 1024, SLICE_MAX = 4 * SLICE };

struct binary {
    struct imap_session *s;
    struct fetch_message *m;
    const struct mime_part *part; /* NULL: the whole message, as it is */
    str raw;
    uint64_t skip, left; /* of the bytes to send */
};

/* Counting: how many bytes there are, and whether NUL is among them. */
struct measure {
    uint64_t size;
    bool has_nul;
};

static void measure_chunk(struct measure *m, str chunk)
{
    m->size += chunk.n;
    m->has_nul = m->has_nul || (chunk.n && memchr(chunk.p, '\0', chunk.n));
}

static enum rc send_chunk(struct binary *b, str chunk)
{
    size_t skip = b->skip < chunk.n ? (size_t)b->skip : chunk.n;
    b->skip -= skip;
    chunk = str_from(chunk, skip);
    if (chunk.n > b->left)
        chunk.n = (size_t)b->left;
    b->left -= chunk.n;
    fetch_put(b->s, chunk);
    return fetch_sent(b->s, b->m, chunk.n);
}

/* Decodes all of it, for `measure` when that is not NULL, else to the client. */
static enum rc each_chunk(struct binary *b, struct measure *measure)
{
    AUTO(buf_deinit) struct buf crlf = BUF_INIT(SLICE_MAX);
    AUTO(buf_deinit) struct buf out = BUF_INIT(SLICE_MAX);
    struct crlf_state ends = {0};
    struct transfer_decoder decoder;
    enum rc rc = RC_OK;
    transfer_init(&decoder, b->part ? transfer_encoding_find(b->part->encoding) : TRANSFER_IDENTITY);
    for (size_t at = 0; rc == RC_OK; at += SLICE) {
        bool last = at >= b->raw.n;
        buf_reset(&crlf);
        buf_reset(&out);
        crlf_encode(&ends, &crlf, str_sub(b->raw, at, SLICE));
        transfer_feed(&decoder, &out, buf_str(&crlf));
        if (last)
            transfer_finish(&decoder, &out);
        must(!crlf.overflow && !out.overflow);
        if (measure)
            measure_chunk(measure, buf_str(&out));
        else
            rc = send_chunk(b, buf_str(&out));
        if (last)
            break;
    }
    return rc;
}

/* What the section is cut from; false when there is none. */
static bool find(struct binary *b, const struct fetch_section *sec)
{
    b->raw = b->m->content.raw;
    if (sec->n_path == 0)
        return true;
    b->part = mime_find(fetch_message_tree(b->m), sec->path, sec->n_path);
    if (b->part)
        b->raw = str_sub(b->raw, b->part->body.start, b->part->body.end - b->part->body.start);
    return b->part != NULL;
}

/* literal8 where there is a NUL, and a literal anywhere else (RFC 3516 §4.2) */
static enum rc put_bytes(struct binary *b, const struct fetch_section *sec, const struct measure *measure)
{
    b->left = measure->size;
    if (sec->partial) {
        b->skip = sec->offset < measure->size ? sec->offset : measure->size;
        b->left = measure->size - b->skip < sec->length ? measure->size - b->skip : sec->length;
    }
    b->s->sent.bodies++;
    b->s->sent.body_bytes += b->left;
    buf_puts(&b->s->out, measure->has_nul ? S("~{") : S("{"));
    buf_put_u64(&b->s->out, b->left);
    buf_puts(&b->s->out, S("}\r\n"));
    return each_chunk(b, NULL);
}

enum rc fetch_binary_put(struct imap_session *s, struct fetch_message *m, const struct fetch_section *sec)
{
    struct binary b = {.s = s, .m = m};
    struct measure measure = {0};
    bool size_only = sec->form == FETCH_FORM_BINARY_SIZE, found = find(&b, sec);
    bool known = !b.part || transfer_encoding_known(b.part->encoding);
    if (!found || !known) {
        buf_puts(&s->out, size_only ? S("0") : S("NIL"));
        return found ? RC_PERM : RC_OK;
    }
    enum rc rc = each_chunk(&b, &measure);
    must(rc == RC_OK);
    if (!size_only)
        return put_bytes(&b, sec, &measure);
    buf_put_u64(&s->out, measure.size);
    return RC_OK;
}
