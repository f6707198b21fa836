/* headscan: a small machine over header lines; values are skipped with memchr, but for few fields.
 *
 *   state   at                      goes on
 *   BOL     the start of a line     LF: done; space or tab: VALUE (folding, RFC 5322 §2.2.3); else NAME
 *   NAME    inside a field's name   ":" counts the field: VALUE; LF or a control: no header, done; space: GAP
 *   GAP     spaces before the ":"   ":" as NAME (RFC 5322 §4.5); anything else: no header, done
 *   VALUE   up to the line end      LF: BOL */
#include "fmt/headscan.h"

#include "fmt/smtp_cmd.h"

enum { BOL, NAME, GAP, VALUE };
enum { OTHER, MESSAGE_ID, TLS_REQUIRED, MT_PRIORITY, SUBJECT, FROM }; /* fields of which the value counts */

void headscan_init(struct headscan *h)
{
    *h = (struct headscan){.state = BOL};
}

static void begin_text(struct headscan *h, int field, struct headscan_text *text)
{
    h->field = text->found ? OTHER : field;
    text->found = true;
}

static void count_field(struct headscan *h)
{
    str name = str_mem(h->name, h->name_n);
    h->fields++;
    h->field = OTHER;
    h->value_n = 0;
    if (str_eq(name, S("received"))) {
        h->received++;
    } else if (str_eq(name, S("delivered-to"))) {
        h->delivered_to++;
    } else if (str_eq(name, S("date"))) {
        h->has_date = true;
    } else if (str_eq(name, S("from"))) {
        h->has_from = true;
        begin_text(h, FROM, &h->from);
    } else if (str_eq(name, S("subject"))) {
        begin_text(h, SUBJECT, &h->subject);
    } else if (str_eq(name, S("to")) || str_eq(name, S("cc"))) {
        h->has_to = true;
    } else if (str_eq(name, S("message-id"))) {
        h->field = h->has_message_id ? OTHER : MESSAGE_ID;
        h->has_message_id = true;
    } else if (str_eq(name, S("tls-required"))) {
        h->field = h->has_tls_required ? OTHER : TLS_REQUIRED;
        h->has_tls_required = true;
    } else if (str_eq(name, S("mt-priority"))) {
        h->field = h->has_mt_priority ? OTHER : MT_PRIORITY;
        if (h->has_mt_priority) /* only a single one counts (RFC 6758 §3.1) */
            h->priority_valid = false;
        h->has_mt_priority = true;
    }
}

static void keep_text(struct headscan_text *text, str part)
{
    for (size_t i = 0; i < part.n && text->n < sizeof text->p; i++)
        if (part.p[i] != '\r')
            text->p[text->n++] = part.p[i];
}

static struct headscan_text *text_of(struct headscan *h)
{
    return h->field == FROM ? &h->from : h->field == SUBJECT ? &h->subject : NULL;
}

static void begin_line(struct headscan *h, char c)
{
    if (c == '\n') {
        h->done = true;
        return;
    }
    if ((c == ' ' || c == '\t') && h->fields) {
        h->state = VALUE;
        if (text_of(h)) /* the fold */
            keep_text(text_of(h), S(" "));
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

static void keep(str part, char *room, size_t size, size_t *n)
{
    for (size_t i = 0; i < part.n && *n < size; i++)
        if (part.p[i] != ' ' && part.p[i] != '\t' && part.p[i] != '\r')
            room[(*n)++] = part.p[i];
}

/* The value may come in pieces: the last look at it counts. A priority may have a comment behind it (RFC 6758
 * §4). */
static void keep_value(struct headscan *h, str part)
{
    if (text_of(h)) {
        keep_text(text_of(h), part);
        return;
    }
    if (h->field == MESSAGE_ID) {
        keep(part, h->message_id, sizeof h->message_id, &h->message_id_n);
        return;
    }
    keep(part, h->value, sizeof h->value, &h->value_n);
    str rest = str_mem(h->value, h->value_n);
    if (h->field == TLS_REQUIRED)
        h->tls_required_no = str_ieq(rest, S("no"));
    else
        h->priority_valid = smtp_cmd_parse_priority(str_take(&rest, '('), &h->priority) == RC_OK;
}

/* Skips to the end of the line or of the input: returns the bytes taken. */
static size_t feed_value(struct headscan *h, str bytes)
{
    ptrdiff_t lf = str_chr(bytes, '\n');
    size_t n = lf < 0 ? bytes.n : (size_t)lf;
    if (h->field != OTHER)
        keep_value(h, str_sub(bytes, 0, n));
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
