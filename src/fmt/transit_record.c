/* Numbers are little-endian. A record's header:
 *
 *     0 magic, 4 kind, 8 number, 16 file, 24 bytes of the envelope, 28 bytes of the content, 32 sequence,
 *     36 bytes of the site, 40 the sum of bytes 4 to 40 and of what follows: the site, the envelope, the
 *     content, zeros up to a multiple of 8 */
#include "fmt/transit_record.h"

#include "base/map.h"
#include "base/num.h"
#include "os/crypto.h"

enum { MAGIC_SIZE = 8, VERSION_AT = 6, VERSION = 2, HEADER_SUMMED = 32, PAD = 8, SUM_AT = 40 };

static const char header_magic[MAGIC_SIZE] = {'m', 'a', 'l', 'l', 'e', 't', '0' + VERSION, '\n'};
static const uint32_t record_magic = 0x546c616d; /* "malT" */

void transit_header_format(const struct transit_header *h, unsigned char ret[TRANSIT_HEADER_SIZE])
{
    memcpy(ret, header_magic, MAGIC_SIZE);
    num_put_le(ret + 8, 8, h->key[0]);
    num_put_le(ret + 16, 8, h->key[1]);
    num_put_le(ret + 24, 8, h->generation);
    num_put_le(ret + HEADER_SUMMED, 8, map_siphash(h->key, str_mem(ret, HEADER_SUMMED)));
}

enum rc transit_header_parse(str bytes, struct transit_header *ret)
{
    struct transit_header h;
    if (bytes.n < TRANSIT_HEADER_SIZE || memcmp(bytes.p, header_magic, VERSION_AT) != 0)
        return RC_INVALID;
    h.version = (unsigned)(bytes.p[VERSION_AT] - '0');
    if (h.version < 1 || h.version > VERSION)
        return RC_INVALID;
    h.key[0] = num_get_le(bytes.p + 8, 8);
    h.key[1] = num_get_le(bytes.p + 16, 8);
    h.generation = num_get_le(bytes.p + 24, 8);
    if (num_get_le(bytes.p + HEADER_SUMMED, 8) != map_siphash(h.key, str_sub(bytes, 0, HEADER_SUMMED)))
        return RC_INVALID;
    *ret = h;
    return RC_OK;
}

/* --- records --- */

static size_t padded(size_t payload)
{
    return TRANSIT_RECORD_HEADER_SIZE + payload + (-payload & (PAD - 1));
}

size_t transit_record_size(const struct transit_record *r)
{
    return padded(r->site.n + r->envelope.n + r->content.n);
}

/* Of a whole record, with its padding, at its place. */
static uint64_t sum_of(const struct transit_header *h, str record)
{
    uint64_t head = map_siphash(h->key, str_mem(record.p + 4, SUM_AT - 4));
    uint64_t key[2] = {h->key[0] ^ head, h->key[1]};
    str payload = str_from(record, TRANSIT_RECORD_HEADER_SIZE);
    return h->version == 1 ? map_siphash(key, payload) : crypto_sum(key, payload);
}

void transit_record_put(struct buf *out, const struct transit_header *h, uint32_t sequence,
                        const struct transit_record *r)
{
    static const char zeros[TRANSIT_RECORD_HEADER_SIZE];
    size_t at = out->n, size = transit_record_size(r);
    must(size <= TRANSIT_RECORD_HEADER_SIZE + TRANSIT_PAYLOAD_MAX);
    buf_put(out, zeros, sizeof zeros);
    buf_puts(out, r->site);
    buf_puts(out, r->envelope);
    buf_puts(out, r->content);
    buf_put(out, zeros, at + size - out->n);
    if (out->overflow)
        return;
    char *p = out->p + at;
    num_put_le(p, 4, record_magic);
    num_put_le(p + 4, 4, r->kind);
    num_put_le(p + 8, 8, (uint64_t)r->number);
    num_put_le(p + 16, 8, (uint64_t)r->file);
    num_put_le(p + 24, 4, r->envelope.n);
    num_put_le(p + 28, 4, r->content.n);
    num_put_le(p + 32, 4, sequence);
    num_put_le(p + 36, 4, r->site.n);
    num_put_le(p + SUM_AT, 8, sum_of(h, str_mem(p, size)));
}

enum rc transit_walk_begin(struct transit_walk *w, str segment)
{
    *w = (struct transit_walk){.segment = segment, .at = TRANSIT_BLOCK};
    return transit_header_parse(segment, &w->header);
}

/* A record of this sequence at the walk's place; its size, or 0. */
static size_t parse_record(const struct transit_walk *w, struct transit_record *ret)
{
    str rest = str_from(w->segment, w->at < w->segment.n ? w->at : w->segment.n);
    if (rest.n < TRANSIT_RECORD_HEADER_SIZE || num_get_le(rest.p, 4) != record_magic)
        return 0;
    size_t site = num_get_le(rest.p + 36, 4), envelope = num_get_le(rest.p + 24, 4),
           content = num_get_le(rest.p + 28, 4);
    uint64_t kind = num_get_le(rest.p + 4, 4);
    if (site > TRANSIT_PAYLOAD_MAX || envelope > TRANSIT_PAYLOAD_MAX - site ||
        content > TRANSIT_PAYLOAD_MAX - site - envelope)
        return 0;
    size_t size = padded(site + envelope + content);
    if (size > rest.n || (kind != TRANSIT_PUT && kind != TRANSIT_GONE) ||
        num_get_le(rest.p + 32, 4) != w->sequence ||
        num_get_le(rest.p + SUM_AT, 8) != sum_of(&w->header, str_sub(rest, 0, size)))
        return 0;
    str payload = str_from(rest, TRANSIT_RECORD_HEADER_SIZE);
    *ret = (struct transit_record){.kind = kind == TRANSIT_PUT ? TRANSIT_PUT : TRANSIT_GONE,
                                   .number = (int64_t)num_get_le(rest.p + 8, 8),
                                   .file = (int64_t)num_get_le(rest.p + 16, 8),
                                   .site = str_sub(payload, 0, site),
                                   .envelope = str_sub(payload, site, envelope),
                                   .content = str_sub(payload, site + envelope, content)};
    return size;
}

enum rc transit_walk_next(struct transit_walk *w, struct transit_record *ret)
{
    size_t size = parse_record(w, ret);
    if (size == 0 && w->at % TRANSIT_BLOCK != 0) { /* the next group */
        w->at += TRANSIT_BLOCK - w->at % TRANSIT_BLOCK;
        size = parse_record(w, ret);
    }
    if (size == 0)
        return RC_GONE;
    w->at += size;
    w->sequence++;
    return RC_OK;
}
