/* imap_reader: where an IMAP command ends, found one line at a time (RFC 9051 §2.2.1, §4.3; RFC 7888 §4). A
 * line that ends in a literal's announcement is followed by that many bytes and by more of the command.
 * Quoted strings need no regard: they cannot hold a line end, so none can hide an announcement that ends a
 * line. */
#include "fmt/imap_reader.h"

#include "base/num.h"

void imap_reader_init(struct imap_reader *r, const struct imap_reader_limits *limits)
{
    *r = (struct imap_reader){.limits = *limits, .state = IMAP_READER_LINE};
    buf_init(&r->text, limits->command_max);
}

void imap_reader_deinit(struct imap_reader *r)
{
    buf_deinit(&r->text);
}

bool imap_reader_within(const struct imap_reader *r)
{
    return r->begun;
}

static void command_begin(struct imap_reader *r)
{
    buf_reset(&r->text);
    r->begun = true;
    r->skipping = false;
    r->state = IMAP_READER_LINE;
    r->line_start = r->tail_n = 0;
    r->literals = 0;
}

/* literal  = "{" number64 ["+"] "}"
 * literal8 = "~{" number64 ["+"] "}"
 * at the end of the line. A number past 64 bits is announced as UINT64_MAX, which no limit allows. */
static bool announcement_parse(str line, struct imap_literal *ret)
{
    if (!str_ends(line, S("}")))
        return false;
    struct imap_literal l = {0};
    size_t end = line.n - 1;
    if (end > 0 && line.p[end - 1] == '+') {
        l.nonsync = true;
        end--;
    }
    size_t from = end;
    while (from > 0 && ascii_digit(line.p[from - 1]))
        from--;
    if (from == end || end - from > 20 || from == 0 || line.p[from - 1] != '{')
        return false;
    if (num_parse_u64(str_sub(line, from, end - from), UINT64_MAX, &l.size))
        l.size = UINT64_MAX;
    l.binary = from >= 2 && line.p[from - 2] == '~';
    *ret = l;
    return true;
}

static str without_line_end(str line)
{
    if (str_ends(line, S("\n")))
        line.n--;
    if (str_ends(line, S("\r")))
        line.n--;
    return line;
}

/* Keeps the last bytes of the line that is being skipped. */
static void tail_keep(struct imap_reader *r, str bytes)
{
    if (bytes.n >= sizeof r->tail) {
        memcpy(r->tail, bytes.p + bytes.n - sizeof r->tail, sizeof r->tail);
        r->tail_n = sizeof r->tail;
        return;
    }
    if (r->tail_n + bytes.n > sizeof r->tail) {
        size_t drop = r->tail_n + bytes.n - sizeof r->tail;
        memmove(r->tail, r->tail + drop, r->tail_n - drop);
        r->tail_n -= drop;
    }
    if (bytes.n > 0)
        memcpy(r->tail + r->tail_n, bytes.p, bytes.n);
    r->tail_n += bytes.n;
}

static void skip_begin(struct imap_reader *r)
{
    r->skipping = true;
    r->tail_n = 0;
    tail_keep(r, str_from(buf_str(&r->text), r->line_start));
}

/* A refused line is complete. The client waits after a synchronizing literal's announcement and will, having
 * read our refusal, begin a new command; a non-synchronizing one is already on its way. */
static void skip_line_end(struct imap_reader *r)
{
    struct imap_literal l;
    if (announcement_parse(without_line_end(str_mem(r->tail, r->tail_n)), &l) && l.nonsync) {
        r->left = l.size;
        r->state = IMAP_READER_STREAM;
    } else {
        r->begun = false;
    }
    r->tail_n = 0;
}

static enum imap_event line_complete(struct imap_reader *r)
{
    str line = without_line_end(str_from(buf_str(&r->text), r->line_start));
    buf_truncate(&r->text, r->line_start + line.n);
    if (!announcement_parse(line, &r->literal)) {
        r->begun = false;
        return IMAP_READ_COMMAND;
    }
    buf_puts(&r->text, S("\r\n"));
    r->state = IMAP_READER_ANNOUNCED;
    return IMAP_READ_LITERAL;
}

static size_t line_room(const struct imap_reader *r)
{
    size_t line = r->limits.line_max - (r->text.n - r->line_start);
    size_t command = r->limits.command_max - r->text.n;
    /* two bytes more, because a bare LF after an announcement is kept as CRLF */
    command = command > 2 ? command - 2 : 0;
    return line < command ? line : command;
}

static enum imap_event feed_line(struct imap_reader *r, str *in)
{
    ptrdiff_t lf = str_chr(*in, '\n');
    str piece = str_sub(*in, 0, lf < 0 ? in->n : (size_t)lf + 1);
    if (r->skipping) {
        tail_keep(r, piece);
        *in = str_from(*in, piece.n);
        if (lf >= 0)
            skip_line_end(r);
        return IMAP_READ_MORE;
    }
    size_t room = line_room(r);
    if (piece.n > room) {
        buf_puts(&r->text, str_sub(piece, 0, room));
        *in = str_from(*in, room);
        skip_begin(r);
        return IMAP_READ_TOO_LONG;
    }
    buf_puts(&r->text, piece);
    *in = str_from(*in, piece.n);
    return lf < 0 ? IMAP_READ_MORE : line_complete(r);
}

static str take_literal_bytes(struct imap_reader *r, str *in)
{
    str piece = str_sub(*in, 0, in->n < r->left ? in->n : (size_t)r->left);
    r->left -= piece.n;
    *in = str_from(*in, piece.n);
    return piece;
}

static void line_begin(struct imap_reader *r)
{
    r->state = IMAP_READER_LINE;
    r->line_start = r->text.n;
    r->tail_n = 0;
}

static enum imap_event feed_stream(struct imap_reader *r, str *in)
{
    if (r->left == 0) {
        line_begin(r);
        return r->skipping ? IMAP_READ_MORE : IMAP_READ_STREAMED;
    }
    r->chunk = take_literal_bytes(r, in);
    return r->skipping || r->chunk.n == 0 ? IMAP_READ_MORE : IMAP_READ_CHUNK;
}

static enum imap_event feed_gather(struct imap_reader *r, str *in)
{
    buf_puts(&r->text, take_literal_bytes(r, in));
    if (r->left == 0)
        line_begin(r);
    return IMAP_READ_MORE;
}

enum imap_event imap_reader_feed(struct imap_reader *r, str *in)
{
    must(r->state != IMAP_READER_ANNOUNCED || !r->begun);
    while (in->n > 0 || (r->begun && r->state != IMAP_READER_LINE && r->left == 0)) {
        enum imap_event ev;
        if (!r->begun)
            command_begin(r);
        if (r->state == IMAP_READER_LINE)
            ev = feed_line(r, in);
        else if (r->state == IMAP_READER_GATHER)
            ev = feed_gather(r, in);
        else
            ev = feed_stream(r, in);
        if (ev != IMAP_READ_MORE)
            return ev;
    }
    return IMAP_READ_MORE;
}

enum rc imap_reader_gather(struct imap_reader *r)
{
    must(r->state == IMAP_READER_ANNOUNCED);
    if (r->literal.size > r->limits.literal_max || r->literals >= r->limits.literals_max ||
        r->literal.size > r->limits.command_max - r->text.n)
        return RC_LIMIT;
    r->literals++;
    r->left = r->literal.size;
    r->state = IMAP_READER_GATHER;
    return RC_OK;
}

void imap_reader_stream(struct imap_reader *r)
{
    must(r->state == IMAP_READER_ANNOUNCED);
    buf_reset(&r->text);
    r->left = r->literal.size;
    r->state = IMAP_READER_STREAM;
}

void imap_reader_refuse(struct imap_reader *r)
{
    if (!r->begun)
        return;
    if (r->state == IMAP_READER_ANNOUNCED && !r->literal.nonsync) {
        r->begun = false;
        return;
    }
    if (r->state == IMAP_READER_ANNOUNCED) {
        r->left = r->literal.size;
        r->state = IMAP_READER_STREAM;
    }
    skip_begin(r);
}
