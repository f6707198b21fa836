/* downgrade: a message for a server without 8BITMIME (RFC 6152 §3, RFC 2045 §6): every leaf part that is not
 * 7bit is encoded as quoted-printable (text) or base64 (all else), and its Content-Transfer-Encoding says so.
 *
 * Two passes over the same bytes in LF form, each in any pieces, in bounded memory:
 *
 *     downgrade_init(&d);
 *     for each piece: downgrade_scan(&d, piece);
 *     downgrade_scan_end(&d);
 *     if (d.report.needed && !d.report.impossible)
 *         for each piece: downgrade_convert(&d, piece, &out), send and reset out;
 *         downgrade_convert_end(&d, &out);
 *     downgrade_deinit(&d);
 *
 * With `binary` set behind downgrade_init, the input is binary content (RFC 3030 §3) with CRLF line ends: an
 * LF without CR in a part that is not encoded is data, and the part becomes base64, which keeps every byte.
 *
 * "Not 7bit" is: a byte beyond ASCII, a NUL, a CR that is not part of a line end, a line over 998 bytes. Line
 * ends are CRLF on the wire and are encoded as such in base64. A multipart and message/rfc822 are descended
 * into, with the limits of fmt/mime; message/global is a leaf here (RFC 6532 §3.7 lets it be encoded). Leaf
 * parts that are encoded already and still hold such bytes are repaired: what decoders ignore is dropped,
 * what they take as it is gets encoded. Text around the parts, which nobody reads, has "?" in their place.
 * Header fields cannot be converted and pass as they are; the report tells of them.
 *
 * The result is 7bit with lines of at most 998 bytes, but for headers that the report names, and decodes to
 * the same parts. */
#ifndef FMT_DOWNGRADE_H
#define FMT_DOWNGRADE_H

#include "fmt/mime_walk.h"

struct downgrade_report {
    bool needed;        /* converting changes something */
    bool header_8bit;   /* a header has bytes beyond ASCII, a NUL, or a CR that is not part of a line end */
    bool header_long;   /* a line of a header has more than 998 bytes */
    bool breaks_signed; /* something in a multipart/signed changes: its signature will not verify */
    bool impossible; /* a part is not 7bit and has an encoding that nobody here knows; it passes as it is */
    uint64_t converted; /* parts that are encoded or repaired */
};

struct downgrade {
    bool binary;
    struct downgrade_report report; /* whole after downgrade_scan_end */
    struct mime_walk walk;
    struct buf plan; /* a byte for each part: what becomes of it */
    struct buf *out; /* of the convert under way */
    size_t column;   /* of the line under way, in or out */
    bool open_line;  /* the last line put has no line end yet */
    bool dirty;      /* the part under way is not 7bit */
    bool has_field;  /* a Content-Transfer-Encoding was put in the header under way */
    bool dropping;   /* the field under way is left out */
    char held;       /* quoted-printable: a byte that the next one decides about, or NUL */
    unsigned escape; /* quoted-printable under repair: bytes until the escape under way is over */
    char group[57];  /* base64: what makes one line */
    size_t group_n;
};

void downgrade_init(struct downgrade *d);
void downgrade_deinit(struct downgrade *d);
void downgrade_scan(struct downgrade *d, str piece);
void downgrade_scan_end(struct downgrade *d);
/* Appends at most 8 bytes for each of the piece and 1 MiB: out->max should allow for that. */
void downgrade_convert(struct downgrade *d, str piece, struct buf *out);
void downgrade_convert_end(struct downgrade *d, struct buf *out);

#endif
