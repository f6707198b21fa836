/* malle export: the mail of an account into a new folder, as a Maildir or as mbox files. */
#include "cli/accounts.h"
#include "cli/export.h"
#include "cli/progress.h"

#include "fmt/crlf.h"
#include "fmt/json.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONTENT_MAX = INT_MAX };

struct work {
    struct cli *cli;
    struct mail_session s;
    const struct export_kind *kind;
    struct export_sink *sink;
    struct buf content;
    struct progress progress;
    uint64_t mailboxes, messages;
    int status;
};

static int fail_folder(const char *path)
{
    (void)cli_fail("%s: %s", path,
                   errno == EEXIST  ? "it is there already; name a folder to be made"
                   : errno == ELOOP ? "a symbolic link is on the way; give the path without"
                                    : strerror(errno));
    return -1;
}

/* The folder above is held, so that nobody can lead us elsewhere meanwhile. */
int export_folder(const char *path)
{
    str rest = str_c(path);
    while (rest.n > 1 && str_ends(rest, S("/")))
        rest.n--;
    ptrdiff_t slash = str_rchr(rest, '/');
    AUTO(str_freep) char *name = str_dup(str_from(rest, (size_t)(slash + 1)));
    AUTO(str_freep)
    char *above = str_dup(slash > 0 ? str_sub(rest, 0, (size_t)slash) : slash ? S(".") : S("/"));
    AUTO(fd_closep) int parent = file_open_no_links(AT_FDCWD, above, O_PATH | O_DIRECTORY);
    struct stat st;
    if (parent < 0 || mkdirat(parent, name, 0700) != 0)
        return fail_folder(path);
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || (fstat(fd, &st) == 0 && st.st_uid == geteuid()))
        return fd >= 0 ? fd : fail_folder(path);
    close(fd);
    errno = EEXIST; /* somebody has put another one in its place */
    return fail_folder(path);
}

static enum rc take_message(void *ctx, const struct imap_response *r, struct imap_lex *lex)
{
    struct work *w = ctx;
    struct imap_fetched f;
    struct crlf_state ends = {0};
    if (!str_ieq(r->word, S("FETCH")) || w->status != CLI_FINE)
        return RC_OK;
    enum rc rc = imap_response_fetch(lex, &f);
    if (rc || !f.body.p)
        return rc;
    buf_reset(&w->content);
    crlf_decode(&ends, &w->content, f.body);
    crlf_decode_finish(&ends, &w->content);
    w->status = w->kind->put(w->sink, &(struct export_message){&f, buf_str(&w->content)});
    w->messages++;
    progress_step(&w->progress);
    return RC_OK;
}

static int export_box(struct work *w, const struct mail_box *box)
{
    struct err e = {0};
    if (mail_session_select(&w->s, box->name, true, &e) != RC_OK)
        return cli_fail(STR_FMT ": %s", STR_ARG(box->name), err_text(&e));
    w->progress = (struct progress){.label = box->name, .total = box->counts[IMAP_MESSAGES]};
    w->status = w->kind->begin(w->sink, box);
    if (w->status != CLI_FINE)
        return w->status;
    buf_puts(imap_client_command(w->s.client), S("UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])"));
    enum rc rc = imap_client_run(w->s.client, take_message, w, &e);
    progress_end(&w->progress);
    int ended = w->kind->end(w->sink);
    if (rc != RC_OK)
        return mail_session_fail(&w->s, "read the messages", &e);
    w->mailboxes++;
    return w->status != CLI_FINE ? w->status : ended;
}

static int export_all(struct work *w, const char *mask)
{
    AUTO(mail_boxes_deinit) struct mail_boxes boxes = {0};
    struct err e = {0};
    int status = CLI_FINE;
    if (mail_boxes_find(&w->s, mask, true, &boxes, &e) != RC_OK)
        return mail_session_fail(&w->s, "list the mailboxes", &e);
    for (size_t i = 0; i < boxes.n && status == CLI_FINE; i++)
        if (boxes.v[i].counted)
            status = export_box(w, &boxes.v[i]);
    return status;
}

static int print_result(const struct work *w, const char *folder)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(8192);
    struct json j = {.out = &out};
    if (w->cli->json) {
        json_open_object(&j, NULL);
        json_put_int(&j, "mailboxes", (int64_t)w->mailboxes);
        json_put_int(&j, "messages", (int64_t)w->messages);
        json_close_object(&j);
        buf_putc(&out, '\n');
    } else {
        buf_printf(&out, "%llu messages of %llu mailboxes are in %s\n", (unsigned long long)w->messages,
                   (unsigned long long)w->mailboxes, folder);
    }
    return cli_print(&out);
}

static int run(struct work *w, const char *account, const char *folder, const char *mask)
{
    int status = mail_session_open(w->cli, account, MAIL_RIGHTS_KEEP, &w->s);
    if (status != CLI_FINE)
        return status;
    w->sink = w->kind->open(cli_conf(w->cli), folder, &status);
    if (w->sink) {
        status = export_all(w, mask);
        int closed = w->kind->close(w->sink);
        status = status != CLI_FINE ? status : closed;
    }
    int ended = mail_session_close(&w->s);
    buf_deinit(&w->content);
    status = status != CLI_FINE ? status : ended;
    return status != CLI_FINE ? status : print_result(w, folder);
}

int cmd_export(int argc, char **argv, struct cli *cli)
{
    const char *maildir = NULL, *mbox = NULL, *mask = "*";
    const struct cli_option options[] = {
        {"--maildir", &maildir, NULL}, {"--mbox", &mbox, NULL}, {"--mailbox", &mask, NULL}};
    int status = cli_take_options(argc, argv, options, sizeof options / sizeof *options, &argc);
    if (status != CLI_FINE)
        return status;
    if (argc != 2 || !maildir == !mbox)
        return cli_usage("export needs ACCOUNT and --maildir FOLDER or --mbox FOLDER");
    struct work w = {
        .cli = cli, .kind = maildir ? &export_maildir : &export_mbox, .content = BUF_INIT(CONTENT_MAX)};
    return run(&w, argv[1], maildir ? maildir : mbox, mask);
}
