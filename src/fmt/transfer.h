/* transfer: decoding of Content-Transfer-Encoding (RFC 2045 §6), streaming and tolerant: what is not in the
 * alphabet is skipped (base64, RFC 2045 §6.8) or stays as it is (quoted-printable, §6.7), and the input may
 * be cut anywhere. */
#ifndef FMT_TRANSFER_H
#define FMT_TRANSFER_H

#include "base/buf.h"

enum transfer_encoding { TRANSFER_IDENTITY, TRANSFER_QP, TRANSFER_BASE64 };

/* 7bit, 8bit, binary and unknown names are the identity. */
enum transfer_encoding transfer_encoding_find(str name);

/* Whether RFC 2045 §6.1 knows the name; an empty one stands for 7bit. */
bool transfer_encoding_known(str name);

enum { TRANSFER_HELD_MAX = 200 };

struct transfer_decoder {
    enum transfer_encoding encoding;
    uint32_t bits; /* base64: bits not yet put */
    unsigned bit_count;
    char held[TRANSFER_HELD_MAX]; /* quoted-printable: white space or an escape that the next bytes decide
                                     about */
    size_t held_n;
};

void transfer_init(struct transfer_decoder *d, enum transfer_encoding encoding);
void transfer_feed(struct transfer_decoder *d, struct buf *out, str in);
/* The end of the input: puts what was held back. */
void transfer_finish(struct transfer_decoder *d, struct buf *out);

#endif
