/* surrogate: see surrogate.h. Headers are rewritten field by field, and what lies between them is copied. */
#include "fmt/surrogate.h"

#include "base/utf8.h"
#include "fmt/addrlist.h"
#include "fmt/header.h"
#include "fmt/mailaddr.h"
#include "fmt/mime_fields.h"
#include "fmt/rfc2047.h"
#include "fmt/transfer.h"

enum {
    VALUE_MAX = 64 << 10, /* of a field that is rewritten; a longer one is left out */
    TEXT_MAX = 8 * VALUE_MAX,
    FIELD_BYTES = 8 << 20, /* what one field may take for its addresses or parameters */
    PARAMETER_MAX = 300    /* so that its line stays below 998 bytes (RFC 5322 §2.1.1) */
};

#define NOBODY S(" <invalid@internationalized-address.invalid>") /* RFC 6858 §2.1 */

struct writer {
    struct buf *out;
    bool sparing;     /* fields that would be rewritten are left out */
    bool relabel;     /* of a message/global whose content is rewritten */
    struct arena *a;  /* of one field */
    struct buf field; /* what one field becomes */
    str raw;
    size_t at; /* how far of raw is copied */
};

static bool is_utf8(str s)
{
    return !utf8_is_ascii(s) && utf8_valid(s);
}

/* --- words --- */

static void put_quoted(struct buf *out, str s)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < ' ')
            continue;
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, s.p[i]);
    }
    buf_putc(out, '"');
}

/* What a raw text shows; in the arena. */
static str shown(struct writer *w, str raw)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(TEXT_MAX);
    rfc2047_decode(&text, str_trim(raw));
    return text.overflow ? STR_NONE : arena_str(w->a, buf_str(&text));
}

static void put_phrase(struct writer *w, str raw)
{
    str text = shown(w, raw);
    if (utf8_is_ascii(text))
        put_quoted(&w->field, text);
    else
        rfc2047_encode(&w->field, text);
}

/* --- addresses --- */

static void put_addr_spec(struct buf *out, const struct address *a)
{
    if (a->host.n > 0)
        mailaddr_put(out, &(struct mailaddr){.local = a->mailbox, .domain = a->host});
    else
        put_quoted(out, a->mailbox);
}

static void put_replaced(struct writer *w, const struct address *a)
{
    str text = arena_printf(w->a, STR_FMT "%s" STR_FMT "%s" STR_FMT "%s", STR_ARG(shown(w, a->name)),
                            a->name.n ? " <" : "", STR_ARG(a->mailbox), a->host.n ? "@" : "",
                            STR_ARG(a->host), a->name.n ? ">" : "");
    rfc2047_encode(&w->field, text);
    buf_puts(&w->field, NOBODY);
}

static void put_address(struct writer *w, const struct address *a)
{
    if (!utf8_is_ascii(a->mailbox) || !utf8_is_ascii(a->host)) {
        put_replaced(w, a);
        return;
    }
    if (a->name.n > 0) {
        put_phrase(w, a->name);
        buf_puts(&w->field, S(" <"));
    }
    put_addr_spec(&w->field, a);
    if (a->name.n > 0)
        buf_putc(&w->field, '>');
}

static void put_addresses(struct writer *w, str value)
{
    const char *separator = " ";
    for (const struct address *a = addrlist_parse(value, w->a); a; a = a->next) {
        bool mark = address_is_group_mark(a), ends = mark && !a->mailbox.p;
        if (!ends)
            buf_puts(&w->field, str_c(separator));
        if (ends)
            buf_putc(&w->field, ';');
        else if (mark)
            put_phrase(w, a->mailbox);
        else
            put_address(w, a);
        if (mark && !ends)
            buf_putc(&w->field, ':');
        separator = mark && !ends ? " " : ",\n ";
    }
}

/* --- parameters --- */

static bool is_token_char(char c)
{
    return c > ' ' && c < 0x7f && !memchr("()<>@,;:\\\"/[]?=*'%", c, 18);
}

static void put_extended(struct buf *out, str value)
{
    buf_puts(out, S("*=utf-8''"));
    for (size_t i = 0; i < value.n; i++) {
        if (is_token_char(value.p[i]))
            buf_putc(out, value.p[i]);
        else
            buf_printf(out, "%%%02X", (unsigned char)value.p[i]);
    }
}

static void put_parameters(struct buf *out, const struct mime_params *params)
{
    for (size_t i = 0; i < params->n; i++) {
        const struct mime_param *p = &params->p[i];
        bool plain = utf8_is_ascii(p->value);
        if (!utf8_is_ascii(p->name) || p->value.n > PARAMETER_MAX)
            continue;
        buf_puts(out, S(";\n "));
        buf_puts(out, p->name);
        if (plain) {
            buf_putc(out, '=');
            put_quoted(out, p->value);
        } else {
            put_extended(out, p->value);
        }
    }
}

/* field: the whole of it. False: there is no type, or it is itself beyond ASCII. */
static bool put_media(struct writer *w, str field)
{
    AUTO(buf_deinit) struct buf scratch = BUF_INIT(MIME_VALUE_MAX);
    struct mime_part part = {0};
    mime_fields_parse(&part, field, w->a, &scratch);
    str word = part.type.n ? part.type : part.disposition;
    if (word.n == 0 || !utf8_is_ascii(word) || !utf8_is_ascii(part.subtype))
        return false;
    buf_putc(&w->field, ' ');
    buf_puts(&w->field, word);
    if (part.type.n > 0) {
        buf_putc(&w->field, '/');
        buf_puts(&w->field, w->relabel ? S("rfc822") : part.subtype);
    }
    put_parameters(&w->field, part.type.n ? &part.params : &part.disposition_params);
    return true;
}

/* --- fields --- */

static bool is_one_of(str name, const str *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_ieq(name, names[i]))
            return true;
    return false;
}

static bool has_addresses(str name) /* RFC 6858 §2.1 */
{
    static const str names[] = {S("Bcc"),        S("Cc"),          S("From"),        S("Reply-To"),
                                S("Resent-Bcc"), S("Resent-Cc"),   S("Resent-From"), S("Resent-Sender"),
                                S("Resent-To"),  S("Return-Path"), S("Sender"),      S("To")};
    return is_one_of(name, names, sizeof names / sizeof *names);
}

/* Encoded words may stand in Subject, Comments and fields that no standard gives a structure (RFC 2047 §5);
 * these have one. */
static bool has_structure(str name)
{
    static const str names[] = {S("Authentication-Results"),
                                S("Date"),
                                S("Delivered-To"),
                                S("DKIM-Signature"),
                                S("Message-ID"),
                                S("MIME-Version"),
                                S("In-Reply-To"),
                                S("Received"),
                                S("References")};
    static const str beginnings[] = {S("ARC-"), S("Content-"), S("List-"), S("Resent-")};
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (str_istarts(name, beginnings[i]))
            return !str_ieq(name, S("Content-Description"));
    return str_iends(name, S("-To")) || is_one_of(name, names, sizeof names / sizeof *names);
}

static void put_text(struct writer *w, str value)
{
    buf_putc(&w->field, ' ');
    rfc2047_encode(&w->field, shown(w, value));
}

/* The field in ASCII, with its line end. False: it cannot be shown. */
static bool rewrite(struct writer *w, const struct header_field *f, str whole)
{
    if (f->name.n == 0 || !utf8_is_ascii(f->name) || f->value.n > VALUE_MAX)
        return false;
    str value = header_unfold(w->a, f->value);
    buf_puts(&w->field, f->name);
    buf_putc(&w->field, ':');
    if (str_ieq(f->name, S("Content-Type")) || str_ieq(f->name, S("Content-Disposition"))) {
        if (!put_media(w, whole))
            return false;
    } else if (has_addresses(f->name)) {
        put_addresses(w, value);
    } else if (has_structure(f->name)) {
        return false;
    } else {
        put_text(w, value);
    }
    buf_putc(&w->field, '\n');
    return !w->field.overflow && !arena_exhausted(w->a);
}

static void put_field(struct writer *w, const struct header_field *f, str whole)
{
    bool label = w->relabel && !w->sparing && str_ieq(f->name, S("Content-Type"));
    if (!label && !is_utf8(whole)) {
        buf_puts(w->out, whole);
        return;
    }
    if (w->sparing)
        return;
    w->a = arena_new(FIELD_BYTES);
    buf_reset(&w->field);
    if (rewrite(w, f, whole))
        buf_puts(w->out, buf_str(&w->field));
    w->a = arena_free(w->a);
}

static void put_block(struct writer *w, str block)
{
    struct header_iter it = header_iter(block);
    struct header_field f;
    while (header_next(&it, &f))
        put_field(w, &f, str_sub(block, f.start, f.end - f.start));
    buf_puts(w->out, str_from(block, it.pos));
}

bool surrogate_differs(str header_block)
{
    struct header_iter it = header_iter(header_block);
    struct header_field f;
    if (utf8_is_ascii(header_block))
        return false;
    while (header_next(&it, &f))
        if (is_utf8(str_sub(header_block, f.start, f.end - f.start)))
            return true;
    return false;
}

/* --- messages --- */

static str header_of(str raw, const struct mime_part *part)
{
    return str_sub(raw, part->header.start, part->header.end - part->header.start);
}

/* One whose headers are there to be rewritten: it may be encoded as a whole (RFC 6532 §3.7). */
static bool is_global(const struct mime_part *part)
{
    return part->kind == MIME_MESSAGE && mime_is(part, S("message"), S("global")) &&
           transfer_encoding_find(part->encoding) == TRANSFER_IDENTITY;
}

bool surrogate_is_needed(str raw, const struct mime_part *root)
{
    if (is_global(root) || surrogate_differs(header_of(raw, root)))
        return true;
    for (const struct mime_part *part = root->child; part; part = part->next)
        if (surrogate_is_needed(raw, part))
            return true;
    return false;
}

/* Headers come in the order of the bytes, a part's before those of the parts inside. */
static void put_part(struct writer *w, const struct mime_part *part)
{
    buf_puts(w->out, str_sub(w->raw, w->at, part->header.start - w->at));
    w->at = part->header.end;
    w->relabel = is_global(part);
    put_block(w, header_of(w->raw, part));
    for (const struct mime_part *child = part->child; child; child = child->next)
        put_part(w, child);
}

static void put_message(struct writer *w, const struct mime_part *root)
{
    w->at = 0;
    put_part(w, root);
    buf_puts(w->out, str_from(w->raw, w->at));
}

void surrogate_put(struct buf *out, str raw, const struct mime_part *root)
{
    struct writer w = {.out = out, .field = BUF_INIT(TEXT_MAX), .raw = raw};
    put_message(&w, root);
    if (out->overflow) {
        buf_reset(out);
        w.sparing = true;
        put_message(&w, root);
    }
    buf_deinit(&w.field);
}
