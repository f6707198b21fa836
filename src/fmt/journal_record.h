/* journal_record: the bytes of the delivery journal (doc/storage.md has the tables). A segment is a header
 * block and then records, each one message file. Whoever sends mail chooses what is inside a record, so every
 * sum is keyed with the segment's random key: neither content nor what an older use of the segment left
 * behind is ever taken for a record. */
#ifndef FMT_JOURNAL_RECORD_H
#define FMT_JOURNAL_RECORD_H

#include "base/buf.h"
#include "base/clock.h"

enum {
    JOURNAL_BLOCK =
        4096, /* a group of records starts on a multiple of it: no committed block is written again */
    JOURNAL_HEADER_SIZE = 56, /* bytes used of a segment's first block */
    JOURNAL_RECORD_HEADER_SIZE = 48,
    JOURNAL_RECORD_PAD = 8, /* records are a multiple of it */
    JOURNAL_PATH_MAX = 1024,
    JOURNAL_BASE_MAX = 255,
    JOURNAL_RECORD_MAX = 128 << 10 /* bytes of a whole record */
};

struct journal_boot {
    unsigned char id[16]; /* zeros: none, always another than the running one */
};

struct journal_header {
    unsigned version; /* of the sums of what records hold: 1 SipHash, 2 crypto_sum; 2 is what is written */
    struct journal_boot boot; /* in which the records are written */
    uint64_t key[2];
    uint64_t generation; /* rises each time a segment is emptied */
};

/* The bytes of a random UUID as /proc/sys/kernel/random/boot_id has it. RC_INVALID for anything else. */
MUST_USE enum rc journal_boot_parse(str text, struct journal_boot *ret);

void journal_header_format(const struct journal_header *h, unsigned char ret[JOURNAL_HEADER_SIZE]);
/* RC_INVALID: no header, or a torn one: the segment holds nothing. RC_PERM: one of a later version. */
MUST_USE enum rc journal_header_parse(str bytes, struct journal_header *ret);

struct journal_record {
    usec time; /* the file's mtime */
    str path;  /* the Maildir, below the mail root: no slash at either end, no empty, "." or ".." part */
    str base;  /* the file's name in new/ */
    str content;
    bool is_void; /* takes back an earlier record of this path and base; without content */
};

/* Starts a record in *out (empty, made with JOURNAL_RECORD_MAX); the content is appended by the caller;
 * journal_record_end then closes it. Where the record is to stand is told only when it is written. */
void journal_record_begin(struct buf *out, usec time, str path, str base);
/* Pads to 8 bytes. out->overflow: too large for a record. */
void journal_record_end(struct buf *out, const uint64_t key[2]);
/* Makes of a record that was ended the one that takes it back. */
void journal_record_void(struct buf *record, const uint64_t key[2]);
/* The content of a record that was ended. */
str journal_record_content(str record);
/* Gives a record that was ended its place: the number of records before it in its segment. */
void journal_record_place(char *record, const struct journal_header *h, uint32_t sequence);

/* A walk over a segment's records. */
struct journal_walk {
    str segment; /* from its first byte */
    struct journal_header header;
    size_t at;
    uint32_t sequence;
};
/* As journal_header_parse. */
MUST_USE enum rc journal_walk_begin(struct journal_walk *w, str segment);
/* Next record, views into the segment. RC_GONE: no more; a torn one ends the walk, as what follows was never
 * acknowledged. */
MUST_USE enum rc journal_walk_next(struct journal_walk *w, struct journal_record *ret);

#endif
