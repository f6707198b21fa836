/* POP3 before log-in and after it, with the input as the client: the first byte says which. Both must end. */
#include "login_talk.h"
#include "mem_store.h"
#include "pop3/preauth.h"
#include "pop3/session.h"

/* The session runs where the dialogue would. */
static void run_session(struct stream *io, const struct login_settings *set, const struct login_ops *ops,
                        void *ctx, struct login_outcome *ret)
{
    struct store *st = mem_store_new();
    struct pop3_start start = {.stream = io, .store = st, .account = S("demo"), .timeout_ms = 5000};
    must(pop3_session(&start) == 0);
    store_close(st);
    *ret = (struct login_outcome){.end = LOGIN_ABANDONED, .reason = "session"};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 100000)
        return 0;
    struct login_talk t = {.run = data[0] % 2 ? run_session : pop3_preauth};
    login_talk(&t, str_mem(data + 1, size - 1));
    must(t.outcome.end == LOGIN_DONE || t.outcome.reason);
    login_talk_deinit(&t);
    return 0;
}
