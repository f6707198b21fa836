/* smtp_reply: one reply of an SMTP or LMTP server, of one or many lines (RFC 5321 §4.2), with its enhanced
 * status code (RFC 2034 §4, RFC 3463 §2).
 *
 * Pure and resumable at every byte. Lenient where servers differ (the last line's code counts, LF ends a line
 * too, overlong lines are cut), strict where a reply could be mistaken: a line that does not begin with a
 * reply code is no reply. */
#ifndef FMT_SMTP_REPLY_H
#define FMT_SMTP_REPLY_H

#include "base/str.h"

enum {
    SMTP_REPLY_LINE_MAX = 8192, /* bytes of a line that are looked at: RFC 5321 §4.5.3.1.5 says 512, a SASL
                                   challenge may be longer (RFC 4954 §4) */
    SMTP_REPLY_LINES_MAX = 500,
    SMTP_REPLY_BYTES_MAX = 65536, /* of the whole reply */
    SMTP_REPLY_SAID_MAX = 1000    /* bytes kept for people */
};

/* Changes a line of *n bytes, without its end, in its room of SMTP_REPLY_LINE_MAX. False: it cannot be said
 * what the line is to be. */
typedef bool smtp_reply_filter(void *ctx, char *line, size_t *n);

struct smtp_reply {            /* zero it before each reply */
    smtp_reply_filter *filter; /* of each line, before it counts; may be NULL */
    void *filter_ctx;
    int code;          /* of the last line so far */
    char enhanced[12]; /* "5.1.1"; "": none */
    unsigned lines;
    str text; /* the last whole line behind its code, enhanced status included; a view until the next call */
    /* All lines as they came, codes included, joined by a space as Postfix logs them: printable UTF-8, cut at
     * its maximum. Complete at the end only. With RC_INVALID it ends with the line that is no reply. */
    size_t said_n;
    char said[SMTP_REPLY_SAID_MAX];
    /* of the line under way */
    size_t bytes, line_n;
    char line[SMTP_REPLY_LINE_MAX];
};

enum smtp_reply_event {
    SMTP_REPLY_MORE, /* all input was taken, and the reply goes on */
    SMTP_REPLY_LINE, /* a line ended, and another one follows */
    SMTP_REPLY_DONE, /* the last line ended */
    SMTP_REPLY_BAD   /* RC_INVALID or RC_LIMIT is what is wrong; no more can be read */
};

/* Takes *ret_taken bytes of in, at most up to the end of a line. *ret_rc tells with SMTP_REPLY_BAD:
 * RC_INVALID (not a reply), RC_LIMIT (too many lines or bytes). */
enum smtp_reply_event smtp_reply_feed(struct smtp_reply *r, str in, size_t *ret_taken, enum rc *ret_rc);

/* status-code = class "." subject "." detail at the front of text, followed by a space or the end, of the
 * class that goes with the reply code. false: there is none. */
bool smtp_reply_enhanced(str text, int code, char ret[12]);

#endif
