/* Content-* fields of one part.
 *
 * content     = "Content-Type" ":" type "/" subtype *(";" parameter)        RFC 2045 §5.1
 * disposition = "Content-Disposition" ":" token *(";" parameter)           RFC 2183 §2
 * encoding    = "Content-Transfer-Encoding" ":" token                      RFC 2045 §6.1
 * language    = "Content-Language" ":" 1#tag                               RFC 3282 §2
 * parameter   = token "=" (token / quoted-string)
 *
 * Reading is tolerant: a parameter that cannot be read is skipped up to the next ";", an unquoted value may
 * hold any byte but white space and ";" (as in name==?utf-8?q?..?= or boundary=a/b). */
#include "fmt/mime_fields.h"

#include "fmt/header.h"
#include "fmt/lex.h"

enum { PARAMS_MAX = 200, LANGUAGES_MAX = 100 };

struct field_parser {
    struct lex lex;
    struct arena *arena;
    struct buf *scratch;
};

/* The scratch buffer's content in the arena: never NULL unless that is exhausted. */
static str take(struct field_parser *p)
{
    str s = p->scratch->n ? arena_str(p->arena, buf_str(p->scratch)) : S("");
    buf_reset(p->scratch);
    return s;
}

static void unquoted_value(struct lex *l, struct buf *out)
{
    for (int c; (c = lex_peek(l)) > ' ' && c != ';'; l->i++)
        buf_putc(out, (char)c);
}

/* Moves behind the next ";" that is not in a quoted string; false at the end. */
static bool next_param(struct field_parser *p)
{
    for (int c;;) {
        lex_cfws(&p->lex);
        c = lex_peek(&p->lex);
        if (c == '"') {
            lex_quoted(&p->lex, p->scratch);
            buf_reset(p->scratch);
            continue;
        }
        if (c < 0)
            return false;
        p->lex.i++;
        if (c == ';')
            return true;
    }
}

static bool parse_param(struct field_parser *p, struct mime_param *ret)
{
    lex_cfws(&p->lex);
    if (!lex_token(&p->lex, p->scratch))
        return false;
    ret->name = take(p);
    lex_cfws(&p->lex);
    if (lex_peek(&p->lex) != '=')
        return false;
    p->lex.i++;
    lex_cfws(&p->lex);
    if (!lex_quoted(&p->lex, p->scratch))
        unquoted_value(&p->lex, p->scratch);
    ret->value = take(p);
    return true;
}

static void parse_params(struct field_parser *p, struct mime_params *ret)
{
    size_t room = 0;
    while (ret->n < PARAMS_MAX && next_param(p)) {
        struct mime_param param;
        if (!parse_param(p, &param))
            continue;
        if (ret->n == room) {
            struct mime_param *grown = arena_grow(p->arena, ret->p, room, sizeof *ret->p);
            if (!grown)
                return;
            ret->p = grown;
            room = room < 4 ? 8 : 2 * room;
        }
        ret->p[ret->n++] = param;
    }
}

/* A field that is broken still tells what can be read of it, empty strings otherwise, so that its part is not
 * taken for text (RFC 2045 §5.2 would); its parameters do not count then. */
static void parse_type(struct field_parser *p, struct mime_part *part)
{
    lex_cfws(&p->lex);
    lex_token(&p->lex, p->scratch);
    part->type = take(p);
    part->subtype = S("");
    lex_cfws(&p->lex);
    if (lex_peek(&p->lex) != '/')
        return;
    p->lex.i++;
    lex_cfws(&p->lex);
    lex_token(&p->lex, p->scratch);
    part->subtype = take(p);
    parse_params(p, &part->params);
}

/* "8 bit" is no encoding, but "base64; x=y" is meant to be one. */
static void parse_encoding(struct field_parser *p, struct mime_part *part)
{
    lex_cfws(&p->lex);
    lex_token(&p->lex, p->scratch);
    str encoding = take(p);
    lex_cfws(&p->lex);
    if (encoding.n && (lex_peek(&p->lex) < 0 || lex_peek(&p->lex) == ';'))
        part->encoding = encoding;
}

static void parse_disposition(struct field_parser *p, struct mime_part *part)
{
    lex_cfws(&p->lex);
    if (!lex_token(&p->lex, p->scratch))
        return;
    part->disposition = take(p);
    parse_params(p, &part->disposition_params);
}

static void parse_languages(struct field_parser *p, struct mime_part *part)
{
    size_t room = 0;
    while (part->language_count < LANGUAGES_MAX) {
        lex_cfws(&p->lex);
        if (!lex_token(&p->lex, p->scratch))
            return;
        if (part->language_count == room) {
            str *grown = arena_grow(p->arena, part->languages, room, sizeof *grown);
            if (!grown)
                return;
            part->languages = grown;
            room = room < 4 ? 8 : 2 * room;
        }
        part->languages[part->language_count++] = take(p);
        lex_cfws(&p->lex);
        if (lex_peek(&p->lex) != ',')
            return;
        p->lex.i++;
    }
}

static void parse_text(struct field_parser *p, str *ret)
{
    str line = header_unfold(p->arena, str_sub(p->lex.s, 0, MIME_VALUE_MAX));
    *ret = line.n ? arena_str(p->arena, line) : S("");
}

static void parse_field(struct mime_part *part, str name, struct field_parser *p)
{
    if (str_ieq(name, S("Type")) && !part->type.p)
        parse_type(p, part);
    else if (str_ieq(name, S("Transfer-Encoding")) && !part->encoding.p)
        parse_encoding(p, part);
    else if (str_ieq(name, S("Disposition")) && !part->disposition.p)
        parse_disposition(p, part);
    else if (str_ieq(name, S("Language")) && !part->languages)
        parse_languages(p, part);
    else if (str_ieq(name, S("ID")) && !part->id.p)
        parse_text(p, &part->id);
    else if (str_ieq(name, S("Description")) && !part->description.p)
        parse_text(p, &part->description);
    else if (str_ieq(name, S("MD5")) && !part->md5.p)
        parse_text(p, &part->md5);
    else if (str_ieq(name, S("Location")) && !part->location.p)
        parse_text(p, &part->location);
}

void mime_fields_parse(struct mime_part *part, str block, struct arena *a, struct buf *scratch)
{
    struct header_iter it = header_iter(block);
    struct header_field f;
    while (header_next(&it, &f)) {
        if (!str_istarts(f.name, S("Content-")))
            continue;
        struct field_parser p = {.lex = {.s = f.value}, .arena = a, .scratch = scratch};
        buf_reset(scratch);
        parse_field(part, str_from(f.name, strlen("Content-")), &p);
    }
}
