/* Base subjects: never longer than the subject, without white space at the ends, and their own base subject
 * but for what only the last step takes away. */
#include "fmt/base_subject.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buf_deinit) struct buf once = BUF_INIT(size + 1);
    AUTO(buf_deinit) struct buf twice = BUF_INIT(size + 1);
    bool reply = false, again = false;
    base_subject_put(&once, str_mem(data, size), &reply);
    must(!once.overflow && once.n <= size);
    must(once.n == 0 || (once.p[0] != ' ' && once.p[once.n - 1] != ' '));
    base_subject_put(&twice, buf_str(&once), &again);
    must(str_eq(buf_str(&once), buf_str(&twice)) && !again);
    return 0;
}
