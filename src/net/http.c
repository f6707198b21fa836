#include "net/http.h"

#include "fmt/http_response.h"

/* Whatever has come, parsed anew each time: it is little. */
static enum rc read_answer(struct stream *s, struct buf *bytes, struct buf *body, struct http_response *ret)
{
    for (;;) {
        str more;
        enum rc rc = stream_read(s, &more);
        if (rc != RC_OK && rc != RC_GONE)
            return rc;
        if (rc == RC_OK) {
            buf_puts(bytes, more);
            stream_consume(s, more.n);
        }
        if (bytes->overflow)
            return RC_LIMIT;
        rc = http_response_parse(buf_str(bytes), rc == RC_GONE, body, ret);
        if (rc != RC_TEMP)
            return rc;
    }
}

static void put_field(struct stream *s, const char *name, str value)
{
    if (value.n == 0)
        return;
    stream_printf(s, "%s: ", name);
    stream_write(s, value);
    stream_write(s, S("\r\n"));
}

static void put_request(struct stream *s, const struct http_request *q)
{
    stream_write(s, q->form.n > 0 ? S("POST ") : S("GET "));
    stream_write(s, q->path);
    stream_write(s, S(" HTTP/1.1\r\n"));
    put_field(s, "Host", q->host);
    put_field(s, "User-Agent", S("malle"));
    put_field(s, "Accept", q->accept);
    put_field(s, "Authorization", q->authorization);
    if (q->form.n > 0)
        stream_printf(s, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n",
                      q->form.n);
    stream_write(s, S("Connection: close\r\n\r\n"));
    stream_write(s, q->form);
}

enum rc http_ask(struct stream *s, const struct http_request *q, struct buf *body, struct http_answer *ret,
                 const char **ret_why)
{
    AUTO(buf_wipe) struct buf bytes = BUF_INIT(HTTP_HEAD_MAX + 2 * body->max); /* chunks have heads, too */
    struct http_response answer;
    put_request(s, q);
    enum rc rc = stream_flush(s);
    if (rc == RC_OK)
        rc = read_answer(s, &bytes, body, &answer);
    if (rc == RC_OK) {
        *ret = (struct http_answer){answer.status, str_ieq(answer.content_type, q->accept)};
        return RC_OK;
    }
    *ret_why = rc == RC_TEMP    ? "no answer in time"
               : rc == RC_LIMIT ? "the answer is too long"
                                : "this is no answer of HTTP/1.1";
    return rc == RC_TEMP || rc == RC_LIMIT ? rc : RC_INVALID;
}
