/* transit_record: the bytes of the log of mail in transit (doc/queue.md, *Mail in transit*). A segment is a
 * header block and then records, in groups that begin on a multiple of the block. Whoever sends mail chooses
 * what is inside a record, so every sum is keyed with a random key, and covers which use of the segment this
 * is: neither content nor what an older use left behind is ever taken for a record. */
#ifndef FMT_TRANSIT_RECORD_H
#define FMT_TRANSIT_RECORD_H

#include "base/buf.h"

enum {
    TRANSIT_BLOCK = 4096, /* no block with records that last is written again */
    TRANSIT_HEADER_SIZE = 40,
    TRANSIT_RECORD_HEADER_SIZE = 64,
    TRANSIT_CONTENT_MAX = 256 << 10,
    TRANSIT_PAYLOAD_MAX = TRANSIT_CONTENT_MAX + (32 << 10) /* bytes of site, envelope and content */
};

struct transit_header {
    unsigned version; /* 3 is what is written; doc/queue.md */
    uint64_t key[2];
    uint64_t generation; /* rises each time a segment is emptied */
};

void transit_header_format(const struct transit_header *h, unsigned char ret[TRANSIT_HEADER_SIZE]);
/* RC_INVALID: no header, or a torn one: the segment holds nothing. RC_PERM: one of a later version. */
MUST_USE enum rc transit_header_parse(str bytes, struct transit_header *ret);

struct transit_record {
    enum {
        TRANSIT_PUT = 1,
        TRANSIT_GONE
    } kind; /* gone: the message of this number is no more, or elsewhere */
    int64_t number;
    int64_t file; /* the content's spool file; 0: it is here */
    str site;     /* where it goes */
    str envelope, content;
};

/* Appends a record but for its content and what follows that. It is sealed when it has its place. */
void transit_record_begin(struct buf *out, const uint64_t key[2], const struct transit_record *r);
/* head: what transit_record_begin appended. It is the record of this sequence in its segment, counted from 0.
 */
void transit_record_seal(char *head, const struct transit_header *h, uint32_t sequence);
/* The zeros that follow the content. */
size_t transit_record_pad(const struct transit_record *r);
/* Appends a whole one. */
void transit_record_put(struct buf *out, const struct transit_header *h, uint32_t sequence,
                        const struct transit_record *r);
size_t transit_record_size(const struct transit_record *r);

/* A walk over a segment's records. */
struct transit_walk {
    str segment; /* from its first byte */
    struct transit_header header;
    size_t at;
    uint32_t sequence;
};
/* As transit_header_parse. */
MUST_USE enum rc transit_walk_begin(struct transit_walk *w, str segment);
/* Next record, views into the segment. RC_GONE: no more; a torn one ends the walk, as what follows was never
 * acknowledged. */
MUST_USE enum rc transit_walk_next(struct transit_walk *w, struct transit_record *ret);

#endif
