/* preview: see preview.h. Text goes through byte by byte; what a tag, a quoted line or an entity is stays
 * known from chunk to chunk, so that a part is read only as far as it is needed. */
#include "fmt/preview.h"

#include "fmt/bodytext.h"

enum { LINE_BYTES = 4 * PREVIEW_CHARACTERS_MAX, NAME_MAX_BYTES = 12, PLAIN = 0, HTML = 1 };

struct line {                     /* what is shown of one kind of part */
    const struct mime_part *part; /* the one that is being read; NULL: none yet */
    struct buf text;
    unsigned characters;
    bool space; /* white space came since */
    bool full;
    /* plain text */
    bool line_begun, quoted;
    /* HTML */
    char name[NAME_MAX_BYTES]; /* of the tag or entity being read */
    size_t name_n;
    bool in_tag, in_entity, name_open;
    const char *hidden; /* inside this element, whose content is not shown */
};

static void put_byte(struct line *l, char c)
{
    bool begins = ((unsigned char)c & 0xc0) != 0x80;
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        l->space = true;
        return;
    }
    if ((unsigned char)c < ' ' || c == 0x7f)
        return;
    if (begins && l->space && l->text.n && l->characters < PREVIEW_CHARACTERS_MAX - 1) {
        buf_putc(&l->text, ' ');
        l->characters++;
    }
    l->space = l->space && !begins;
    if (begins && l->characters == PREVIEW_CHARACTERS_MAX)
        l->full = true;
    if (l->full)
        return;
    l->characters += begins;
    buf_putc(&l->text, c);
}

/* Lines that quote another message tell nothing new. */
static void put_plain(struct line *l, char c)
{
    if (!l->line_begun)
        l->quoted = c == '>';
    l->line_begun = c != '\n';
    if (!l->quoted)
        put_byte(l, c);
    else
        l->space = true;
}

static bool name_is(const struct line *l, const char *name)
{
    return str_ieq(str_mem(l->name, l->name_n), str_c(name));
}

/* A name without its ";" that is none is text after all: "AT&T". */
static void end_entity(struct line *l, bool terminated)
{
    static const struct {
        const char *name;
        char c;
    } entities[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}, {"#39", '\''}};
    l->in_entity = false;
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
        if (name_is(l, entities[i].name)) {
            put_byte(l, entities[i].c);
            return;
        }
    if (terminated) { /* &nbsp; and those that are not known */
        l->space = true;
        return;
    }
    put_byte(l, '&');
    for (size_t i = 0; i < l->name_n; i++)
        put_byte(l, l->name[i]);
}

static void end_tag(struct line *l)
{
    static const char *const hidden[] = {"style", "script", "head", "title"};
    bool closes = l->name_n > 0 && l->name[0] == '/';
    l->in_tag = false;
    l->space = true;
    if (l->hidden) {
        if (closes && str_ieq(str_mem(l->name + 1, l->name_n - 1), str_c(l->hidden)))
            l->hidden = NULL;
        return;
    }
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden && !l->hidden; i++)
        if (name_is(l, hidden[i]))
            l->hidden = hidden[i];
}

/* The name of a tag or entity; what is longer is none that matters. */
static void put_name(struct line *l, char c)
{
    bool part_of_it = ascii_alnum(c) || c == '#' || (c == '/' && l->name_n == 0);
    l->name_open = l->name_open && part_of_it;
    if (l->name_open && l->name_n < sizeof l->name)
        l->name[l->name_n++] = c;
}

static void put_html(struct line *l, char c)
{
    if (l->in_tag && c == '>') {
        end_tag(l);
    } else if (l->in_entity && (c == ';' || l->name_n == sizeof l->name || !(ascii_alnum(c) || c == '#'))) {
        end_entity(l, c == ';');
        if (c != ';')
            put_html(l, c); /* no entity is open now */
    } else if (l->in_tag && l->hidden && l->name_n == 0 && l->name_open && c != '/') {
        l->in_tag = c == '<'; /* only an end tag counts in there: "if (a<b)" is none */
    } else if (l->in_tag || l->in_entity) {
        put_name(l, c);
    } else if (c == '<' || (c == '&' && !l->hidden)) {
        l->in_tag = c == '<';
        l->in_entity = c == '&';
        l->name_open = true;
        l->name_n = 0;
    } else if (!l->hidden) {
        put_byte(l, c);
    }
}

/* Reads the first part of each kind that shows anything. */
static bool on_text(void *arg, const struct mime_part *part, str utf8, bool first)
{
    struct line *lines = arg;
    bool html = mime_is(part, S("text"), S("html"));
    struct line *l = &lines[html ? HTML : PLAIN];
    (void)first;
    if (str_ieq(part->disposition, S("attachment")) || (!html && !mime_is(part, S("text"), S("plain"))) ||
        (l->part != part && l->text.n))
        return true;
    l->part = part;
    for (size_t i = 0; i < utf8.n && !l->full; i++)
        (html ? put_html : put_plain)(l, utf8.p[i]);
    return html || !l->full;
}

void preview_put(struct buf *out, str raw, const struct mime_part *root)
{
    struct line lines[2] = {{.text = BUF_INIT(LINE_BYTES)}, {.text = BUF_INIT(LINE_BYTES)}};
    (void)bodytext_each(raw, root, BODYTEXT_BODIES, on_text, lines);
    buf_puts(out, buf_str(&lines[lines[PLAIN].text.n ? PLAIN : HTML].text));
    buf_deinit(&lines[PLAIN].text);
    buf_deinit(&lines[HTML].text);
}
