#include "cli/export.h"

#include "cli/message_print.h"
#include "fmt/mbox.h"
#include "imap/flags.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

struct export_sink {
    int top, file;
    char *name; /* of the file */
};

static struct export_sink *open_sink(const struct conf *conf, const char *folder, int *ret_status)
{
    struct export_sink *s = calloc(1, sizeof *s);
    must(s);
    s->file = -1;
    s->name = str_dup(str_c(folder));
    s->top = export_folder(folder);
    if (s->top >= 0)
        return s;
    str_freep(&s->name);
    free(s);
    *ret_status = CLI_FINDING;
    return NULL;
}

static int fail(const struct export_sink *s)
{
    return cli_fail("%s cannot be written: %s", s->name, strerror(errno));
}

static int begin(struct export_sink *s, const struct mail_box *box)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(4 * IMAP_MAILBOX_MAX);
    buf_printf(&name, STR_FMT ".mbox", STR_ARG(box->name));
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] == '/' || (name.p[i] == '.' && i == 0))
            name.p[i] = i == 0 ? '_' : '.';
    str_freep(&s->name);
    s->name = str_dup(buf_str(&name));
    s->file = openat(s->top, s->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return s->file >= 0 ? CLI_FINE : fail(s);
}

/* Its flags first, as fields of the message. */
static int put(struct export_sink *s, const struct export_message *m)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    AUTO(buf_deinit) struct buf out = BUF_INIT(2 * m->content.n + (64 << 10)), words = BUF_INIT(32 << 10);
    const str *keywords;
    size_t n;
    unsigned flags;
    if (imap_flags_parse(a, m->fetched->flags, m->fetched->n_flags, &flags, &keywords, &n) != RC_OK)
        return cli_fail("message %u has flags that an mbox cannot hold", m->fetched->uid);
    for (size_t i = 0; i < n; i++)
        buf_printf(&words, "%s" STR_FMT, words.n ? " " : "", STR_ARG(keywords[i]));
    mbox_put_separator(&out, message_sender(m->content), m->fetched->date);
    mbox_put_flags(&out, &(struct mbox_flags){flags, buf_str(&words)});
    mbox_put_message(&out, m->content);
    must(!out.overflow && !words.overflow);
    return fd_write_all(s->file, buf_str(&out)) == RC_OK ? CLI_FINE : fail(s);
}

static int end(struct export_sink *s)
{
    fd_closep(&s->file);
    return CLI_FINE;
}

static int close_sink(struct export_sink *s)
{
    int status = syncfs(s->top) == 0 ? CLI_FINE : fail(s);
    fd_closep(&s->top);
    fd_closep(&s->file);
    str_freep(&s->name);
    free(s);
    return status;
}

const struct export_kind export_mbox = {open_sink, begin, put, end, close_sink};
