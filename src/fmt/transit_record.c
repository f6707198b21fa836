/* Numbers are little-endian. A record's header:
 *
 *     0 magic, 4 kind, 8 number, 16 file, 24 bytes of the envelope, 28 bytes of the content, 32 sequence,
 *     36 bytes of the site, 40 generation, 48 the sum of the site, the envelope and the content, 56 the sum
 * of bytes 0 to 56; zeros follow the content up to a multiple of 8
 *
 * Before version 3 it ended with the sum at 40, of bytes 4 to 40 and of all that followed. */
#include "fmt/transit_record.h"

#include "base/map.h"
#include "base/num.h"
#include "os/crypto.h"

enum { MAGIC_SIZE = 8, VERSION_AT = 6, VERSION = 3, HEADER_SUMMED = 32, PAD = 8 };
enum { GENERATION_AT = 40, PAYLOAD_SUM_AT = 48, SUM_AT = 56 };
enum { OLD_HEADER_SIZE = 48, OLD_SUM_AT = 40 };

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
    if (bytes.n < TRANSIT_HEADER_SIZE || memcmp(bytes.p, header_magic, VERSION_AT) != 0 ||
        bytes.p[VERSION_AT] < '1')
        return RC_INVALID;
    h.version = (unsigned)(bytes.p[VERSION_AT] - '0');
    h.key[0] = num_get_le(bytes.p + 8, 8);
    h.key[1] = num_get_le(bytes.p + 16, 8);
    h.generation = num_get_le(bytes.p + 24, 8);
    if (num_get_le(bytes.p + HEADER_SUMMED, 8) != map_siphash(h.key, str_sub(bytes, 0, HEADER_SUMMED)))
        return RC_INVALID;
    if (h.version > VERSION)
        return RC_PERM;
    *ret = h;
    return RC_OK;
}

/* --- records --- */

static size_t payload_of(const struct transit_record *r)
{
    return r->site.n + r->envelope.n + r->content.n;
}

size_t transit_record_pad(const struct transit_record *r)
{
    return -payload_of(r) & (PAD - 1);
}

size_t transit_record_size(const struct transit_record *r)
{
    return TRANSIT_RECORD_HEADER_SIZE + payload_of(r) + transit_record_pad(r);
}

void transit_record_begin(struct buf *out, const uint64_t key[2], const struct transit_record *r)
{
    static const char zeros[TRANSIT_RECORD_HEADER_SIZE];
    size_t at = out->n;
    must(payload_of(r) <= TRANSIT_PAYLOAD_MAX);
    buf_put(out, zeros, sizeof zeros);
    buf_puts(out, r->site);
    buf_puts(out, r->envelope);
    if (out->overflow)
        return;
    char *p = out->p + at;
    num_put_le(p, 4, record_magic);
    num_put_le(p + 4, 4, r->kind);
    num_put_le(p + 8, 8, (uint64_t)r->number);
    num_put_le(p + 16, 8, (uint64_t)r->file);
    num_put_le(p + 24, 4, r->envelope.n);
    num_put_le(p + 28, 4, r->content.n);
    num_put_le(p + 36, 4, r->site.n);
    str head = str_from(buf_str(out), at + TRANSIT_RECORD_HEADER_SIZE);
    num_put_le(p + PAYLOAD_SUM_AT, 8, crypto_sum(key, head, r->content));
}

void transit_record_seal(char *head, const struct transit_header *h, uint32_t sequence)
{
    num_put_le(head + 32, 4, sequence);
    num_put_le(head + GENERATION_AT, 8, h->generation);
    num_put_le(head + SUM_AT, 8, map_siphash(h->key, str_mem(head, SUM_AT)));
}

void transit_record_put(struct buf *out, const struct transit_header *h, uint32_t sequence,
                        const struct transit_record *r)
{
    static const char zeros[PAD];
    size_t at = out->n;
    transit_record_begin(out, h->key, r);
    buf_puts(out, r->content);
    buf_put(out, zeros, transit_record_pad(r));
    if (!out->overflow)
        transit_record_seal(out->p + at, h, sequence);
}

enum rc transit_walk_begin(struct transit_walk *w, str segment)
{
    *w = (struct transit_walk){.segment = segment, .at = TRANSIT_BLOCK};
    return transit_header_parse(segment, &w->header);
}

/* Of a whole record, as versions before 3 have it. */
static uint64_t old_sum(const struct transit_header *h, str record)
{
    uint64_t head = map_siphash(h->key, str_mem(record.p + 4, OLD_SUM_AT - 4));
    uint64_t key[2] = {h->key[0] ^ head, h->key[1]};
    str payload = str_from(record, OLD_HEADER_SIZE);
    return h->version == 1 ? map_siphash(key, payload) : crypto_sum(key, payload, STR_NONE);
}

static bool sums_are_right(const struct transit_header *h, str record, str payload)
{
    if (h->version < 3)
        return num_get_le(record.p + OLD_SUM_AT, 8) == old_sum(h, record);
    return num_get_le(record.p + GENERATION_AT, 8) == h->generation &&
           num_get_le(record.p + SUM_AT, 8) == map_siphash(h->key, str_mem(record.p, SUM_AT)) &&
           num_get_le(record.p + PAYLOAD_SUM_AT, 8) == crypto_sum(h->key, payload, STR_NONE);
}

/* A record of this sequence at the walk's place; its size, or 0. */
static size_t parse_record(const struct transit_walk *w, struct transit_record *ret)
{
    size_t head = w->header.version < 3 ? OLD_HEADER_SIZE : TRANSIT_RECORD_HEADER_SIZE;
    str rest = str_from(w->segment, w->at < w->segment.n ? w->at : w->segment.n);
    if (rest.n < head || num_get_le(rest.p, 4) != record_magic)
        return 0;
    size_t site = num_get_le(rest.p + 36, 4), envelope = num_get_le(rest.p + 24, 4),
           content = num_get_le(rest.p + 28, 4);
    uint64_t kind = num_get_le(rest.p + 4, 4);
    if (site > TRANSIT_PAYLOAD_MAX || envelope > TRANSIT_PAYLOAD_MAX - site ||
        content > TRANSIT_PAYLOAD_MAX - site - envelope)
        return 0;
    size_t n = site + envelope + content, size = head + n + (-n & (PAD - 1));
    if (size > rest.n || (kind != TRANSIT_PUT && kind != TRANSIT_GONE) ||
        num_get_le(rest.p + 32, 4) != w->sequence)
        return 0;
    str payload = str_sub(rest, head, n);
    if (!sums_are_right(&w->header, str_sub(rest, 0, size), payload))
        return 0;
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
