/* malle queue cat: a message as it waits, byte by byte, or several as an mbox (RFC 4155), in which lines that
 * look like its separators have one '>' more in front (mboxrd). */
#include "cli/accounts.h"
#include "cli/cmd_queue.h"
#include "fmt/mbox.h"
#include "os/file.h"

#include <sys/mman.h>
#include <sys/stat.h>

enum { MESSAGE_ARENA_MAX = 80 << 20, IDS_MAX = 1 << 30, SEPARATOR_MAX = 1000 };

static bool print_bytes(str s)
{
    return s.n == 0 || fwrite(s.p, 1, s.n, stdout) == s.n;
}

static bool print_in_mbox(const struct queue_envelope *v, str content)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(2 * (v->trace.n + content.n) + SEPARATOR_MAX);
    AUTO(buf_deinit) struct buf message = BUF_INIT(v->trace.n + content.n);
    buf_puts(&message, v->trace);
    buf_puts(&message, content);
    mbox_put_separator(&out, v->sender, v->arrived / 1000);
    mbox_put_message(&out, buf_str(&message));
    return print_bytes(buf_str(&out));
}

static bool print_message(const struct queue_envelope *v, str content, bool in_mbox)
{
    return in_mbox ? print_in_mbox(v, content) : print_bytes(v->trace) && print_bytes(content);
}

/* Maps what the spool file holds. */
static enum rc map_content(struct queue_cli_message *m, int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return RC_TEMP;
    m->content = S("");
    if (st.st_size == 0)
        return RC_OK;
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return RC_TEMP;
    m->map = p;
    m->map_bytes = (size_t)st.st_size;
    m->content = str_mem(p, m->map_bytes);
    return RC_OK;
}

enum rc queue_cli_message_open(struct queue_admin *a, const char *id, struct queue_cli_message *ret,
                               struct err *e)
{
    struct queue_cli_message m = {.arena = arena_new(MESSAGE_ARENA_MAX)};
    AUTO(fd_closep) int fd = -1;
    enum rc rc = queue_admin_message(a, id, m.arena, &m.envelope, &m.content, &fd, e);
    if (rc == RC_OK && fd >= 0 && map_content(&m, fd) != RC_OK)
        rc = err_set(e, RC_TEMP, 0, "", "the spool file of %s cannot be read", id);
    if (rc == RC_OK)
        *ret = m;
    else
        queue_cli_message_close(&m);
    return rc;
}

void queue_cli_message_close(struct queue_cli_message *m)
{
    if (m->map)
        munmap(m->map, m->map_bytes);
    arena_free(m->arena);
    *m = (struct queue_cli_message){0};
}

static int cat_one(struct queue_admin *a, const char *id, bool in_mbox)
{
    AUTO(queue_cli_message_close) struct queue_cli_message m = {0};
    struct err e = {0};
    enum rc rc = queue_cli_message_open(a, id, &m, &e);
    if (rc == RC_GONE && in_mbox)
        return CLI_FINE; /* it left after the list was made */
    if (rc != RC_OK)
        return cli_fail_err(&e);
    return print_message(&m.envelope, m.content, in_mbox) && fflush(stdout) == 0 ? CLI_FINE : CLI_FINDING;
}

struct found { /* ids, each with a NUL behind it */
    struct buf ids;
    int64_t last;
};

static void add_id(void *ctx, const struct queue_item *item)
{
    struct found *f = ctx;
    if (f->last != item->message) {
        buf_puts(&f->ids, item->id);
        buf_putc(&f->ids, '\0');
    }
    f->last = item->message;
}

int queue_cli_cat(struct queue_admin *a, const struct queue_filter *f, bool one)
{
    struct found found = {.ids = BUF_INIT(IDS_MAX)};
    struct err e = {0};
    if (one)
        return cat_one(a, f->ids[0], false);
    int status = queue_admin_each(a, f, add_id, &found, &e) == RC_OK ? CLI_FINE : cli_fail_err(&e);
    if (status == CLI_FINE && found.ids.n == 0)
        status = cli_fail("nothing in the queue matches");
    for (size_t at = 0; status == CLI_FINE && at < found.ids.n; at += strlen(found.ids.p + at) + 1)
        status = cat_one(a, found.ids.p + at, true);
    buf_deinit(&found.ids);
    return status;
}
