/* headscan: a small machine over header lines; values are skipped with memchr, but for Message-ID.
 *
 *   state   at                      goes on
 *   BOL     the start of a line     LF: done; space or tab: VALUE (folding, RFC 5322 §2.2.3); else NAME
 *   NAME    inside a field's name   ":" counts the field: VALUE; LF or a control: no header, done; space: GAP
 *   GAP     spaces before the ":"   ":" as NAME (RFC 5322 §4.5); anything else: no header, done
 *   VALUE   up to the line end      LF: BOL */
#include "fmt/headscan.h"

enum { BOL, NAME, GAP, VALUE };

void headscan_init(struct headscan *h)
{
    *h = (struct headscan){.state = BOL};
}

static void count_field(struct headscan *h)
{
    str name = str_mem(h->name, h->name_n);
    h->fields++;
    h->in_message_id = false;
    if (str_eq(name, S("received"))) {
        h->received++;
    } else if (str_eq(name, S("delivered-to"))) {
        h->delivered_to++;
    } else if (str_eq(name, S("date"))) {
        h->has_date = true;
    } else if (str_eq(name, S("from"))) {
        h->has_from = true;
    } else if (str_eq(name, S("message-id"))) {
        h->in_message_id = !h->has_message_id;
        h->has_message_id = true;
    }
}

static void begin_line(struct headscan *h, char c)
{
    if (c == '\n') {
        h->done = true;
        return;
    }
    if ((c == ' ' || c == '\t') && h->fields) {
        h->state = VALUE;
        return;
    }
    h->name_n = 0;
    h->state = NAME;
}

static void feed_name(struct headscan *h, char c)
{
    if (c == ':' && h->name_n) {
        count_field(h);
        h->state = VALUE;
    } else if ((c == ' ' || c == '\t') && h->name_n) {
        h->state = GAP;
    } else if (h->state == GAP || (unsigned char)c <= ' ' || c == ':' || c == 0x7f) {
        h->done = true;
    } else if (h->name_n < sizeof h->name) { /* a longer name is none of those looked for */
        h->name[h->name_n++] = ascii_lower(c);
    }
}

static void keep_message_id(struct headscan *h, str part)
{
    for (size_t i = 0; i < part.n && h->message_id_n < sizeof h->message_id; i++)
        if (part.p[i] != ' ' && part.p[i] != '\t')
            h->message_id[h->message_id_n++] = part.p[i];
}

/* Skips to the end of the line or of the input: returns the bytes taken. */
static size_t feed_value(struct headscan *h, str bytes)
{
    ptrdiff_t lf = str_chr(bytes, '\n');
    size_t n = lf < 0 ? bytes.n : (size_t)lf;
    if (h->in_message_id)
        keep_message_id(h, str_sub(bytes, 0, n));
    if (lf < 0)
        return n;
    h->state = BOL;
    return n + 1;
}

void headscan_feed(struct headscan *h, str bytes)
{
    size_t at = 0;
    while (at < bytes.n && !h->done) {
        if (h->state == VALUE) {
            at += feed_value(h, str_from(bytes, at));
            continue;
        }
        char c = bytes.p[at];
        if (h->state == BOL)
            begin_line(h, c);
        if (h->state == NAME || h->state == GAP)
            feed_name(h, c);
        at++;
    }
    h->bytes += at;
}
