/* The two passes of the conversion: the first finds out what must become of each part, the second does it.
 *
 *   plan            leaf part                                       composite part
 *   KEEP            is 7bit                                         as it is
 *   LABEL           is 7bit, and said to be 8bit or binary          says 8bit or binary: 7bit
 *   TO_QP           text, not encoded, not 7bit
 *   TO_BASE64       all else, not encoded, not 7bit
 *   MEND_QP         quoted-printable, not 7bit
 *   MEND_BASE64     base64, not 7bit */
#include "fmt/downgrade_impl.h"

#include "fmt/transfer.h"

static bool says_more_than_7bit(str encoding)
{
    return str_ieq(encoding, S("8bit")) || str_ieq(encoding, S("binary"));
}

/* What becomes of a leaf that is not 7bit. Text is what lines mean something in: message/delivery-status,
 * a multipart without a boundary. */
static char plan_for_dirty(const struct mime_part *part)
{
    str encoding = part->encoding;
    if (transfer_encoding_find(encoding) == TRANSFER_QP)
        return MEND_QP;
    if (transfer_encoding_find(encoding) == TRANSFER_BASE64)
        return MEND_BASE64;
    if (encoding.n && !says_more_than_7bit(encoding) && !str_ieq(encoding, S("7bit")))
        return KEEP;
    bool text = mime_is(part, S("text"), STR_NONE) || mime_is(part, S("message"), STR_NONE) ||
                mime_is(part, S("multipart"), STR_NONE);
    return text ? TO_QP : TO_BASE64;
}

bool downgrade_is_dirty(str bytes)
{
    for (size_t i = 0; i < bytes.n; i++)
        if ((unsigned char)bytes.p[i] >= 0x80 || bytes.p[i] == '\0' || bytes.p[i] == '\r')
            return true;
    return false;
}

static void scan_header(struct downgrade *d, str bytes)
{
    bool eol = bytes.p[bytes.n - 1] == '\n';
    d->column = eol ? 0 : d->column + bytes.n;
    d->report.header_8bit |= !eol && downgrade_is_dirty(bytes);
    d->report.header_long |= d->column > LINE_MAX_7BIT;
}

/* The parts come in the order of their index. */
static void scan_header_end(struct downgrade *d, const struct mime_walk_level *level)
{
    bool label = says_more_than_7bit(level->part.encoding);
    must(d->plan.n == level->index);
    buf_putc(&d->plan, label ? LABEL : KEEP);
    d->report.needed |= label;
    d->report.breaks_signed |= label && level->is_signed;
    d->column = 0;
    d->dirty = false;
}

static void scan_text(struct downgrade *d, const struct mime_walk_level *level, str bytes)
{
    d->column += bytes.n;
    if (d->dirty || (d->column <= LINE_MAX_7BIT && !downgrade_is_dirty(bytes)))
        return;
    char plan = plan_for_dirty(&level->part);
    d->dirty = true;
    d->plan.p[level->index] = plan;
    d->report.impossible |= plan == KEEP;
    d->report.needed |= plan != KEEP;
    d->report.converted += plan != KEEP;
    d->report.breaks_signed |= plan != KEEP && level->is_signed;
}

/* In binary content: lines do not end so. Where the part is encoded already, its decoder does not care. */
static void scan_bare_lf(struct downgrade *d, const struct mime_walk_level *level)
{
    char plan = plan_for_dirty(&level->part);
    if (plan != TO_QP && plan != TO_BASE64)
        return;
    d->plan.p[level->index] = TO_BASE64;
    d->report.needed = true;
    d->report.breaks_signed |= level->is_signed;
    d->report.converted += !d->dirty;
    d->dirty = true;
}

static void scan_frame(struct downgrade *d, str bytes)
{
    bool eol = bytes.p[bytes.n - 1] == '\n';
    d->column = eol ? 0 : d->column + bytes.n;
    d->report.needed |= d->column > LINE_MAX_7BIT || (!eol && downgrade_is_dirty(bytes));
}

static void scan_event(void *arg, const struct mime_walk *w, enum mime_walk_event event, str bytes)
{
    struct downgrade *d = arg;
    switch (event) {
    case MIME_WALK_FIELD:
        scan_header(d, bytes);
        break;
    case MIME_WALK_HEADER_END:
        scan_header_end(d, mime_walk_current(w));
        break;
    case MIME_WALK_TEXT:
        scan_text(d, mime_walk_current(w), bytes);
        break;
    case MIME_WALK_EOL:
        if (d->binary && bytes.n == 1)
            scan_bare_lf(d, mime_walk_current(w));
        d->column = 0;
        break;
    case MIME_WALK_FRAME:
        scan_frame(d, bytes);
        break;
    case MIME_WALK_DELIMITER:
        d->column = bytes.p[0] == '-' ? bytes.n : 0;
        break;
    default:
        d->column = 0;
    }
}

static str encoding_field(char plan)
{
    switch (plan) {
    case LABEL:
        return S("Content-Transfer-Encoding: 7bit\n");
    case TO_QP:
    case MEND_QP:
        return S("Content-Transfer-Encoding: quoted-printable\n");
    default:
        return S("Content-Transfer-Encoding: base64\n");
    }
}

/* Pieces of header lines: the first field with the encoding is written anew, further ones go. */
static void convert_field(struct downgrade *d, const struct mime_walk *w, char plan, str bytes)
{
    if (w->field_starts) {
        d->dropping = plan != KEEP && str_eq(mime_walk_field(w), S("content-transfer-encoding"));
        if (d->dropping && !d->has_field)
            buf_puts(d->out, encoding_field(plan));
        d->has_field |= d->dropping;
    }
    if (!d->dropping)
        buf_puts(d->out, bytes);
}

/* Without MIME-Version nobody would undo the encoding (RFC 2045 §4). */
static void convert_header_end(struct downgrade *d, const struct mime_walk_level *level, char plan, str bytes)
{
    if ((plan == TO_QP || plan == TO_BASE64) && level->is_message && !level->has_version)
        buf_puts(d->out, S("MIME-Version: 1.0\n"));
    if (plan != KEEP && !d->has_field)
        buf_puts(d->out, encoding_field(plan));
    buf_puts(d->out, bytes);
    d->has_field = d->dropping = false;
    downgrade_body_begin(d);
}

/* Nobody reads this; it must not turn into a delimiter. */
static void convert_frame(struct downgrade *d, str bytes)
{
    bool eol = bytes.p[bytes.n - 1] == '\n';
    if (eol) {
        buf_puts(d->out, bytes);
        d->column = 0;
        return;
    }
    bool dirty = downgrade_is_dirty(bytes), starts = d->column == 0;
    for (size_t i = 0; i < bytes.n; i++, d->column++) {
        if (d->column == LINE_MAX_7BIT) {
            buf_puts(d->out, S("\n "));
            d->column = 1;
        }
        bool bad = downgrade_is_dirty(str_sub(bytes, i, 1));
        buf_putc(d->out, bad || (dirty && starts && i == 0 && bytes.p[i] == '-') ? '?' : bytes.p[i]);
    }
}

static void convert_event(void *arg, const struct mime_walk *w, enum mime_walk_event event, str bytes)
{
    struct downgrade *d = arg;
    const struct mime_walk_level *level = mime_walk_current(w);
    bool framed = event == MIME_WALK_DELIMITER || event == MIME_WALK_FRAME;
    char plan = framed ? KEEP : d->plan.p[level->index];
    switch (event) {
    case MIME_WALK_FIELD:
        convert_field(d, w, plan, bytes);
        break;
    case MIME_WALK_HEADER_END:
        convert_header_end(d, level, plan, bytes);
        break;
    case MIME_WALK_TEXT:
        downgrade_body_text(d, plan, bytes);
        break;
    case MIME_WALK_EOL:
        downgrade_body_eol(d, plan, bytes);
        break;
    case MIME_WALK_LEAF_END:
        downgrade_body_end(d, plan);
        break;
    case MIME_WALK_DELIMITER:
        buf_puts(d->out, bytes);
        d->column = bytes.p[0] == '-' ? bytes.n : 0;
        d->open_line = false;
        break;
    default:
        convert_frame(d, bytes);
    }
}

void downgrade_init(struct downgrade *d)
{
    static const struct mime_limits limits = MIME_LIMITS_DEFAULT;
    *d = (struct downgrade){.column = 0};
    buf_init(&d->plan, limits.parts);
    mime_walk_init(&d->walk, &limits, scan_event, d);
}

void downgrade_deinit(struct downgrade *d)
{
    mime_walk_deinit(&d->walk);
    buf_deinit(&d->plan);
}

void downgrade_scan(struct downgrade *d, str piece)
{
    mime_walk_feed(&d->walk, piece);
}

void downgrade_scan_end(struct downgrade *d)
{
    mime_walk_finish(&d->walk);
    mime_walk_deinit(&d->walk);
    d->column = 0;
    mime_walk_init(&d->walk, NULL, convert_event, d);
}

void downgrade_convert(struct downgrade *d, str piece, struct buf *out)
{
    d->out = out;
    mime_walk_feed(&d->walk, piece);
}

void downgrade_convert_end(struct downgrade *d, struct buf *out)
{
    d->out = out;
    mime_walk_finish(&d->walk);
    if (d->open_line)
        buf_putc(out, '\n');
}
