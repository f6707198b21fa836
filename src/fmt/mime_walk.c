/* The automaton of fmt/mime over pieces of lines.
 *
 * A line is handled when it is whole or MIME_WALK_LINE_MAX bytes of it are there: that is enough to tell a
 * boundary, an empty line or the name of a field. What follows of a longer line belongs to whatever its start
 * was. Only a leaf's line end waits for the next line, because it belongs to a delimiter that follows (RFC
 * 2046 §5.1.1). */
#include "fmt/mime_walk.h"

#include "fmt/mime_fields.h"

enum { ARENA_MAX = 256 << 10 };

void mime_walk_init(struct mime_walk *w, const struct mime_limits *limits, mime_walk_fn *fn, void *arg)
{
    static const struct mime_limits defaults = MIME_LIMITS_DEFAULT;
    *w = (struct mime_walk){.limits = limits ? *limits : defaults, .fn = fn, .arg = arg, .in_header = true};
    w->arena = arena_new(ARENA_MAX);
    w->stack = calloc(w->limits.depth + 2, sizeof *w->stack);
    must(w->stack);
    w->stack[0].is_message = true;
    w->used = w->parts = 1;
    buf_init(&w->line, MIME_WALK_LINE_MAX);
    buf_init(&w->fields, MIME_WALK_FIELDS_MAX);
    buf_init(&w->scratch, MIME_VALUE_MAX);
}

void mime_walk_deinit(struct mime_walk *w)
{
    arena_freep(&w->arena);
    free(w->stack);
    w->stack = NULL;
    buf_deinit(&w->line);
    buf_deinit(&w->fields);
    buf_deinit(&w->scratch);
}

static struct mime_walk_level *top(struct mime_walk *w)
{
    return &w->stack[w->used - 1];
}

static void tell(struct mime_walk *w, enum mime_walk_event event, str bytes)
{
    if (bytes.n || event == MIME_WALK_HEADER_END || event == MIME_WALK_LEAF_END)
        w->fn(w->arg, w, event, bytes);
}

/* Opens a part inside of the innermost level, whose type it needs to know (RFC 2046 §5.1.5). */
static void open_part(struct mime_walk *w)
{
    struct mime_walk_level *parent = top(w), *level = parent + 1;
    bool is_signed = parent->is_signed || mime_is(&parent->part, S("multipart"), S("signed"));
    bool digest = mime_is(&parent->part, S("multipart"), S("digest"));
    bool message = parent->part.kind == MIME_MESSAGE;
    parent->part = (struct mime_part){.kind = parent->part.kind, .parent = parent->part.parent};
    parent->part.type = message ? S("message") : S("multipart");
    parent->part.subtype = message ? S("rfc822") : digest ? S("digest") : S("mixed");
    parent->is_signed = is_signed;
    *level = (struct mime_walk_level){.index = w->parts++, .is_message = message, .is_signed = is_signed};
    level->part.parent = &parent->part;
    w->used++;
    w->in_header = true;
}

static void set_boundary(struct mime_walk_level *level)
{
    str boundary = str_sub(mime_param(&level->part.params, S("boundary")), 0, MIME_WALK_BOUNDARY_MAX);
    while (boundary.n && boundary.p[boundary.n - 1] == ' ') /* RFC 2046 §5.1.1: never ends in a space */
        boundary.n--;
    if (boundary.n)
        memcpy(level->boundary, boundary.p, boundary.n);
    level->boundary_n = boundary.n;
    level->part.kind = boundary.n ? MIME_MULTIPART : MIME_LEAF;
}

/* The header of the innermost part ends in the given empty line, which is none where a delimiter cut it
 * short. */
static void end_header(struct mime_walk *w, str empty_line)
{
    struct mime_walk_level *level = top(w);
    bool may_nest = w->used <= w->limits.depth && w->parts < w->limits.parts;
    arena_reset(w->arena);
    mime_fields_parse(&level->part, buf_str(&w->fields), w->arena, &w->scratch);
    buf_reset(&w->fields);
    w->in_header = w->collects = false;
    w->held_eol = STR_NONE;
    if (may_nest && mime_is(&level->part, S("multipart"), STR_NONE))
        set_boundary(level);
    else if (may_nest && mime_is(&level->part, S("message"), S("rfc822")))
        level->part.kind = MIME_MESSAGE;
    tell(w, MIME_WALK_HEADER_END, empty_line);
    if (level->part.kind == MIME_MESSAGE)
        open_part(w);
}

static void close_down_to(struct mime_walk *w, size_t keep)
{
    while (w->used > keep) {
        if (w->in_header) {
            end_header(w, STR_NONE);
            continue;
        }
        if (top(w)->part.kind == MIME_LEAF)
            tell(w, MIME_WALK_LEAF_END, STR_NONE);
        w->used--;
    }
}

/* As fmt/mime finds it: the innermost of the longest boundaries that start the text, the exact one at once.
 */
static size_t find_boundary(const struct mime_walk *w, str text)
{
    size_t best = SIZE_MAX, best_n = 0;
    for (size_t i = w->used; i-- > 0;) {
        str b = str_mem(w->stack[i].boundary, w->stack[i].boundary_n);
        if (b.n <= best_n || !str_starts(text, b))
            continue;
        best = i;
        best_n = b.n;
        if (b.n == text.n || (b.n + 2 == text.n && str_ends(text, S("--"))))
            break;
    }
    return best;
}

/* Handles the line's start when that is a delimiter; the bytes behind the boundary are left in *line. */
static bool take_delimiter(struct mime_walk *w, str *line)
{
    str text = str_from(*line, 2);
    while (text.n && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t' || text.p[text.n - 1] == '\r'))
        text.n--;
    size_t i = find_boundary(w, text);
    if (i == SIZE_MAX)
        return false;
    size_t taken = 2 + w->stack[i].boundary_n;
    bool closing = str_starts(str_from(*line, taken), S("--"));
    if (!closing && w->parts >= w->limits.parts)
        return false;
    close_down_to(w, i + 1);
    tell(w, MIME_WALK_DELIMITER, w->held_eol);
    w->held_eol = STR_NONE;
    tell(w, MIME_WALK_DELIMITER, str_sub(*line, 0, taken));
    *line = str_from(*line, taken);
    if (closing)
        w->stack[i].boundary_n = 0;
    return true;
}

size_t mime_walk_name_size(str line)
{
    size_t n = 0, end;
    while (n < line.n && line.p[n] > ' ' && line.p[n] < 0x7f && line.p[n] != ':')
        n++;
    for (end = n; end < line.n && (line.p[end] == ' ' || line.p[end] == '\t');)
        end++;
    return end < line.n && line.p[end] == ':' ? n : 0;
}

static bool folds(const struct mime_walk *w, str line)
{
    return w->field_seen && (line.p[0] == ' ' || line.p[0] == '\t');
}

/* Also those of the messages that this one may say to hold: their headers begin with the same line. */
static void end_broken_headers(struct mime_walk *w)
{
    w->no_field = true;
    while (w->in_header)
        end_header(w, STR_NONE);
    w->no_field = w->field_seen = false;
}

/* The start of a header's line that is not empty. */
static void begin_field(struct mime_walk *w, str line)
{
    bool goes_on = folds(w, line);
    w->field_starts = !goes_on;
    w->field_seen = true;
    if (goes_on)
        return;
    ptrdiff_t colon = str_chr(line, ':');
    str name = str_trim(str_sub(line, 0, colon < 0 ? 0 : (size_t)colon));
    w->name_n = name.n < sizeof w->name ? name.n : sizeof w->name;
    for (size_t i = 0; i < w->name_n; i++)
        w->name[i] = ascii_lower(name.p[i]);
    name = mime_walk_field(w);
    w->collects = str_eq(name, S("content-type")) || str_eq(name, S("content-transfer-encoding"));
    if (str_eq(name, S("mime-version")))
        top(w)->has_version = true;
}

/* Where a line goes that is no delimiter and no empty line of a header: a piece of it and, with its last one,
 * the line end. */
static void put_piece(struct mime_walk *w, str bytes, str eol)
{
    if (w->in_header) {
        if (w->collects) {
            buf_puts(&w->fields, bytes);
            buf_puts(&w->fields, eol);
        }
        tell(w, MIME_WALK_FIELD, bytes);
        w->field_starts = false;
        tell(w, MIME_WALK_FIELD, eol);
    } else if (!w->in_frame) {
        tell(w, MIME_WALK_TEXT, bytes);
        w->held_eol = eol;
    } else {
        tell(w, MIME_WALK_FRAME, bytes);
        tell(w, MIME_WALK_FRAME, eol);
    }
}

static void open_after_delimiter(struct mime_walk *w)
{
    w->opens = false;
    w->field_seen = false;
    if (top(w)->boundary_n)
        open_part(w);
}

/* A line, or as much of it as is needed; eol is its line end, .p NULL when that is not there yet. */
static void begin_line(struct mime_walk *w, str line, str eol)
{
    w->opens = str_starts(line, S("--")) && line.n > 2 && take_delimiter(w, &line);
    if (w->is_strict && w->in_header && !w->opens && line.n && !folds(w, line) && !mime_walk_name_size(line))
        end_broken_headers(w);
    w->in_frame = w->opens || (!w->in_header && top(w)->part.kind != MIME_LEAF);
    if (w->opens) {
        tell(w, MIME_WALK_FRAME, line);
        tell(w, MIME_WALK_FRAME, eol);
    } else if (w->in_header && line.n == 0 && eol.p) {
        end_header(w, eol);
        w->field_seen = false;
        return;
    } else {
        if (w->in_header && line.n)
            begin_field(w, line);
        else if (!w->in_frame) {
            tell(w, MIME_WALK_EOL, w->held_eol);
            w->held_eol = STR_NONE;
        }
        put_piece(w, line, eol);
    }
    if (w->opens && eol.p)
        open_after_delimiter(w);
}

static void continue_line(struct mime_walk *w, str bytes, str eol)
{
    if (!w->opens) {
        put_piece(w, bytes, eol);
        return;
    }
    tell(w, MIME_WALK_FRAME, bytes);
    tell(w, MIME_WALK_FRAME, eol);
    if (eol.p)
        open_after_delimiter(w);
}

/* A whole line with its line end. */
static void whole_line(struct mime_walk *w, str line)
{
    bool crlf = line.n > 1 && line.p[line.n - 2] == '\r';
    begin_line(w, str_sub(line, 0, line.n - 1 - crlf), crlf ? S("\r\n") : S("\n"));
}

/* More of a line of which the start was handled, up to its end or that of the input: returns the bytes taken.
 */
static size_t feed_rest(struct mime_walk *w, str bytes)
{
    ptrdiff_t lf = str_chr(bytes, '\n');
    size_t taken = lf < 0 ? bytes.n : (size_t)lf + 1, n = lf < 0 ? bytes.n : (size_t)lf;
    bool cr_before = w->held_cr && !(lf == 0);
    bool crlf = lf == 0 ? w->held_cr : n > 0 && bytes.p[n - 1] == '\r';
    if (cr_before)
        continue_line(w, S("\r"), STR_NONE);
    w->held_cr = lf < 0 && crlf;
    n -= crlf && n > 0;
    continue_line(w, str_sub(bytes, 0, n), lf < 0 ? STR_NONE : crlf ? S("\r\n") : S("\n"));
    w->in_line = lf < 0;
    return taken;
}

/* The start of a line: returns the bytes taken. */
static size_t feed_start(struct mime_walk *w, str bytes)
{
    size_t room = MIME_WALK_LINE_MAX - w->line.n;
    ptrdiff_t lf = str_chr(str_sub(bytes, 0, room), '\n');
    size_t taken = lf >= 0 ? (size_t)lf + 1 : bytes.n < room ? bytes.n : room;
    if (lf >= 0 && w->line.n == 0) {
        whole_line(w, str_sub(bytes, 0, taken));
        return taken;
    }
    buf_put(&w->line, bytes.p, taken);
    if (lf >= 0) {
        whole_line(w, buf_str(&w->line));
        buf_reset(&w->line);
    } else if (w->line.n == MIME_WALK_LINE_MAX) {
        w->held_cr = w->line.p[w->line.n - 1] == '\r';
        w->in_line = true;
        begin_line(w, str_sub(buf_str(&w->line), 0, w->line.n - w->held_cr), STR_NONE);
        buf_reset(&w->line);
    }
    return taken;
}

void mime_walk_feed(struct mime_walk *w, str bytes)
{
    while (bytes.n)
        bytes = str_from(bytes, w->in_line ? feed_rest(w, bytes) : feed_start(w, bytes));
}

void mime_walk_finish(struct mime_walk *w)
{
    if (w->line.n)
        begin_line(w, buf_str(&w->line), STR_NONE);
    if (w->held_cr)
        continue_line(w, S("\r"), STR_NONE);
    if (w->opens)
        open_after_delimiter(w);
    tell(w, MIME_WALK_EOL, w->held_eol);
    close_down_to(w, 0);
}
