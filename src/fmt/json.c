/* JSON writer.
 *
 *   string  = DQUOTE *char DQUOTE                          ; RFC 8259 §7
 *   char    = unescaped / "\" ( DQUOTE / "\" / "n" / "r" / "t" / "u" 4HEXDIG )
 *   object  = "{" [ member *( "," member ) ] "}"            ; RFC 8259 §4 */
#include "fmt/json.h"

#include "base/utf8.h"

void json_quote(struct buf *out, str s)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < s.n;) {
        uint32_t cp = 0xfffd;
        size_t n = utf8_decode(str_from(s, i), &cp);
        if (cp == '"' || cp == '\\')
            buf_printf(out, "\\%c", (char)cp);
        else if (cp == '\n' || cp == '\r' || cp == '\t')
            buf_puts(out, cp == '\n' ? S("\\n") : cp == '\r' ? S("\\r") : S("\\t"));
        else if (cp < 0x20)
            buf_printf(out, "\\u%04x", (unsigned)cp);
        else
            utf8_put(out, n ? cp : 0xfffd);
        i += n ? n : 1;
    }
    buf_putc(out, '"');
}

static void begin_value(struct json *j, const char *key)
{
    if (j->comma)
        buf_putc(j->out, ',');
    if (key) {
        json_quote(j->out, str_c(key));
        buf_putc(j->out, ':');
    }
    j->comma = true;
}

static void open_container(struct json *j, const char *key, char bracket)
{
    begin_value(j, key);
    buf_putc(j->out, bracket);
    j->comma = false;
}

static void close_container(struct json *j, char bracket)
{
    buf_putc(j->out, bracket);
    j->comma = true;
}

void json_open_object(struct json *j, const char *key)
{
    open_container(j, key, '{');
}

void json_close_object(struct json *j)
{
    close_container(j, '}');
}

void json_open_array(struct json *j, const char *key)
{
    open_container(j, key, '[');
}

void json_close_array(struct json *j)
{
    close_container(j, ']');
}

void json_put_str(struct json *j, const char *key, str value)
{
    begin_value(j, key);
    json_quote(j->out, value);
}

void json_put_int(struct json *j, const char *key, int64_t value)
{
    begin_value(j, key);
    buf_printf(j->out, "%lld", (long long)value);
}

void json_put_bool(struct json *j, const char *key, bool value)
{
    begin_value(j, key);
    buf_puts(j->out, value ? S("true") : S("false"));
}

void json_put_null(struct json *j, const char *key)
{
    begin_value(j, key);
    buf_puts(j->out, S("null"));
}
