/* http_response: an answer to a request over HTTP/1.1 (RFC 9112) as a client reads it. Pure; for answers that
 * are small enough to be parsed anew whenever more of them has come. */
#ifndef FMT_HTTP_RESPONSE_H
#define FMT_HTTP_RESPONSE_H

#include "base/buf.h"

enum { HTTP_HEAD_MAX = 16384 };

struct http_response {
    int status;       /* 200 to 599: interim answers (1xx) are skipped */
    str content_type; /* "text/plain"; without parameters; view of the bytes, empty when not given */
};

/* bytes: all that has come; ended: and nothing more will. *body, created with the most that it
 * may have, is the body then. RC_OK: all is there; RC_TEMP: more has to come; RC_INVALID: this is no answer
 * of HTTP/1.1, or ends too early; RC_LIMIT: its head or body is too long. */
MUST_USE enum rc http_response_parse(str bytes, bool ended, struct buf *body, struct http_response *ret);

#endif
