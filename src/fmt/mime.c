/* The part tree of a message in one pass over its lines (RFC 2046 §5).
 *
 * multipart = [preamble LF] delimiter part *(LF delimiter part) LF close-delimiter [LF epilogue]
 * delimiter = "--" boundary *WSP LF
 *
 * A stack holds the open multiparts and messages; a line that starts with "--" is compared with the
 * boundaries on it, so the cost of a line is bounded by the depth limit and never repeated per level. Line
 * ends are counted as the pass goes; the counts of a part are differences between two places. */
#include "fmt/mime.h"

#include "fmt/mime_fields.h"

/* RFC 2046 §5.1.1 allows 70 bytes; only this many of a longer one are compared, since prefixes match anyway.
 */
enum { BOUNDARY_MAX = 200 };

/* A place between two lines, with the counts up to there and what a boundary here would take off the text
 * before. */
struct place {
    size_t raw, lines, bare; /* bare: LFs without CR */
    size_t eol;              /* length of the line end in front of it: 0 to 2 */
};

struct level {
    struct mime_part *part;
    str boundary; /* without the dashes; empty in a message, and once the close-delimiter was seen */
    struct place header, body;
};

struct mime_parser {
    str raw;
    struct arena *arena;
    struct mime_limits limits;
    struct level *stack; /* limits.depth + 2 entries; the last is the current part */
    size_t used;
    size_t parts;
    bool in_header;
    struct place here;
    struct buf scratch;
};

static struct level *top(struct mime_parser *p)
{
    return &p->stack[p->used - 1];
}

static struct mime_span span(struct place from, struct place to)
{
    size_t size = to.raw - from.raw;
    return (struct mime_span){from.raw, to.raw, size + (to.bare - from.bare), to.lines - from.lines};
}

/* The place in front of the line end that a boundary line at `at` takes, but not before `floor`. */
static struct place before_line_end(struct place at, struct place floor)
{
    if (at.raw < floor.raw + at.eol || at.eol == 0)
        return at;
    at.raw -= at.eol;
    at.lines--;
    at.bare -= at.eol == 1;
    at.eol = 0;
    return at;
}

/* Opens a part at the current place as the last child of parent (NULL for the root). */
static enum rc open_part(struct mime_parser *p, struct mime_part *parent)
{
    struct mime_part *part = arena_make(p->arena, struct mime_part);
    if (!part)
        return RC_LIMIT;
    part->parent = parent;
    if (parent && parent->last_child)
        parent->last_child->next = part;
    else if (parent)
        parent->child = part;
    if (parent)
        parent->last_child = part;
    p->stack[p->used++] = (struct level){.part = part, .header = p->here};
    p->parts++;
    p->in_header = true;
    return RC_OK;
}

static bool may_nest(const struct mime_parser *p)
{
    return p->used <= p->limits.depth && p->parts < p->limits.parts;
}

/* The header of the current part ends here: its type decides what its body is. */
static enum rc end_header(struct mime_parser *p)
{
    struct level *level = top(p);
    struct mime_part *part = level->part;
    p->in_header = false;
    level->body = p->here;
    level->body.eol = 0;
    part->header = span(level->header, p->here);
    mime_fields_parse(part, str_sub(p->raw, part->header.start, part->header.end - part->header.start),
                      p->arena, &p->scratch);
    if (arena_exhausted(p->arena))
        return RC_LIMIT;
    if (!may_nest(p))
        return RC_OK;
    if (mime_is(part, S("multipart"), STR_NONE)) {
        str boundary = str_sub(mime_param(&part->params, S("boundary")), 0, BOUNDARY_MAX);
        while (boundary.n && boundary.p[boundary.n - 1] == ' ') /* RFC 2046 §5.1.1: never ends in a space */
            boundary.n--;
        level->boundary = boundary;
        part->kind = boundary.n ? MIME_MULTIPART : MIME_LEAF;
    } else if (mime_is(part, S("message"), S("rfc822")) || mime_is(part, S("message"), S("global"))) {
        part->kind = MIME_MESSAGE;
        return open_part(p, part);
    }
    return RC_OK;
}

/* Closes parts from the top until `keep` levels are left. Headers that never ended end here. A part never
 * ends before its last child, even where that one's header took the line end in front of the boundary. */
static enum rc close_down_to(struct mime_parser *p, size_t keep)
{
    struct place end = {0};
    while (p->used > keep) {
        if (p->in_header) {
            enum rc rc = end_header(p);
            if (rc != RC_OK)
                return rc;
            continue;
        }
        struct level *level = top(p);
        struct place own_end = before_line_end(p->here, level->body);
        if (own_end.raw > end.raw)
            end = own_end;
        level->part->body = span(level->body, end);
        p->used--;
    }
    return RC_OK;
}

/* The innermost level whose boundary starts this line; of several the longest, and the exact one at once,
 * since one boundary may be a prefix of another. SIZE_MAX when there is none. */
static size_t find_boundary(const struct mime_parser *p, str text)
{
    size_t best = SIZE_MAX, best_n = 0;
    for (size_t i = p->used; i-- > 0;) {
        str b = p->stack[i].boundary;
        if (b.n <= best_n || b.n > text.n || memcmp(b.p, text.p, b.n) != 0)
            continue;
        best = i;
        best_n = b.n;
        if (b.n == text.n || (b.n + 2 == text.n && str_ends(text, S("--"))))
            break;
    }
    return best;
}

/* A line that starts with "--" at the current place. ret_taken tells whether it was a delimiter. */
static enum rc delimiter_line(struct mime_parser *p, str text, bool *ret_taken)
{
    size_t i = find_boundary(p, text);
    if (i == SIZE_MAX)
        return RC_OK;
    struct level *level = &p->stack[i];
    bool closing = str_starts(str_from(text, level->boundary.n), S("--"));
    if (!closing && p->parts >= p->limits.parts)
        return RC_OK;
    *ret_taken = true;
    enum rc rc = close_down_to(p, i + 1);
    if (closing)
        level->boundary = STR_NONE;
    return rc;
}

/* The text of a line behind its first two bytes, without line end and transport padding (RFC 2046 §5.1.1). */
static str boundary_text(str line)
{
    str text = str_from(line, 2);
    while (text.n && strchr(" \t\r\n", text.p[text.n - 1]) && text.p[text.n - 1])
        text.n--;
    return text;
}

static void advance(struct mime_parser *p, str line)
{
    p->here.raw += line.n;
    p->here.eol = 0;
    if (line.p[line.n - 1] != '\n')
        return;
    bool crlf = line.n > 1 && line.p[line.n - 2] == '\r';
    p->here.lines++;
    p->here.bare += !crlf;
    p->here.eol = crlf ? 2 : 1;
}

static enum rc parse_line(struct mime_parser *p, str line)
{
    bool taken = false, empty = line.p[0] == '\n' || str_eq(line, S("\r\n"));
    enum rc rc = RC_OK;
    if (line.n > 2 && line.p[0] == '-' && line.p[1] == '-')
        rc = delimiter_line(p, boundary_text(line), &taken);
    advance(p, line);
    if (rc != RC_OK)
        return rc;
    if (taken && top(p)->boundary.n)
        return open_part(p, top(p)->part);
    if (!taken && empty && p->in_header)
        return end_header(p);
    return RC_OK;
}

static enum rc parse_lines(struct mime_parser *p, struct mime_part **ret)
{
    enum rc rc = open_part(p, NULL);
    struct mime_part *root = p->stack[0].part;
    while (rc == RC_OK && p->here.raw < p->raw.n) {
        str rest = str_from(p->raw, p->here.raw);
        const char *lf = memchr(rest.p, '\n', rest.n);
        rc = parse_line(p, str_sub(rest, 0, lf ? (size_t)(lf - rest.p) + 1 : rest.n));
    }
    p->here.eol = 0; /* no boundary takes the last line end */
    if (rc == RC_OK)
        rc = close_down_to(p, 0);
    if (rc == RC_OK)
        *ret = root;
    return rc;
}

enum rc mime_parse(str raw, struct arena *a, const struct mime_limits *limits, struct mime_part **ret)
{
    static const struct mime_limits defaults = MIME_LIMITS_DEFAULT;
    struct mime_parser p = {.raw = raw, .arena = a, .limits = limits ? *limits : defaults};
    p.stack = arena_array(a, p.limits.depth + 2, sizeof *p.stack);
    if (!p.stack)
        return RC_LIMIT;
    buf_init(&p.scratch, MIME_VALUE_MAX);
    enum rc rc = parse_lines(&p, ret);
    buf_deinit(&p.scratch);
    return rc;
}

struct mime_part *mime_tree(str raw, struct arena *a)
{
    static const struct mime_limits leaf = {.depth = 0, .parts = 1};
    struct mime_part *root = NULL;
    if (mime_parse(raw, a, NULL, &root) == RC_OK)
        return root;
    arena_reset(a);
    must(mime_parse(raw, a, &leaf, &root) == RC_OK);
    return root;
}
