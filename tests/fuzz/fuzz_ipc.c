/* Messages from a role that was taken over: any bytes with any number of descriptors give a message within
 * its limits or a refusal, no descriptor is left open, and what is accepted is written back as it came.
 * Input: a byte of descriptors, then a whole datagram. */
#include "account/identity.h"
#include "fmt/aliases.h"
#include "fmt/via.h"
#include "role/command_msg.h"
#include "role/deliver_msg.h"
#include "role/ipc.h"
#include "role/keys.h"
#include "role/table_msg.h"
#include "table/table.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DATAGRAM_MAX = 70000, FDS_MAX = IPC_FDS_MAX + 2, PAIRS_MAX = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void send_raw(int to, str bytes, unsigned n_fds)
{
    struct iovec iov = {(void *)bytes.p, bytes.n};
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
    } control = {0};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (n_fds > 0) {
        msg.msg_control = control.space;
        msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        for (unsigned i = 0; i < n_fds; i++)
            memcpy(CMSG_DATA(c) + i * sizeof(int), &to, sizeof to);
    }
    must(sendmsg(to, &msg, MSG_NOSIGNAL) == (ssize_t)bytes.n);
}

static void check_identity(str bytes, struct buf *out)
{
    struct account_identity id, again;
    if (identity_get(bytes, &id) != RC_OK)
        return;
    must(id.account[0] && id.home[0] == '/' && id.mail_dir[0] == '/' && id.index_dir[0] == '/');
    must(id.n_groups <= IDENTITY_GROUPS_MAX && !strstr(id.mail_dir, "/../"));
    buf_reset(out);
    identity_put(out, &id);
    must(!out->overflow && out->n <= IDENTITY_BYTES_MAX && identity_get(buf_str(out), &again) == RC_OK);
    must(memcmp(id.groups, again.groups, sizeof id.groups) == 0 && id.uid == again.uid &&
         id.gid == again.gid);
    must(strcmp(id.account, again.account) == 0 && strcmp(id.home, again.home) == 0 &&
         id.system == again.system);
}

static void check_keys(str bytes, struct buf *out)
{
    struct tls_pem pairs[PAIRS_MAX];
    size_t n;
    struct keys_ca ca;
    if (keys_get(bytes, pairs, PAIRS_MAX, &n, &ca) != RC_OK)
        return;
    buf_reset(out);
    keys_put(out, pairs, n, &ca);
    must(str_eq(buf_str(out), bytes));
}

static void check_err(struct ipc_msg m, struct buf *out)
{
    struct err e, again;
    ipc_get_err(&m, &e);
    must(e.rc <= RC_GONE && e.code >= 0 && e.code < 1000 && (!m.malformed || e.rc == RC_TEMP));
    must(memchr(e.enhanced, 0, sizeof e.enhanced) && memchr(e.peer, 0, sizeof e.peer) &&
         memchr(e.log, 0, sizeof e.log));
    ipc_begin(out, MSG_DELIVER_REPLY);
    ipc_put_err(out, &e);
    size_t header = out->n - (sizeof(uint32_t) * 5 + strlen(e.enhanced) + strlen(e.peer) + strlen(e.log));
    struct ipc_msg back = {.fields = str_from(buf_str(out), header)};
    ipc_get_err(&back, &again);
    must(ipc_end(&back) == RC_OK && again.rc == e.rc && again.code == e.code &&
         strcmp(again.log, e.log) == 0);
}

static void check_deliver(struct ipc_msg *m)
{
    struct deliver_request rq;
    enum rc rc = deliver_request_get(m, &rq);
    if (rc == RC_OK) {
        must(rq.count >= 1 && rq.count <= DELIVER_BATCH_MAX && rq.commit <= DELIVER_COMMIT_EACH);
        must(rq.content_fd >= 0 || rq.content.n == rq.bytes);
        must(rq.id.n <= DELIVER_ID_MAX && rq.trace.n <= DELIVER_TRACE_MAX &&
             rq.content.n <= DELIVER_INLINE_MAX);
    }
    if (rq.content_fd >= 0)
        close(rq.content_fd);
}

static void check_question(struct ipc_msg m, struct buf *out)
{
    struct table_question q, again;
    if (table_question_get(&m, &q) != RC_OK)
        return;
    must(q.table.n <= TABLE_SPEC_MAX && q.key.n <= TABLE_MSG_KEY_MAX);
    must(table_question_put(out, &q) == RC_OK);
    size_t fields = 2 * sizeof(uint32_t) + q.table.n + q.key.n;
    struct ipc_msg back = {.fields = str_from(buf_str(out), out->n - fields)};
    must(table_question_get(&back, &again) == RC_OK && str_eq(q.table, again.table) &&
         str_eq(q.key, again.key));
}

/* Nothing that is malformed may pass for "not there". */
static void check_answer(struct ipc_msg *m)
{
    AUTO(arena_freep) struct arena *a = arena_new(2 * TABLE_VALUE_MAX);
    struct err e = {0}, first;
    struct ipc_msg copy = *m;
    str value = STR_NONE;
    ipc_get_err(&copy, &first);
    enum rc rc = table_answer_get(m, a, &value, &e);
    must(rc == RC_OK || rc == RC_TEMP || rc == RC_PERM || rc == RC_GONE);
    must(rc != RC_OK || value.n <= TABLE_VALUE_MAX);
    must(rc == RC_TEMP || (!m->malformed && first.rc == rc && m->fields.n == 0));
}

static void check_command(struct ipc_msg *m)
{
    struct command_request q;
    if (command_request_get(m, &q) == RC_OK) {
        must(q.n >= 1 && q.n <= PIPE_RCPTS_MAX && (q.pipe || q.n == 1) && q.content_fd >= 0);
        must(q.name.n <= VIA_MAX && q.trace.n <= COMMAND_TRACE_MAX && q.sender.n <= COMMAND_TEXT_MAX);
        for (size_t i = 0; i < q.n; i++)
            must(q.rcpts[i].address.n <= COMMAND_ADDRESS_MAX && q.rcpts[i].orig.n <= COMMAND_ADDRESS_MAX);
    }
    if (q.content_fd >= 0)
        close(q.content_fd);
}

static void check_targets(struct ipc_msg m)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    struct command_target *t = NULL;
    struct err e;
    size_t n = 0;
    if (command_targets_get(&m, a, &e, &t, &n) != RC_OK)
        return;
    must(n <= COMMAND_TARGETS_MAX && t);
    for (size_t i = 0; i < n; i++)
        must(t[i].kind != ALIAS_INCLUDE && (t[i].kind != ALIAS_ADDRESS || t[i].address.n > 0));
}

static void receive(int fd, str sent, unsigned n_fds, struct buf *in, struct buf *out)
{
    struct ipc_msg m;
    enum rc rc = ipc_recv(fd, in, &m, 0);
    if (rc != RC_OK) {
        must(rc == (sent.n == 0 ? RC_GONE : n_fds > IPC_FDS_MAX ? RC_LIMIT : RC_INVALID));
        return;
    }
    must(sent.n <= IPC_MAX && n_fds == m.n_fds && str_ends(sent, m.fields) && ipc_type_name(m.type));
    check_identity(m.fields, out);
    check_keys(m.fields, out);
    check_err(m, out);
    check_question(m, out);
    check_targets(m);
    if (m.type == MSG_COMMAND_RUN)
        check_command(&m);
    else if (m.type == MSG_TABLE_FOUND) /* each takes the descriptors, so only one is tried */
        check_answer(&m);
    else
        check_deliver(&m);
    ipc_msg_deinit(&m);
}

static int lowest_free_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    must(fd >= 0);
    close(fd);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > DATAGRAM_MAX)
        return 0;
    struct buf in = BUF_INIT(IPC_MAX), out = BUF_INIT(2 * IPC_MAX);
    int pair[2], before = lowest_free_descriptor();
    unsigned n_fds = data[0] % (FDS_MAX + 1);
    str datagram = str_mem(data + 1, size - 1);
    must(ipc_pair(pair) == RC_OK);
    send_raw(pair[0], datagram, n_fds);
    receive(pair[1], datagram, n_fds, &in, &out);
    close(pair[0]);
    close(pair[1]);
    must(lowest_free_descriptor() == before);
    buf_deinit(&in);
    buf_deinit(&out);
    return 0;
}
