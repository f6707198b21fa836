/* BODY and BODYSTRUCTURE (RFC 9051 §7.5.2).
 *
 * body            = "(" (body-type-1part / body-type-mpart) ")"
 * body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
 * body-type-1part = (media SP body-fields
 *                    [SP body-fld-lines / SP envelope SP body SP body-fld-lines]) [SP body-ext-1part]
 * body-fields     = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP body-fld-octets
 * body-ext-1part  = body-fld-md5 SP body-fld-dsp SP body-fld-lang SP body-fld-loc
 * body-ext-mpart  = body-fld-param SP body-fld-dsp SP body-fld-lang SP body-fld-loc
 *
 * Recursion is bounded by the depth limit of mime_parse. */
#include "fmt/bodystructure.h"

#include "fmt/envelope.h"
#include "fmt/imapstring.h"

struct writer {
    struct buf *out;
    str raw;
    bool extended;
    struct arena *arena;
};

static void put_body(struct writer *w, const struct mime_part *part);

static void put_sp_nil(struct writer *w, str s)
{
    buf_putc(w->out, ' ');
    imapstring_put_nil(w->out, s);
}

/* " (name value ...)" or " NIL". default_charset: of a text part, which must name a charset. */
static void put_params(struct writer *w, const struct mime_params *params, bool default_charset)
{
    bool add_charset = default_charset && !mime_param(params, S("charset")).p;
    if (params->n == 0 && !add_charset) {
        buf_puts(w->out, S(" NIL"));
        return;
    }
    for (size_t i = 0; i < params->n; i++) {
        buf_puts(w->out, i ? S(" ") : S(" ("));
        imapstring_put(w->out, params->p[i].name);
        buf_putc(w->out, ' ');
        imapstring_put(w->out, params->p[i].value);
    }
    if (add_charset) {
        buf_puts(w->out, params->n ? S(" ") : S(" ("));
        buf_puts(w->out, S("\"charset\" \"us-ascii\""));
    }
    buf_putc(w->out, ')');
}

/* " disposition language location", which end both kinds of extension data */
static void put_extension(struct writer *w, const struct mime_part *part)
{
    if (part->disposition.p) {
        buf_puts(w->out, S(" ("));
        imapstring_put(w->out, part->disposition);
        put_params(w, &part->disposition_params, false);
        buf_putc(w->out, ')');
    } else {
        buf_puts(w->out, S(" NIL"));
    }
    for (size_t i = 0; i < part->language_count; i++) {
        buf_puts(w->out, i ? S(" ") : S(" ("));
        imapstring_put(w->out, part->languages[i]);
    }
    buf_puts(w->out, part->language_count ? S(")") : S(" NIL"));
    put_sp_nil(w, part->location);
}

static void put_multipart(struct writer *w, const struct mime_part *part)
{
    for (const struct mime_part *child = part->child; child; child = child->next)
        put_body(w, child);
    if (!part->child) {
        buf_puts(w->out, S("(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0"));
        buf_puts(w->out, w->extended ? S(" NIL NIL NIL NIL)") : S(")"));
    }
    buf_putc(w->out, ' ');
    imapstring_put(w->out, part->subtype.n ? part->subtype : S("x-unknown"));
    if (!w->extended)
        return;
    put_params(w, &part->params, false);
    put_extension(w, part);
}

static bool is_opaque(const struct mime_part *part)
{
    return part->kind == MIME_LEAF &&
           (mime_is(part, S("multipart"), STR_NONE) || mime_is(part, S("message"), S("rfc822")) ||
            mime_is(part, S("message"), S("global")));
}

static void put_media(struct writer *w, const struct mime_part *part)
{
    if (part->kind == MIME_MESSAGE) {
        bool global = mime_is(part, S("message"), S("global"));
        buf_puts(w->out, global ? S("\"message\" \"global\"") : S("\"message\" \"rfc822\""));
    } else if (is_opaque(part)) {
        buf_puts(w->out, S("\"application\" \"octet-stream\""));
    } else if (!part->type.p) {
        buf_puts(w->out, S("\"text\" \"plain\""));
    } else {
        imapstring_put(w->out, part->type);
        buf_putc(w->out, ' ');
        imapstring_put(w->out, part->subtype);
    }
}

static void put_number(struct writer *w, size_t n)
{
    buf_putc(w->out, ' ');
    buf_put_u64(w->out, n);
}

static void put_single(struct writer *w, const struct mime_part *part)
{
    bool text = mime_is(part, S("text"), STR_NONE);
    put_media(w, part);
    put_params(w, &part->params, text);
    put_sp_nil(w, part->id);
    put_sp_nil(w, part->description);
    put_sp_nil(w, part->encoding.n ? part->encoding : S("7bit"));
    put_number(w, part->body.crlf);
    if (part->kind == MIME_MESSAGE) {
        const struct mime_span *header = &part->child->header;
        buf_putc(w->out, ' ');
        envelope_put(w->out, str_sub(w->raw, header->start, header->end - header->start), w->arena);
        buf_putc(w->out, ' ');
        put_body(w, part->child);
    }
    if (text || part->kind == MIME_MESSAGE)
        put_number(w, part->body.lines);
    if (!w->extended)
        return;
    put_sp_nil(w, part->md5);
    put_extension(w, part);
}

static void put_body(struct writer *w, const struct mime_part *part)
{
    buf_putc(w->out, '(');
    if (part->kind == MIME_MULTIPART)
        put_multipart(w, part);
    else
        put_single(w, part);
    buf_putc(w->out, ')');
}

void bodystructure_put(struct buf *out, str raw, const struct mime_part *root, bool extended, struct arena *a)
{
    struct writer w = {out, raw, extended, a};
    put_body(&w, root);
}
