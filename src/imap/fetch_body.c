/* fetch_body: cuts sections out of a message; see fetch_body.h. Sections without part numbers need the end of
 * the header only; the tree of parts is made when the first numbered one is asked for. */
#include "imap/fetch_body.h"

#include "fmt/header.h"
#include "fmt/header_common.h"
#include "fmt/imapstring.h"
#include "fmt/preview.h"

enum { FLUSH_EVERY = 1024 * 1024 /* bytes between two looks at whether the client is still there */ };

struct fetch_message *fetch_message_new(void)
{
    struct fetch_message *m = calloc(1, sizeof *m);
    must(m);
    return m;
}

struct fetch_message *fetch_message_free(struct fetch_message *m)
{
    if (m)
        fetch_message_close(m);
    free(m);
    return NULL;
}

enum rc fetch_message_open(struct fetch_message *m, struct box *b, uid32 uid, struct err *e)
{
    if (m->uid == uid)
        return RC_OK;
    fetch_message_close(m);
    enum rc rc = box_content_open(b, uid, &m->content, e);
    if (rc != RC_OK)
        return rc;
    m->uid = uid;
    m->header_size = header_size(m->content.raw);
    return RC_OK;
}

void fetch_message_close(struct fetch_message *m)
{
    if (m->uid != 0)
        box_content_close(&m->content);
    buf_deinit(&m->own);
    m->surrogate = SURROGATE_UNKNOWN;
    m->arena = arena_free(m->arena);
    m->root = NULL;
    m->uid = 0;
    m->last = (struct mime_span){0};
    m->cursor = (struct crlf_cursor){0};
}

/* As its BODYSTRUCTURE tells them. */
const struct mime_part *fetch_message_tree(struct fetch_message *m)
{
    if (m->root)
        return m->root;
    m->arena = arena_new(MIME_TREE_BYTES);
    m->root = mime_tree(m->content.raw, m->arena);
    return m->root;
}

/* The raw bytes of a section; the CRLF length is counted by the caller when `crlf` is left 0. */
static bool find_span(struct fetch_message *m, const struct fetch_section *sec, struct mime_span *ret)
{
    static const enum mime_section which[] = {
        [FETCH_PART_ALL] = MIME_SECTION_BODY,      [FETCH_PART_HEADER] = MIME_SECTION_HEADER,
        [FETCH_PART_FIELDS] = MIME_SECTION_HEADER, [FETCH_PART_FIELDS_NOT] = MIME_SECTION_HEADER,
        [FETCH_PART_TEXT] = MIME_SECTION_TEXT,     [FETCH_PART_MIME] = MIME_SECTION_MIME,
    };
    if (sec->n_path > 0)
        return mime_section(fetch_message_tree(m), sec->path, sec->n_path, which[sec->part], ret);
    size_t end = m->content.raw.n;
    switch (which[sec->part]) {
    case MIME_SECTION_HEADER:
        *ret = (struct mime_span){.start = 0, .end = m->header_size};
        break;
    case MIME_SECTION_TEXT:
        *ret = (struct mime_span){.start = m->header_size, .end = end};
        break;
    default:
        *ret = (struct mime_span){.start = 0, .end = end};
        break;
    }
    return true;
}

/* --- sending --- */

void fetch_put(struct imap_session *s, str text)
{
    if (s->out.n + text.n > FETCH_OUT_MAX)
        imap_send(s);
    if (text.n > FETCH_OUT_MAX)
        stream_write(s->io, text);
    else
        buf_puts(&s->out, text);
}

/* A literal cannot carry NUL (RFC 9051 §4.3); 0x80 is what other servers put in its place. */
static void hide_nul(char *p, size_t n)
{
    for (char *nul; (nul = memchr(p, '\0', n)); n -= (size_t)(nul - p), p = nul)
        *nul = (char)0x80;
}

/* The whole of what is asked, clipped to the section's size. */
static void clip(const struct fetch_section *sec, size_t size, size_t *ret_offset, size_t *ret_len)
{
    *ret_offset = 0;
    *ret_len = size;
    if (!sec->partial)
        return;
    *ret_offset = sec->offset < size ? (size_t)sec->offset : size;
    *ret_len = size - *ret_offset;
    if (sec->length < *ret_len)
        *ret_len = (size_t)sec->length;
}

static void put_literal_head(struct buf *out, size_t n)
{
    buf_putc(out, '{');
    buf_put_u64(out, n);
    buf_puts(out, S("}\r\n"));
}

/* Sends now and then, gives a slow but living client its time, and notices one that is gone. */
enum rc fetch_sent(struct imap_session *s, struct fetch_message *m, size_t n)
{
    m->unflushed += n;
    if (m->unflushed < FLUSH_EVERY)
        return RC_OK;
    m->unflushed = 0;
    stream_set_deadline(s->io, clock_mono() + s->limits.idle_ms);
    if (stream_flush(s->io) == RC_OK)
        return RC_OK;
    s->closing = s->lost = true;
    return RC_GONE;
}

static enum rc put_slices(struct imap_session *s, struct fetch_message *m, str raw, size_t offset, size_t len)
{
    while (len > 0) {
        size_t n = len < FETCH_OUT_MAX ? len : FETCH_OUT_MAX, before = s->out.n;
        crlf_put_range(&s->out, raw, offset, n, &m->cursor);
        must(s->out.n - before == n); /* what was announced */
        hide_nul(s->out.p + before, n);
        offset += n;
        len -= n;
        if (s->out.n >= FETCH_OUT_MAX)
            imap_send(s);
        enum rc rc = fetch_sent(s, m, n);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static void count(struct imap_session *s, const struct fetch_section *sec, size_t bytes)
{
    bool body = sec->part == FETCH_PART_ALL || sec->part == FETCH_PART_TEXT;
    *(body ? &s->sent.bodies : &s->sent.headers) += 1;
    *(body ? &s->sent.body_bytes : &s->sent.header_bytes) += bytes;
}

/* The raw bytes of a span, which is the last one from now on. */
static str span_open(struct fetch_message *m, struct mime_span span)
{
    str raw = str_sub(m->content.raw, span.start, span.end - span.start);
    if (span.start != m->last.start || span.end != m->last.end) {
        m->last = span;
        m->last.crlf = crlf_size(raw);
        m->cursor = (struct crlf_cursor){0};
    }
    return raw;
}

static enum rc put_span(struct imap_session *s, struct fetch_message *m, const struct fetch_section *sec,
                        struct mime_span span)
{
    str raw = span_open(m, span);
    size_t offset, len;
    clip(sec, m->last.crlf, &offset, &len);
    count(s, sec, len);
    put_literal_head(&s->out, len);
    return put_slices(s, m, raw, offset, len);
}

/* --- HEADER.FIELDS --- */

static bool is_listed(const struct fetch_section *sec, str name)
{
    for (size_t i = 0; i < sec->n_fields; i++)
        if (str_ieq(sec->fields[i], name))
            return true;
    return false;
}

/* The chosen fields and the empty line that ends them (RFC 9051 §6.4.5.1), in CRLF form. */
static void cut_fields(const struct fetch_section *sec, str block, struct buf *out)
{
    struct header_iter it = header_iter(block);
    struct header_field f;
    while (header_next(&it, &f)) {
        if (is_listed(sec, f.name) != (sec->part == FETCH_PART_FIELDS))
            continue;
        str raw = str_sub(block, f.start, f.end - f.start);
        crlf_put_range(out, raw, 0, SIZE_MAX, NULL);
        if (!str_ends(raw, S("\n")))
            buf_puts(out, S("\r\n"));
    }
    buf_puts(out, S("\r\n"));
}

static str block_of(const struct fetch_message *m, struct mime_span span)
{
    return str_sub(m->content.raw, span.start, span.end - span.start);
}

/* The part of the fields that is asked for; `text` holds it. */
static str read_fields(const struct fetch_section *sec, str block, struct buf *text)
{
    size_t offset, len;
    buf_init(text, 2 * block.n + 4); /* every line end may grow by one byte */
    cut_fields(sec, block, text);
    must(!text->overflow);
    hide_nul(text->p, text->n);
    clip(sec, text->n, &offset, &len);
    return str_sub(buf_str(text), offset, len);
}

static enum rc put_fields(struct imap_session *s, struct fetch_message *m, const struct fetch_section *sec,
                          str block)
{
    AUTO(buf_deinit) struct buf text;
    str fields = read_fields(sec, block, &text);
    count(s, sec, fields.n);
    put_literal_head(&s->out, fields.n);
    fetch_put(s, fields);
    return fetch_sent(s, m, fields.n);
}

static bool is_fields(const struct fetch_section *sec)
{
    return sec->part == FETCH_PART_FIELDS || sec->part == FETCH_PART_FIELDS_NOT;
}

enum rc fetch_section_put(struct imap_session *s, struct fetch_message *m, const struct fetch_section *sec)
{
    struct mime_span span;
    if (s->out.n > FETCH_OUT_MAX)
        imap_send(s);
    if (!find_span(m, sec, &span)) {
        buf_puts(&s->out, S("NIL"));
        return RC_OK;
    }
    return is_fields(sec) ? put_fields(s, m, sec, block_of(m, span)) : put_span(s, m, sec, span);
}

bool fetch_section_is_common(const struct fetch_section *sec)
{
    bool common = sec->form == FETCH_FORM_STORED && sec->part == FETCH_PART_FIELDS && sec->n_path == 0;
    for (size_t i = 0; i < sec->n_fields && common; i++)
        common = header_common_has(sec->fields[i]);
    return common;
}

enum rc fetch_common_put(struct imap_session *s, struct fetch_message *m, const struct fetch_section *sec,
                         str fields)
{
    if (s->out.n > FETCH_OUT_MAX)
        imap_send(s);
    return put_fields(s, m, sec, fields);
}

static enum rc copy_span(struct fetch_message *m, const struct fetch_section *sec, struct mime_span span,
                         enum rc (*take)(void *ctx, str piece), void *ctx)
{
    AUTO(buf_deinit) struct buf piece = BUF_INIT(FETCH_OUT_MAX);
    str raw = span_open(m, span);
    size_t offset, len;
    enum rc rc = RC_OK;
    clip(sec, m->last.crlf, &offset, &len);
    while (len > 0 && rc == RC_OK) {
        size_t n = len < FETCH_OUT_MAX ? len : FETCH_OUT_MAX;
        buf_reset(&piece);
        crlf_put_range(&piece, raw, offset, n, &m->cursor);
        must(piece.n == n);
        hide_nul(piece.p, n);
        rc = take(ctx, buf_str(&piece));
        offset += n;
        len -= n;
    }
    return rc;
}

enum rc fetch_section_copy(struct fetch_message *m, const struct fetch_section *sec,
                           enum rc (*take)(void *ctx, str piece), void *ctx)
{
    struct mime_span span;
    if (!find_span(m, sec, &span))
        return RC_GONE;
    if (!is_fields(sec))
        return copy_span(m, sec, span, take, ctx);
    AUTO(buf_deinit) struct buf text;
    return take(ctx, read_fields(sec, block_of(m, span), &text));
}

void fetch_preview_put(struct imap_session *s, struct fetch_message *m)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(8 * PREVIEW_CHARACTERS_MAX);
    preview_put(&text, m->content.raw, fetch_message_tree(m));
    imapstring_put_nil(&s->out, text.n ? buf_str(&text) : STR_NONE);
}
