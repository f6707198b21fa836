/* http_url: addresses of documents, http: and https: (RFC 9110 §4.2, RFC 3986). Pure. */
#ifndef FMT_HTTP_URL_H
#define FMT_HTTP_URL_H

#include "base/buf.h"

struct http_url { /* views of the text */
    bool tls;
    str user_info; /* as it stands in front of "@", encoded; may be empty */
    str host;      /* without the brackets of an IPv6 address */
    int port;
    str path; /* with the query; may be empty, which means "/" */
};

/* RC_INVALID: it is no such address, or has a fragment or a character that may not stand in one. */
MUST_USE enum rc http_url_parse(str text, struct http_url *ret);

/* Percent-decodes (RFC 3986 §2.1). RC_INVALID: a "%" without two hexadecimal digits, or a NUL. */
MUST_USE enum rc http_url_decode(str text, struct buf *out);
/* Percent-encodes all but unreserved characters: for a part of a query or a field of a form. */
void http_url_encode(struct buf *out, str text);

#endif
