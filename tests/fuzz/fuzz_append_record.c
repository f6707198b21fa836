/* malle.append: whatever is taken has names that stay in their folders, and is written as it was read. */
#include "fmt/append_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(str s)
{
    must(s.n > 0 && s.p[0] != '.' && str_chr(s, '/') < 0 && str_chr(s, '\0') < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = str_mem(data, size), rest = in;
    struct append_step step;
    struct buf again = BUF_INIT(size + 1);
    while (append_record_next(&rest, &step) == RC_OK) {
        if (step.out) {
            must(str_chr(step.folder, '/') < 0 && !str_starts(step.folder, S("..")));
            check_name(step.base);
            append_record_put_out(&again, step.folder, step.base);
        } else {
            check_name(step.tmp);
            check_name(step.name);
            append_record_put_in(&again, step.tmp, step.name);
        }
    }
    must(!again.overflow && str_eq(buf_str(&again), str_sub(in, 0, size - rest.n)));
    buf_deinit(&again);
    return 0;
}
