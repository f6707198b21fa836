/* json_read: reads a JSON text (RFC 8259) into a tree in an arena. Pure. Strict: no comments, no trailing
 * commas, nothing behind the value, strings are UTF-8; and names in an object are unique (RFC 7519 §4), so
 * that no two readers of a token differ in what they see. */
#ifndef FMT_JSON_READ_H
#define FMT_JSON_READ_H

#include "base/arena.h"

enum {
    JSON_DEPTH_MAX = 16,   /* arrays and objects in each other */
    JSON_MEMBERS_MAX = 256 /* of one array or object */
};

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_value {
    enum json_kind kind;
    bool yes;                              /* of JSON_BOOL */
    str text;                              /* the string, decoded; of a number its digits as they stand */
    str name;                              /* of a member of an object */
    const struct json_value *first, *next; /* the members, and what follows in the same array or object */
};

/* All lies in the arena or in the text. RC_INVALID: this is no JSON, or a name is there twice; RC_LIMIT: too
 * deep, too many, or the arena is exhausted. */
MUST_USE enum rc json_read(str text, struct arena *a, const struct json_value **ret);

/* NULL: it is no object, or has no such member. */
const struct json_value *json_find(const struct json_value *object, str name);
/* A member that is a string; STR_NONE: there is none. */
str json_find_text(const struct json_value *object, str name);
/* A member that is a number of seconds, whose fraction is cut off: what dates in tokens are (RFC 7519 §2); or
 * the same as a string, which some servers write. RC_GONE: it is not there; RC_INVALID: it is something else,
 * negative, or beyond 2^53. */
MUST_USE enum rc json_find_seconds(const struct json_value *object, str name, int64_t *ret);

#endif
