/* The maildrop: messages that local programs gave while no server ran. A file begins as t.*, is complete as
 * d.* and belongs to who wrote it; nobody but its owner and root can read it. */
#include "cli/sendmail.h"
#include "fmt/localmail.h"
#include "fmt/smtp_cmd.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { OPTIONS_MAX = 14 };

void sendmail_drop_path(const struct conf *c, struct buf *out)
{
    buf_reset(out);
    buf_printf(out, "%s/maildrop", c->state_dir);
}

static void put_notify(unsigned notify, struct buf *out)
{
    buf_puts(out, notify & SMTP_NOTIFY_NEVER ? S("never,") : S(""));
    buf_puts(out, notify & SMTP_NOTIFY_SUCCESS ? S("success,") : S(""));
    buf_puts(out, notify & SMTP_NOTIFY_FAILURE ? S("failure,") : S(""));
    buf_puts(out, notify & SMTP_NOTIFY_DELAY ? S("delay,") : S(""));
}

/* The command line that says the same once more, for a message that is already in LF form. */
static void put_command(const struct sendmail_options *o, struct buf *out)
{
    AUTO(buf_deinit) struct buf notify = BUF_INIT(100);
    char **words = calloc((size_t)o->n_recipients + OPTIONS_MAX, sizeof *words);
    size_t n = 0;
    must(words);
    put_notify(o->notify, &notify);
    const struct {
        const char *option, *value;
    } pairs[] = {{"-f", o->sender},
                 {"-F", o->full_name},
                 {"-V", o->envid},
                 {"-N", notify.n ? buf_cstr(&notify) : NULL},
                 {"-R", o->ret == SMTP_RET_FULL   ? "full"
                        : o->ret == SMTP_RET_HDRS ? "hdrs"
                                                  : NULL}};
    words[n++] = (char *)"sendmail";
    if (o->recipients_in_header)
        words[n++] = (char *)"-t";
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (!pairs[i].value)
            continue;
        words[n++] = (char *)pairs[i].option;
        words[n++] = (char *)pairs[i].value;
    }
    words[n++] = (char *)"--";
    for (int i = 0; i < o->n_recipients; i++)
        words[n++] = o->recipients[i];
    localmail_put_command(out, words, n);
    free(words);
}

enum rc sendmail_drop(const struct sendmail_options *o, const char *folder, str raw, struct err *e)
{
    AUTO(buf_deinit)
    struct buf path = BUF_INIT(4096), done = BUF_INIT(4096), command = BUF_INIT(LOCALMAIL_COMMAND_MAX);
    buf_printf(&path, "%s/t.XXXXXX", folder);
    put_command(o, &command);
    if (path.overflow || command.overflow)
        return err_set(e, RC_TEMP, 0, "", "there are too many recipients");
    (void)buf_cstr(&path);
    AUTO(fd_closep) int fd = mkostemp(path.p, O_CLOEXEC);
    if (fd < 0)
        return err_set(e, RC_TEMP, 0, "", "%s: %s", folder, strerror(errno));
    buf_printf(&done, "%s/d.%s", folder, path.p + path.n - 6);
    if (fd_write_all(fd, buf_str(&command)) == RC_OK && fd_write_all(fd, raw) == RC_OK && fsync(fd) == 0 &&
        rename(path.p, buf_cstr(&done)) == 0 && fsync(fd) == 0)
        return RC_OK;
    (void)err_set(e, RC_TEMP, 0, "", "%s: %s", path.p, strerror(errno));
    unlink(path.p);
    return RC_TEMP;
}
