/* role/ipc_bytes: in the message as far as there is room, else in a memory file; what is malformed or too
 * much. */
#include "role/ipc_bytes.h"

#include "os/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { TYPE = 1000, MOST = 1 << 20, DEADLINE_MS = 5000 };

static char bytes[MOST];

struct sent {
    int pair[2];
    struct buf b;
    struct ipc_msg m;
    bool in_file;
};

/* What a message with both arrives as. */
static void send_both(struct sent *s, size_t max, str first, str second)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(max);
    int fds[IPC_FDS_MAX];
    unsigned n = 0;
    ipc_begin(&b, TYPE);
    assert_int_equal(ipc_put_bytes(&b, first, fds, &n), RC_OK);
    assert_int_equal(ipc_put_bytes(&b, second, fds, &n), RC_OK);
    s->in_file = n > 0;
    assert_int_equal(ipc_pair(s->pair), RC_OK);
    assert_int_equal(ipc_send(s->pair[0], &b, fds, n, 0), RC_OK);
    while (n > 0)
        close(fds[--n]);
    buf_init(&s->b, max);
    assert_int_equal(ipc_recv(s->pair[1], &s->b, &s->m, clock_mono() + DEADLINE_MS), RC_OK);
}

static void sent_deinit(struct sent *s)
{
    ipc_msg_deinit(&s->m);
    buf_deinit(&s->b);
    close(s->pair[0]);
    close(s->pair[1]);
}

static void arrives(void **state)
{
    static const struct {
        size_t max, first, second;
        bool in_file;
    } rows[] = {
        {IPC_MAX, 0, 0, false},
        {IPC_MAX, IPC_INLINE_MAX, IPC_INLINE_MAX, false},
        {IPC_MAX, 100, IPC_INLINE_MAX + 1, true},
        {IPC_LARGE_MAX, 100, 100 << 10, false},
        {IPC_LARGE_MAX, 100 << 10, 100 << 10, true},
        {IPC_LARGE_MAX, 100, IPC_LARGE_MAX - IPC_MAX, true},
        {IPC_LARGE_MAX, MOST, MOST, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(2 * MOST);
        AUTO(buf_deinit) struct buf room = BUF_INIT(MOST);
        AUTO(fd_closep) int fd = -1;
        str first = str_mem(bytes, rows[i].first), second = str_mem(bytes, rows[i].second), got;
        struct sent s;
        send_both(&s, rows[i].max, first, second);
        assert_int_equal(s.in_file, rows[i].in_file);
        assert_int_equal(ipc_get_bytes(&s.m, MOST, a, &got), RC_OK);
        assert_true(str_eq(got, first));
        assert_int_equal(ipc_get_bytes_in_file(&s.m, &room, &got, &fd), RC_OK);
        assert_true(str_eq(got, second));
        assert_int_equal(fd >= 0, rows[i].in_file);
        assert_int_equal(ipc_end(&s.m), RC_OK);
        sent_deinit(&s);
    }
}

static void more_than_is_wanted(void **state)
{
    static const size_t sizes[] = {1001, IPC_INLINE_MAX + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(MOST);
        AUTO(buf_deinit) struct buf room = BUF_INIT(1000);
        str one = str_mem(bytes, sizes[i]), got;
        struct sent s;
        int fd;
        send_both(&s, IPC_MAX, one, one);
        assert_int_equal(ipc_get_bytes(&s.m, 1000, a, &got), RC_LIMIT);
        assert_int_equal(ipc_get_bytes_in_file(&s.m, &room, &got, &fd), RC_LIMIT);
        assert_int_equal(fd, -1);
        sent_deinit(&s);
    }
}

/* A file whose size or bytes its sender could change. */
static void not_sealed(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(MOST);
    AUTO(buf_deinit) struct buf b = BUF_INIT(IPC_MAX);
    AUTO(fd_closep) int open = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int pair[2];
    struct ipc_msg m;
    str got;
    assert_int_equal(fd_write_all(open, str_mem(bytes, 1000)), RC_OK);
    assert_int_equal(ipc_pair(pair), RC_OK);
    ipc_begin(&b, TYPE);
    ipc_put_u32(&b, 1);
    ipc_put_str(&b, STR_NONE);
    assert_int_equal(ipc_send(pair[0], &b, &open, 1, 0), RC_OK);
    assert_int_equal(ipc_recv(pair[1], &b, &m, clock_mono() + DEADLINE_MS), RC_OK);
    assert_int_equal(ipc_get_bytes(&m, MOST, a, &got), RC_INVALID);
    ipc_msg_deinit(&m);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    for (size_t i = 0; i < MOST; i++)
        bytes[i] = (char)('a' + i % 23);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrives),
        cmocka_unit_test(more_than_is_wanted),
        cmocka_unit_test(not_sealed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
