/* access_result: the right-hand sides of access(5), which policy servers answer with, too.
 *
 *   result = action [ white text ] / digit3 white text / digits / restrictions
 *
 * The text of an action that refuses may begin with an enhanced status code (RFC 3463). Actions are compared
 * without case. Pure; all results are views. */
#ifndef FMT_ACCESS_RESULT_H
#define FMT_ACCESS_RESULT_H

#include "base/str.h"

enum access_action {
    ACCESS_OK,    /* also RELAY, and digits alone, even those of a reply code */
    ACCESS_DUNNO, /* as if nothing had been found */
    ACCESS_REJECT,
    ACCESS_DEFER,
    ACCESS_CODE, /* 4yz or 5yz: `code` */
    ACCESS_DEFER_IF_PERMIT,
    ACCESS_DEFER_IF_REJECT,
    ACCESS_DISCARD,
    ACCESS_HOLD,
    ACCESS_BCC,
    ACCESS_REDIRECT,
    ACCESS_PREPEND,
    ACCESS_FILTER,
    ACCESS_INFO,
    ACCESS_WARN,
    ACCESS_LIST /* restrictions: `text` is all of it, maybe empty */
};

struct access_result {
    enum access_action action;
    int code;          /* of ACCESS_CODE */
    char enhanced[12]; /* of those that refuse: what the text began with; else "" */
    str text;
};

void access_result_parse(str value, struct access_result *ret);

/* status = ("2" / "4" / "5") "." 1*3DIGIT "." 1*3DIGIT, at the beginning of a text and followed by its end or
 * white space: its bytes, 0 when there is none. */
size_t access_status_size(str text);

#endif
