#include "role/queue_client.h"

#include "os/file.h"
#include "role/ipc.h"
#include "role/ipc_bytes.h"

#include <unistd.h>

enum { PUT_ATTEMPTS = 5 };

static enum rc failed(struct err *e, const char *why)
{
    (void)err_set(e, RC_TEMP, 451, "4.3.0", "Error: queue file write error");
    err_note(e, "%s", why);
    return RC_TEMP;
}

/* One question; RC_TEMP without an answer. */
static enum rc ask(struct channel_pool *queue, struct buf *b, str envelope, str content, int spool_fd,
                   msec deadline, struct err *ret_answer)
{
    int fds[3];
    unsigned n = 0;
    struct ipc_msg m;
    ipc_begin(b, MSG_QUEUE_PUT);
    enum rc rc = ipc_put_bytes(b, envelope, fds, &n);
    ipc_put_u32(b, spool_fd >= 0 ? 1 : 0);
    if (rc == RC_OK)
        rc = ipc_put_bytes(b, spool_fd >= 0 ? STR_NONE : content, fds, &n);
    unsigned own = n;
    if (spool_fd >= 0)
        fds[n++] = spool_fd;
    if (rc == RC_OK)
        rc = channel_pool_call(queue, b, fds, n, MSG_QUEUE_PUT_REPLY, &m, deadline);
    while (own > 0)
        close(fds[--own]);
    if (rc != RC_OK)
        return RC_TEMP;
    ipc_get_err(&m, ret_answer);
    ipc_msg_deinit(&m);
    return RC_OK;
}

enum rc queue_client_put(struct channel_pool *queue, const struct queue_envelope *v, str content,
                         int spool_fd, msec deadline, struct err *e)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(IPC_LARGE_MAX);
    AUTO(buf_deinit) struct buf envelope = BUF_INIT(QUEUE_ENVELOPE_MAX);
    struct err answer = {0};
    enum rc rc = RC_TEMP;
    queue_envelope_put(&envelope, v);
    if (envelope.overflow)
        return failed(e, "the envelope is too large");
    /* queue may be starting again at this moment; the id keeps a second question from doing harm. A lent file
     * is a message's file after the first one. */
    for (int attempt = 0;
         attempt < (spool_fd < 0 ? PUT_ATTEMPTS : 1) && rc != RC_OK && clock_mono() < deadline; attempt++)
        rc = ask(queue, &b, buf_str(&envelope), content, spool_fd, deadline, &answer);
    if (rc != RC_OK)
        return failed(e, "queue does not answer");
    if (answer.rc != RC_OK)
        *e = answer;
    return answer.rc;
}
