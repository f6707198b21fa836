/* A segment of the delivery journal: any bytes as they stand, and the same with right sums, so that the walk
 * goes past them. What it takes has safe names and lies in the segment. */
#include "fmt/journal_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(str segment)
{
    struct journal_walk w;
    struct journal_record r;
    if (journal_walk_begin(&w, segment) != RC_OK)
        return;
    while (journal_walk_next(&w, &r) == RC_OK) {
        must(r.path.n > 0 && r.path.p[0] != '/' && r.path.p[r.path.n - 1] != '/' &&
             r.path.n <= JOURNAL_PATH_MAX);
        must(r.base.n > 0 && r.base.n <= JOURNAL_BASE_MAX && r.base.p[0] != '.');
        must(str_chr(r.base, '/') < 0 && str_chr(r.base, ':') < 0 && str_chr(r.base, '\0') < 0);
        must(r.path.p > segment.p && r.content.p + r.content.n <= segment.p + segment.n);
        must(w.at > JOURNAL_BLOCK && w.at <= segment.n + JOURNAL_RECORD_PAD);
    }
}

/* The input as content, path and base of one record, in a group of its own. */
static void make_and_walk(str in)
{
    struct journal_header h = {.key = {1, 2}, .generation = 3};
    struct buf record = BUF_INIT(JOURNAL_RECORD_MAX), segment = BUF_INIT(JOURNAL_BLOCK + JOURNAL_RECORD_MAX);
    static const char zeros[JOURNAL_BLOCK];
    str path = str_take(&in, '\n'), base = str_take(&in, '\n');
    if (path.n > 0 && path.n <= JOURNAL_PATH_MAX && base.n > 0 && base.n <= JOURNAL_BASE_MAX) {
        journal_record_begin(&record, 0, path, base);
        buf_puts(&record, in);
        journal_record_end(&record, h.key);
    }
    if (record.n > 0 && !record.overflow) {
        must(str_eq(journal_record_content(buf_str(&record)), in));
        journal_record_place(record.p, &h, 0);
        buf_put(&segment, zeros, sizeof zeros);
        journal_header_format(&h, (unsigned char *)segment.p);
        buf_puts(&segment, buf_str(&record));
        walk(buf_str(&segment));
    }
    buf_deinit(&record);
    buf_deinit(&segment);
}

/* The input in place of records, the header before it right. */
static void walk_behind_header(str in)
{
    struct journal_header h = {.key = {1, 2}, .generation = 3};
    struct buf segment = BUF_INIT(2 * JOURNAL_BLOCK + in.n);
    static const char zeros[JOURNAL_BLOCK];
    buf_put(&segment, zeros, sizeof zeros);
    journal_header_format(&h, (unsigned char *)segment.p);
    buf_puts(&segment, in);
    if (in.n >= JOURNAL_RECORD_HEADER_SIZE)
        journal_record_place(segment.p + JOURNAL_BLOCK, &h, 0);
    walk(buf_str(&segment));
    buf_deinit(&segment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = str_mem(data, size);
    struct journal_boot boot;
    walk(in);
    walk_behind_header(in);
    make_and_walk(in);
    (void)!journal_boot_parse(in, &boot);
    return 0;
}
