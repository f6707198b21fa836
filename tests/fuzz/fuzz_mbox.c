/* mbox: a message that is written reads back line by line, and its flags with it. */
#include "fmt/mbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever a message holds, no line of it looks like a separator, and each is again what it was. */
static void check_quoting(str raw)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(2 * raw.n + 16), back = BUF_INIT(raw.n + 1);
    int64_t seconds;
    mbox_put_message(&out, raw);
    must(!out.overflow && str_ends(buf_str(&out), S("\n")));
    str rest = str_sub(buf_str(&out), 0, out.n - 1); /* without the empty line */
    while (rest.n) {
        str line = str_take(&rest, '\n');
        must(!mbox_is_separator(line, &seconds));
        buf_puts(&back, mbox_unquoted(line));
        buf_putc(&back, '\n');
    }
    must(str_eq(str_sub(buf_str(&back), 0, raw.n), raw));
}

static void check_flags(str raw)
{
    AUTO(arena_freep) struct arena *a = arena_new(2 * raw.n + 4096);
    AUTO(buf_deinit)
    struct buf clean = BUF_INIT(raw.n), again = BUF_INIT(2 * raw.n + 4096),
               twice = BUF_INIT(2 * raw.n + 4096);
    struct mbox_flags f, g;
    if (mbox_take_flags(raw, a, &clean, &f) != RC_OK)
        return;
    str first = str_sub(buf_str(&clean), 0, 1);
    if (str_eq(first, S(" ")) || str_eq(first, S("\t")))
        return; /* no header: a line that continues what would come in front of it */
    must(str_chr(f.keywords, '\n') < 0);
    mbox_put_flags(&again, &f);
    buf_puts(&again, buf_str(&clean));
    if (mbox_take_flags(buf_str(&again), a, &twice, &g) == RC_OK)
        must(g.flags == f.flags && str_eq(buf_str(&twice), buf_str(&clean)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str text = str_mem(data, size);
    check_quoting(text);
    check_flags(text);
    return 0;
}
