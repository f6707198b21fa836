/* imap_reader: the same events must come out however the input is cut; limits hold. The first byte chooses
 * the cut. */
#include "fmt/imap_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct imap_reader_limits LIMITS = {
    .line_max = 64, .literal_max = 32, .command_max = 128, .literals_max = 3};

static uint64_t mix(uint64_t h, uint64_t v)
{
    return (h ^ v) * 0x100000001b3u;
}

static uint64_t feed(struct imap_reader *r, str in, uint64_t h)
{
    enum imap_event ev;
    while ((ev = imap_reader_feed(r, &in)) != IMAP_READ_MORE) {
        must(r->text.n <= LIMITS.command_max && !r->text.overflow);
        if (ev != IMAP_READ_CHUNK)
            h = mix(h, ev);
        for (size_t i = 0; i < r->text.n; i++)
            h = mix(h, (uint8_t)r->text.p[i]);
        for (size_t i = 0; ev == IMAP_READ_CHUNK && i < r->chunk.n; i++)
            h = mix(h, (uint8_t)r->chunk.p[i]);
        if (ev != IMAP_READ_LITERAL)
            continue;
        if (r->text.p[0] == 's')
            imap_reader_stream(r);
        else if (imap_reader_gather(r))
            imap_reader_refuse(r);
    }
    must(in.n == 0);
    return h;
}

static uint64_t run(str in, size_t step)
{
    struct imap_reader r;
    uint64_t h = 0;
    imap_reader_init(&r, &LIMITS);
    for (size_t i = 0; i < in.n; i += step)
        h = feed(&r, str_sub(in, i, step), h);
    imap_reader_deinit(&r);
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    str in = str_mem(data + 1, size - 1);
    must(run(in, in.n) == run(in, data[0] % 40u + 1));
    return 0;
}
