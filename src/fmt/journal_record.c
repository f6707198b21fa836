/* Segment headers and records of the delivery journal. Numbers are little-endian. */
#include "fmt/journal_record.h"

#include "base/enc.h"
#include "base/map.h"
#include "base/num.h"
#include "os/crypto.h"

enum { MAGIC_SIZE = 8, VERSION_AT = 6, VERSION = 2, HEADER_SUMMED = 48, RECORD_SUMMED = 40 };

static const char header_magic[MAGIC_SIZE] = {'m', 'a', 'l', 'l', 'e', 'j', '0' + VERSION, '\n'};
static const uint32_t record_magic = 0x4a6c616d, void_magic = 0x566c616d; /* "malJ", "malV" */

enum rc journal_boot_parse(str text, struct journal_boot *ret)
{
    struct buf digits = BUF_INIT(64), bytes = BUF_INIT(sizeof ret->id);
    text = str_trim(text);
    for (int part = 0; part < 5; part++)
        buf_puts(&digits, str_take(&text, '-'));
    enum rc rc =
        text.n == 0 && digits.n == 2 * sizeof ret->id ? enc_hex_decode(&bytes, buf_str(&digits)) : RC_INVALID;
    if (rc == RC_OK)
        memcpy(ret->id, bytes.p, sizeof ret->id);
    buf_deinit(&digits);
    buf_deinit(&bytes);
    return rc == RC_OK ? RC_OK : RC_INVALID;
}

void journal_header_format(const struct journal_header *h, unsigned char ret[JOURNAL_HEADER_SIZE])
{
    memcpy(ret, header_magic, MAGIC_SIZE);
    memcpy(ret + 8, h->boot.id, sizeof h->boot.id);
    num_put_le(ret + 24, 8, h->key[0]);
    num_put_le(ret + 32, 8, h->key[1]);
    num_put_le(ret + 40, 8, h->generation);
    num_put_le(ret + HEADER_SUMMED, 8, map_siphash(h->key, str_mem(ret, HEADER_SUMMED)));
}

enum rc journal_header_parse(str bytes, struct journal_header *ret)
{
    struct journal_header h;
    if (bytes.n < JOURNAL_HEADER_SIZE || memcmp(bytes.p, header_magic, VERSION_AT) != 0 ||
        bytes.p[VERSION_AT] < '1')
        return RC_INVALID;
    h.version = (unsigned)(bytes.p[VERSION_AT] - '0');
    memcpy(h.boot.id, bytes.p + 8, sizeof h.boot.id);
    h.key[0] = num_get_le(bytes.p + 24, 8);
    h.key[1] = num_get_le(bytes.p + 32, 8);
    h.generation = num_get_le(bytes.p + 40, 8);
    if (num_get_le(bytes.p + HEADER_SUMMED, 8) != map_siphash(h.key, str_sub(bytes, 0, HEADER_SUMMED)))
        return RC_INVALID;
    if (h.version > VERSION)
        return RC_PERM;
    *ret = h;
    return RC_OK;
}

/* --- records --- */

struct lengths {
    size_t path, base, content;
};

static struct lengths lengths_of(const char *record)
{
    return (struct lengths){.path = (size_t)num_get_le(record + 24, 2),
                            .base = (size_t)num_get_le(record + 26, 2),
                            .content = (size_t)num_get_le(record + 28, 4)};
}

static size_t payload_size(struct lengths n)
{
    return n.path + n.base + n.content;
}

void journal_record_begin(struct buf *out, usec time, str path, str base)
{
    static const char zeros[JOURNAL_RECORD_HEADER_SIZE];
    must(out->n == 0 && path.n > 0 && path.n <= JOURNAL_PATH_MAX && base.n > 0 && base.n <= JOURNAL_BASE_MAX);
    buf_put(out, zeros, sizeof zeros);
    buf_puts(out, path);
    buf_puts(out, base);
    if (out->overflow)
        return;
    num_put_le(out->p, 4, record_magic);
    num_put_le(out->p + 16, 8, (uint64_t)time);
    num_put_le(out->p + 24, 2, path.n);
    num_put_le(out->p + 26, 2, base.n);
}

void journal_record_end(struct buf *out, const uint64_t key[2])
{
    static const char zeros[JOURNAL_RECORD_PAD];
    if (out->overflow)
        return;
    struct lengths n = lengths_of(out->p);
    size_t head = JOURNAL_RECORD_HEADER_SIZE + n.path + n.base;
    must(out->n >= head);
    num_put_le(out->p + 28, 4, out->n - head);
    num_put_le(out->p + 32, 8, crypto_sum(key, str_from(buf_str(out), JOURNAL_RECORD_HEADER_SIZE), STR_NONE));
    buf_put(out, zeros, -out->n % sizeof zeros);
}

void journal_record_void(struct buf *record, const uint64_t key[2])
{
    struct lengths n = lengths_of(record->p);
    num_put_le(record->p, 4, void_magic);
    buf_truncate(record, JOURNAL_RECORD_HEADER_SIZE + n.path + n.base);
    journal_record_end(record, key);
}

str journal_record_content(str record)
{
    struct lengths n = lengths_of(record.p);
    return str_sub(record, JOURNAL_RECORD_HEADER_SIZE + n.path + n.base, n.content);
}

void journal_record_place(char *record, const struct journal_header *h, uint32_t sequence)
{
    num_put_le(record + 4, 4, sequence);
    num_put_le(record + 8, 8, h->generation);
    num_put_le(record + RECORD_SUMMED, 8, map_siphash(h->key, str_mem(record, RECORD_SUMMED)));
}

enum rc journal_walk_begin(struct journal_walk *w, str segment)
{
    *w = (struct journal_walk){.segment = segment, .at = JOURNAL_BLOCK};
    return journal_header_parse(segment, &w->header);
}

static bool is_path(str path)
{
    if (path.n == 0 || path.n > JOURNAL_PATH_MAX || str_chr(path, '\0') >= 0 || path.p[path.n - 1] == '/')
        return false;
    while (path.n) {
        str part = str_take(&path, '/');
        if (part.n == 0 || str_eq(part, S(".")) || str_eq(part, S("..")))
            return false;
    }
    return true;
}

static bool is_base(str base)
{
    return base.n > 0 && base.n <= JOURNAL_BASE_MAX && base.p[0] != '.' && str_chr(base, '/') < 0 &&
           str_chr(base, ':') < 0 && str_chr(base, '\0') < 0;
}

static uint64_t payload_sum(const struct journal_header *h, str payload)
{
    return h->version == 1 ? map_siphash(h->key, payload) : crypto_sum(h->key, payload, STR_NONE);
}

/* The record at w->at. Its header is looked at first: only with the right sum are its lengths believed. */
static enum rc record_at(const struct journal_walk *w, struct journal_record *ret, size_t *ret_size)
{
    str rest = str_from(w->segment, w->at);
    if (rest.n < JOURNAL_RECORD_HEADER_SIZE || num_get_le(rest.p + 4, 4) != w->sequence ||
        num_get_le(rest.p + 8, 8) != w->header.generation ||
        num_get_le(rest.p + RECORD_SUMMED, 8) != map_siphash(w->header.key, str_sub(rest, 0, RECORD_SUMMED)))
        return RC_INVALID;
    uint64_t magic = num_get_le(rest.p, 4);
    struct lengths n = lengths_of(rest.p);
    str payload = str_from(rest, JOURNAL_RECORD_HEADER_SIZE);
    if (payload.n < payload_size(n))
        return RC_INVALID;
    payload = str_sub(payload, 0, payload_size(n));
    if (num_get_le(rest.p + 32, 8) != payload_sum(&w->header, payload))
        return RC_INVALID;
    struct journal_record r = {.time = (usec)num_get_le(rest.p + 16, 8),
                               .path = str_sub(payload, 0, n.path),
                               .base = str_sub(payload, n.path, n.base),
                               .content = str_from(payload, n.path + n.base),
                               .is_void = magic == void_magic};
    if ((magic != record_magic && magic != void_magic) || !is_path(r.path) || !is_base(r.base))
        return RC_INVALID;
    *ret = r;
    *ret_size = JOURNAL_RECORD_HEADER_SIZE + payload.n + -payload.n % JOURNAL_RECORD_PAD;
    return RC_OK;
}

enum rc journal_walk_next(struct journal_walk *w, struct journal_record *ret)
{
    size_t size, block = (w->at + JOURNAL_BLOCK - 1) / JOURNAL_BLOCK * JOURNAL_BLOCK;
    enum rc rc = record_at(w, ret, &size);
    if (rc != RC_OK && block != w->at) { /* the end of a group */
        w->at = block;
        rc = record_at(w, ret, &size);
    }
    if (rc != RC_OK)
        return RC_GONE;
    w->at += size;
    w->sequence++;
    return RC_OK;
}
