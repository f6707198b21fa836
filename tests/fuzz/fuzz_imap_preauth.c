/* A whole IMAP dialogue before log-in with the input as its client: it must end, whatever comes. */
#include "imap/preauth.h"
#include "login_talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct login_talk t = {.run = imap_preauth, .starttls = size % 2 == 0};
    if (size > 200000)
        return 0;
    login_talk(&t, str_mem(data, size));
    must(t.outcome.end == LOGIN_DONE || t.outcome.reason);
    login_talk_deinit(&t);
    return 0;
}
