/* A segment of the log of mail in transit: any bytes as they stand, behind a right header, and as the parts
 * of a record, which comes out as it was put in. What is taken lies in the segment. */
#include "fmt/transit_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct transit_header header = {.key = {1, 2}, .generation = 3};

static bool is_within(str part, str segment)
{
    return part.n == 0 || (part.p > segment.p && part.p + part.n <= segment.p + segment.n);
}

static int walk(str segment, struct transit_record *last)
{
    struct transit_walk w;
    int n = 0;
    if (transit_walk_begin(&w, segment) != RC_OK)
        return 0;
    for (struct transit_record r; transit_walk_next(&w, &r) == RC_OK; n++) {
        must(is_within(r.site, segment) && is_within(r.envelope, segment) && is_within(r.content, segment));
        must(w.at > TRANSIT_BLOCK && w.at <= segment.n);
        *last = r;
    }
    return n;
}

static void begin_segment(struct buf *segment)
{
    static const char zeros[TRANSIT_BLOCK];
    buf_put(segment, zeros, sizeof zeros);
    transit_header_format(&header, (unsigned char *)segment->p);
}

static void behind_a_header(str in)
{
    struct buf segment = BUF_INIT(TRANSIT_BLOCK + in.n);
    struct transit_record r;
    begin_segment(&segment);
    buf_puts(&segment, in);
    walk(buf_str(&segment), &r);
    buf_deinit(&segment);
}

static void as_a_record(str in)
{
    struct buf segment = BUF_INIT(TRANSIT_BLOCK + TRANSIT_RECORD_HEADER_SIZE + TRANSIT_PAYLOAD_MAX + 8);
    struct transit_record r = {.kind = TRANSIT_PUT, .number = (int64_t)in.n}, found;
    r.site = str_take(&in, '\n');
    r.envelope = str_take(&in, '\n');
    r.content = in;
    if (r.site.n + r.envelope.n + r.content.n <= TRANSIT_PAYLOAD_MAX) {
        begin_segment(&segment);
        transit_record_put(&segment, &header, 0, &r);
        must(walk(buf_str(&segment), &found) == 1);
        must(found.number == r.number && str_eq(found.site, r.site) && str_eq(found.envelope, r.envelope) &&
             str_eq(found.content, r.content));
    }
    buf_deinit(&segment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = str_mem(data, size);
    struct transit_record r;
    walk(in, &r);
    behind_a_header(in);
    as_a_record(in);
    return 0;
}
