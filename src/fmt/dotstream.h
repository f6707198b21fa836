/* dotstream: message bytes as SMTP carries them in, content with LF line ends out (RFC 5321 §4.5.2), or with
 * BODY=BINARYMIME as they are (RFC 3030 §3).
 *
 * Resumable at every byte. Two forms: the dot form of DATA, which ends at CRLF "." CRLF and at nothing else,
 * and the counted form of BDAT (RFC 3030), which ends where its caller says. A CR or LF that is not part of
 * CRLF is noted, never taken for a line end of the protocol (smuggling): the caller refuses the message after
 * reading it. */
#ifndef FMT_DOTSTREAM_H
#define FMT_DOTSTREAM_H

#include "base/str.h"

struct dotstream {
    int state;
    bool dots;              /* the dot form */
    bool binary;            /* the counted form, every byte out as it came; no lines are counted */
    bool bare_cr, bare_lf;  /* seen so far */
    uint64_t content_bytes; /* given out, in LF form */
    uint64_t lines;         /* line ends given out */
};

void dotstream_init_dots(struct dotstream *d);
void dotstream_init_counted(struct dotstream *d);
void dotstream_init_binary(struct dotstream *d);
/* Decodes in to out, which has room for in.n + 1 bytes; *ret_out_n says how many were written. Returns how
 * many bytes of in were taken: all of them, unless the message ended there (*ret_end true; later bytes are
 * not the message's). */
size_t dotstream_feed(struct dotstream *d, str in, char *out, size_t *ret_out_n, bool *ret_end);
/* Ends the counted form: a last line without CRLF gets its line end. out has room for 2 bytes; returns bytes
 * written. */
size_t dotstream_finish(struct dotstream *d, char *out);
/* Bytes as the SIZE extension counts them: content with CRLF line ends, without dots added (RFC 1870 §5). */
static inline uint64_t dotstream_crlf_bytes(const struct dotstream *d)
{
    return d->content_bytes + d->lines;
}

#endif
