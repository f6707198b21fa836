/* json: writes JSON (RFC 8259) into a buf, with the commas in the right places.
 * A struct json starts as {.out = &buf}. The key is NULL in arrays and for the outermost value. Bytes that
 * are no UTF-8 are written as U+FFFD. Check out->overflow at the end. */
#ifndef FMT_JSON_H
#define FMT_JSON_H

#include "base/buf.h"

struct json {
    struct buf *out;
    bool comma; /* the next value follows another one */
};

void json_open_object(struct json *j, const char *key);
void json_close_object(struct json *j);
void json_open_array(struct json *j, const char *key);
void json_close_array(struct json *j);
void json_put_str(struct json *j, const char *key, str value);
void json_put_int(struct json *j, const char *key, int64_t value);
void json_put_bool(struct json *j, const char *key, bool value);
void json_put_null(struct json *j, const char *key);

/* A quoted JSON string alone. */
void json_quote(struct buf *out, str s);

#endif
