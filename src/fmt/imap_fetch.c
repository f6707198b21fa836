/* imap_fetch: reads the items of FETCH; see imap_fetch.h. The name of an item is a run of letters, digits and
 * dots:
 * "[" is an atom character (RFC 9051 §9), so the lexer's atoms would run into the section. */
#include "fmt/imap_fetch.h"

#include "fmt/imap_out.h"

enum { ECHO_MAX = 64 * 1024 };

struct fetch_parser {
    struct imap_lex *lex;
    struct imap_fetch *fetch;
    struct fetch_section **tail;
    size_t n_sections;
};

static str take_name(struct imap_lex *lex)
{
    str rest = imap_rest(lex);
    size_t n = 0;
    while (n < rest.n && (ascii_alnum(rest.p[n]) || rest.p[n] == '.'))
        n++;
    lex->at += n;
    return str_sub(rest, 0, n);
}

/* section-part = nz-number *("." nz-number); leaves the cursor behind the "." that a section-text follows. */
static enum rc parse_path(struct imap_lex *lex, struct fetch_section *sec, bool *ret_text_follows)
{
    uint32_t path[FETCH_PATH_MAX];
    size_t n = 0;
    *ret_text_follows = !ascii_digit(imap_peek(lex));
    while (ascii_digit(imap_peek(lex))) {
        if (n == FETCH_PATH_MAX)
            return RC_LIMIT;
        enum rc rc = imap_nz_number(lex, &path[n++]);
        if (rc != RC_OK)
            return rc;
        *ret_text_follows = imap_take(lex, '.');
        if (!*ret_text_follows)
            break;
    }
    sec->path = arena_array(lex->arena, n, sizeof *path);
    if (!sec->path)
        return RC_LIMIT;
    for (size_t i = 0; i < n; i++)
        sec->path[i] = path[i];
    sec->n_path = n;
    return RC_OK;
}

/* A field name goes back to the client in the echo, so it must be fit for that: printable ASCII. */
static enum rc parse_field_name(struct imap_lex *lex, str *ret)
{
    str name;
    enum rc rc = imap_astring(lex, &name);
    if (rc != RC_OK)
        return rc;
    char *up = arena_alloc(lex->arena, name.n);
    if (!up)
        return RC_LIMIT;
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] < ' ' || name.p[i] > '~')
            return imap_expect(lex, "a header field name");
        up[i] = ascii_upper(name.p[i]);
    }
    if (name.n == 0)
        return imap_expect(lex, "a header field name");
    *ret = str_mem(up, name.n);
    return RC_OK;
}

/* header-list = "(" header-fld-name *(SP header-fld-name) ")" */
static enum rc parse_fields(struct imap_lex *lex, struct fetch_section *sec)
{
    str names[FETCH_FIELDS_MAX];
    size_t n = 0;
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_list_begin(lex);
    while (rc == RC_OK) {
        if (n == FETCH_FIELDS_MAX)
            return RC_LIMIT;
        rc = parse_field_name(lex, &names[n++]);
        if (rc != RC_OK || imap_peek(lex) == ')')
            break;
        rc = imap_sp(lex);
    }
    if (rc == RC_OK)
        rc = imap_list_end(lex);
    if (rc != RC_OK)
        return rc;
    sec->fields = arena_array(lex->arena, n, sizeof *names);
    if (!sec->fields)
        return RC_LIMIT;
    memcpy(sec->fields, names, n * sizeof *names);
    sec->n_fields = n;
    return RC_OK;
}

/* section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
 * section-text    = section-msgtext / "MIME"                            ; MIME only behind a section-part */
static enum rc parse_section_text(struct imap_lex *lex, struct fetch_section *sec)
{
    static const struct {
        str name;
        enum fetch_part part;
    } texts[] = {
        {S("HEADER"), FETCH_PART_HEADER},
        {S("HEADER.FIELDS"), FETCH_PART_FIELDS},
        {S("HEADER.FIELDS.NOT"), FETCH_PART_FIELDS_NOT},
        {S("TEXT"), FETCH_PART_TEXT},
        {S("MIME"), FETCH_PART_MIME},
    };
    size_t at = lex->at;
    str name = take_name(lex);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!str_ieq(name, texts[i].name) || (texts[i].part == FETCH_PART_MIME && sec->n_path == 0))
            continue;
        sec->part = texts[i].part;
        bool fields = sec->part == FETCH_PART_FIELDS || sec->part == FETCH_PART_FIELDS_NOT;
        return fields ? parse_fields(lex, sec) : RC_OK;
    }
    lex->at = at;
    return imap_expect(lex, "a section");
}

/* section-spec = section-msgtext / (section-part ["." section-text]) */
static enum rc parse_section_spec(struct imap_lex *lex, struct fetch_section *sec)
{
    bool text_follows;
    enum rc rc = parse_path(lex, sec, &text_follows);
    return rc == RC_OK && text_follows ? parse_section_text(lex, sec) : rc;
}

/* section = "[" [section-spec] "]" */
static enum rc parse_brackets(struct imap_lex *lex, struct fetch_section *sec)
{
    enum rc rc = imap_char(lex, '[');
    if (rc != RC_OK || imap_take(lex, ']'))
        return rc;
    rc = parse_section_spec(lex, sec);
    return rc == RC_OK ? imap_char(lex, ']') : rc;
}

enum rc imap_section_parse(str text, struct arena *a, struct fetch_section *ret)
{
    struct imap_lex lex;
    struct fetch_section sec = {0};
    imap_lex_init(&lex, text, a);
    enum rc rc = imap_at_end(&lex) ? RC_OK : parse_section_spec(&lex, &sec);
    if (rc == RC_OK)
        rc = imap_eol(&lex);
    if (rc == RC_OK)
        *ret = sec;
    return rc;
}

/* partial = "<" number64 "." nz-number64 ">" */
static enum rc parse_partial(struct imap_lex *lex, struct fetch_section *sec)
{
    if (!imap_take(lex, '<'))
        return RC_OK;
    sec->partial = true;
    enum rc rc = imap_number64(lex, &sec->offset);
    if (rc == RC_OK)
        rc = imap_char(lex, '.');
    if (rc == RC_OK)
        rc = imap_number64(lex, &sec->length);
    if (rc == RC_OK && sec->length == 0)
        rc = imap_expect(lex, "a length that is not zero");
    return rc == RC_OK ? imap_char(lex, '>') : rc;
}

static void put_echo(struct buf *out, const struct fetch_section *sec)
{
    static const char *const texts[] = {"", "HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT", "TEXT", "MIME"};
    static const char *const names[] = {"BODY[", "BINARY[", "BINARY.SIZE["};
    buf_puts(out, str_c(names[sec->form]));
    for (size_t i = 0; i < sec->n_path; i++) {
        if (i > 0)
            buf_putc(out, '.');
        buf_put_u64(out, sec->path[i]);
    }
    if (sec->n_path > 0 && sec->part != FETCH_PART_ALL)
        buf_putc(out, '.');
    buf_puts(out, str_c(texts[sec->part]));
    for (size_t i = 0; i < sec->n_fields; i++) {
        buf_puts(out, i == 0 ? S(" (") : S(" "));
        imap_put_astring(out, sec->fields[i]);
    }
    buf_puts(out, sec->n_fields ? S(")]") : S("]"));
    if (sec->partial) {
        buf_putc(out, '<');
        buf_put_u64(out, sec->offset);
        buf_putc(out, '>');
    }
}

static enum rc set_echo(struct imap_lex *lex, struct fetch_section *sec)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(ECHO_MAX);
    put_echo(&name, sec);
    if (name.overflow)
        return RC_LIMIT;
    sec->echo = arena_str(lex->arena, buf_str(&name));
    return sec->echo.p ? RC_OK : RC_LIMIT;
}

static struct fetch_section *add_section(struct fetch_parser *p)
{
    struct fetch_section *sec = NULL;
    if (p->n_sections < FETCH_SECTIONS_MAX)
        sec = arena_make(p->lex->arena, struct fetch_section);
    if (sec) {
        p->n_sections++;
        *p->tail = sec;
        p->tail = &sec->next;
    }
    return sec;
}

static enum rc parse_section(struct fetch_parser *p, bool peek)
{
    struct fetch_section *sec = add_section(p);
    if (!sec)
        return RC_LIMIT;
    sec->peek = peek;
    enum rc rc = parse_brackets(p->lex, sec);
    if (rc == RC_OK)
        rc = parse_partial(p->lex, sec);
    return rc == RC_OK ? set_echo(p->lex, sec) : rc;
}

/* "BINARY" [".PEEK"] section-binary [partial] / "BINARY.SIZE" section-binary
 * section-binary = "[" [section-part] "]" */
static enum rc parse_binary(struct fetch_parser *p, enum fetch_form form, bool peek)
{
    struct fetch_section *sec = add_section(p);
    if (!sec)
        return RC_LIMIT;
    sec->form = form;
    sec->peek = peek;
    enum rc rc = imap_char(p->lex, '[');
    bool text_follows = true;
    if (rc == RC_OK && imap_peek(p->lex) != ']') {
        rc = parse_path(p->lex, sec, &text_follows);
        if (rc == RC_OK && text_follows)
            rc = imap_expect(p->lex, "a part number");
    }
    if (rc == RC_OK)
        rc = imap_char(p->lex, ']');
    if (rc == RC_OK && form == FETCH_FORM_BINARY)
        rc = parse_partial(p->lex, sec);
    return rc == RC_OK ? set_echo(p->lex, sec) : rc;
}

/* RFC 3501 §6.4.5: RFC822 is BODY[], RFC822.HEADER is BODY.PEEK[HEADER], RFC822.TEXT is BODY[TEXT], under
 * their own names. */
static enum rc add_rfc822(struct fetch_parser *p, enum fetch_part part, str echo)
{
    struct fetch_section *sec = add_section(p);
    if (!sec)
        return RC_LIMIT;
    sec->part = part;
    sec->peek = part == FETCH_PART_HEADER;
    sec->echo = echo;
    return RC_OK;
}

/* "PREVIEW" [SP "(" preview-mod ")"], preview-mod = "LAZY": a preview is quick to make, so it is made in any
 * case */
static void skip_lazy(struct imap_lex *lex)
{
    static const str lazy = S(" (LAZY)");
    if (str_istarts(imap_rest(lex), lazy))
        lex->at += lazy.n;
}

/* fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] /
 *             "BODY" ["STRUCTURE"] / "UID" / "BODY" section [partial] / "BODY.PEEK" section [partial] /
 *             the items of BINARY and PREVIEW (above) / "MODSEQ" / "SAVEDATE" */
static enum rc parse_att(struct imap_lex *lex, void *ctx)
{
    struct fetch_parser *p = ctx;
    static const struct {
        str name;
        unsigned item;
    } items[] = {
        {S("FLAGS"), FETCH_FLAGS},       {S("UID"), FETCH_UID},
        {S("RFC822.SIZE"), FETCH_SIZE},  {S("INTERNALDATE"), FETCH_INTERNALDATE},
        {S("ENVELOPE"), FETCH_ENVELOPE}, {S("BODYSTRUCTURE"), FETCH_BODYSTRUCTURE},
        {S("MODSEQ"), FETCH_MODSEQ},     {S("SAVEDATE"), FETCH_SAVEDATE},
        {S("PREVIEW"), FETCH_PREVIEW},   {S("EMAILID"), FETCH_EMAILID},
        {S("THREADID"), FETCH_THREADID},
    };
    size_t at = lex->at;
    str name = take_name(lex);
    bool bracket = imap_peek(lex) == '[';
    if (bracket && (str_ieq(name, S("BODY")) || str_ieq(name, S("BODY.PEEK"))))
        return parse_section(p, name.n > 4);
    if (bracket && (str_ieq(name, S("BINARY")) || str_ieq(name, S("BINARY.PEEK"))))
        return parse_binary(p, FETCH_FORM_BINARY, name.n > 6);
    if (bracket && str_ieq(name, S("BINARY.SIZE")))
        return parse_binary(p, FETCH_FORM_BINARY_SIZE, true);
    if (!bracket && str_ieq(name, S("BODY"))) {
        p->fetch->items |= FETCH_BODY;
        return RC_OK;
    }
    if (str_ieq(name, S("RFC822")))
        return add_rfc822(p, FETCH_PART_ALL, S("RFC822"));
    if (str_ieq(name, S("RFC822.HEADER")))
        return add_rfc822(p, FETCH_PART_HEADER, S("RFC822.HEADER"));
    if (str_ieq(name, S("RFC822.TEXT")))
        return add_rfc822(p, FETCH_PART_TEXT, S("RFC822.TEXT"));
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        if (str_ieq(name, items[i].name)) {
            p->fetch->items |= items[i].item;
            if (items[i].item == FETCH_PREVIEW)
                skip_lazy(lex);
            return RC_OK;
        }
    }
    lex->at = at;
    return imap_expect(lex, "a FETCH item");
}

static bool take_macro(struct imap_lex *lex, unsigned *ret_items)
{
    unsigned fast = FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE;
    if (imap_take_word(lex, S("FAST")))
        *ret_items = fast;
    else if (imap_take_word(lex, S("ALL")))
        *ret_items = fast | FETCH_ENVELOPE;
    else if (imap_take_word(lex, S("FULL")))
        *ret_items = fast | FETCH_ENVELOPE | FETCH_BODY;
    else
        return false;
    return true;
}

/* "ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")" */
enum rc imap_fetch_parse(struct imap_lex *lex, struct imap_fetch *ret)
{
    struct imap_fetch fetch = {0};
    struct fetch_parser p = {.lex = lex, .fetch = &fetch, .tail = &fetch.sections};
    if (take_macro(lex, &fetch.items)) {
        *ret = fetch;
        return RC_OK;
    }
    enum rc rc = imap_peek(lex) == '(' ? imap_list_of(lex, parse_att, &p) : parse_att(lex, &p);
    if (rc == RC_OK)
        *ret = fetch;
    return rc;
}

/* fetch-modifier = "CHANGEDSINCE" SP mod-sequence-value / "VANISHED" / "PARTIAL" SP partial-range */
static enum rc parse_modifier(struct imap_lex *lex, struct imap_fetch *fetch)
{
    enum rc rc = RC_OK;
    if (!fetch->has_since && imap_take_word(lex, S("CHANGEDSINCE"))) {
        fetch->has_since = true;
        rc = imap_sp(lex);
        return rc == RC_OK ? imap_number64(lex, &fetch->since) : rc;
    }
    if (!fetch->partial.given && imap_take_word(lex, S("PARTIAL"))) {
        rc = imap_sp(lex);
        return rc == RC_OK ? imap_partial_range(lex, &fetch->partial) : rc;
    }
    if (fetch->vanished || !imap_take_word(lex, S("VANISHED")))
        return imap_expect(lex, "a FETCH modifier");
    fetch->vanished = true;
    return RC_OK;
}

enum rc imap_fetch_modifiers(struct imap_lex *lex, struct imap_fetch *fetch)
{
    if (imap_peek(lex) != ' ')
        return RC_OK;
    enum rc rc = imap_sp(lex);
    if (rc != RC_OK || imap_at_end(lex)) /* a forgiven space at the end */
        return rc;
    rc = imap_list_begin(lex);
    while (rc == RC_OK) {
        rc = parse_modifier(lex, fetch);
        if (rc != RC_OK || imap_peek(lex) == ')')
            break;
        rc = imap_sp(lex);
    }
    if (rc == RC_OK)
        rc = imap_list_end(lex);
    return rc == RC_OK && fetch->vanished && !fetch->has_since
               ? imap_expect(lex, "CHANGEDSINCE with VANISHED")
               : rc;
}

bool imap_fetch_sets_seen(const struct imap_fetch *f)
{
    for (const struct fetch_section *sec = f->sections; sec; sec = sec->next)
        if (!sec->peek)
            return true;
    return false;
}
