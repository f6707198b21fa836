/* The text of a message as UTF-8; see bodytext.h. Parts are decoded in slices, so that the memory it takes
 * does not grow with the message. Recursion is bounded by the depth limit of mime_parse. */
#include "fmt/bodytext.h"

#include "base/utf8.h"
#include "fmt/charset.h"
#include "fmt/header.h"
#include "fmt/rfc2047.h"
#include "fmt/transfer.h"

enum { SLICE = 8192, CHUNK_MAX = 65536 };

struct walker {
    str raw;
    enum bodytext_what what;
    bodytext_fn *fn;
    void *arg;
    struct buf bytes, text; /* of the current slice */
};

static str span_bytes(const struct walker *w, struct mime_span span)
{
    return str_sub(w->raw, span.start, span.end - span.start);
}

/* Hands out w->text when there is any. */
static bool emit(struct walker *w, const struct mime_part *part, bool *first)
{
    if (w->text.n == 0)
        return true;
    bool go_on = w->fn(w->arg, part, buf_str(&w->text), *first);
    *first = false;
    buf_reset(&w->text);
    return go_on;
}

/* Long values are cut: nobody searches the 64th KiB of a field. */
static bool walk_header(struct walker *w, const struct mime_part *part)
{
    struct header_iter it = header_iter(span_bytes(w, part->header));
    struct header_field f;
    while (header_next(&it, &f)) {
        bool first = true;
        utf8_put_clean(&w->text, str_sub(f.name, 0, SLICE));
        buf_puts(&w->text, S(":"));
        rfc2047_decode(&w->text, str_sub(f.value, 0, SLICE));
        if (!emit(w, part, &first))
            return false;
    }
    return true;
}

static bool walk_text(struct walker *w, const struct mime_part *part)
{
    struct transfer_decoder transfer;
    struct charset_decoder charset;
    bool first = true, go_on = true;
    transfer_init(&transfer, transfer_encoding_find(part->encoding));
    charset_init(&charset, mime_param(&part->params, S("charset")));
    str body = span_bytes(w, part->body);
    for (size_t pos = 0; pos < body.n && go_on; pos += SLICE) {
        buf_reset(&w->bytes);
        transfer_feed(&transfer, &w->bytes, str_sub(body, pos, SLICE));
        if (body.n - pos <= SLICE)
            transfer_finish(&transfer, &w->bytes);
        charset_feed(&charset, &w->text, buf_str(&w->bytes));
        go_on = emit(w, part, &first);
    }
    charset_finish(&charset, &w->text);
    go_on = go_on && emit(w, part, &first);
    buf_reset(&w->text);
    charset_deinit(&charset);
    return go_on;
}

static bool walk_part(struct walker *w, const struct mime_part *part)
{
    if (w->what == BODYTEXT_ALL && !walk_header(w, part))
        return false;
    if (part->kind == MIME_LEAF && mime_is(part, S("text"), STR_NONE))
        return walk_text(w, part);
    for (const struct mime_part *child = part->child; child; child = child->next)
        if (!walk_part(w, child))
            return false;
    return true;
}

bool bodytext_each(str raw, const struct mime_part *root, enum bodytext_what what, bodytext_fn *fn, void *arg)
{
    struct walker w = {raw, what, fn, arg, BUF_INIT(CHUNK_MAX), BUF_INIT(CHUNK_MAX)};
    bool finished = walk_part(&w, root);
    buf_deinit(&w.bytes);
    buf_deinit(&w.text);
    return finished;
}
