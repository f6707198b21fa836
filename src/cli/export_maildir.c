#include "cli/export.h"

#include "fmt/crlf.h"
#include "fmt/keywords.h"
#include "fmt/uidlist.h"
#include "imap/flags.h"
#include "os/file.h"
#include "store/delivery.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST_MAX = 1 << 30, PATH_BYTES = 400 };

struct export_sink {
    const struct conf *conf;
    int top, folder;
    char *keywords[MAILDIR_KEYWORDS];
    struct buf uidlist;
    unsigned number; /* of the message, among all */
};

static int fail(const char *what)
{
    return cli_fail("%s cannot be written: %s", what, strerror(errno));
}

static int make_folders(int parent)
{
    static const char *const subs[] = {"cur", "new", "tmp"};
    for (size_t i = 0; i < sizeof subs / sizeof *subs; i++)
        if (mkdirat(parent, subs[i], 0700) != 0)
            return fail(subs[i]);
    return CLI_FINE;
}

static struct export_sink *open_sink(const struct conf *conf, const char *folder, int *ret_status)
{
    struct export_sink *s = calloc(1, sizeof *s);
    must(s);
    s->conf = conf;
    s->folder = -1;
    s->top = export_folder(folder);
    buf_init(&s->uidlist, LIST_MAX);
    if (s->top >= 0 && make_folders(s->top) == CLI_FINE)
        return s;
    fd_closep(&s->top);
    free(s);
    *ret_status = CLI_FINDING;
    return NULL;
}

static int write_file(int folder, const char *name, str content)
{
    AUTO(fd_closep) int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd >= 0 && fd_write_all(fd, content) == RC_OK ? CLI_FINE : fail(name);
}

static int begin(struct export_sink *s, const struct mail_box *box)
{
    char dir[DELIVERY_FOLDER_MAX + 1];
    struct err e = {0};
    if (delivery_folder_of(s->conf->hierarchy_separator[0], box->name, dir, &e) != RC_OK)
        return cli_fail(STR_FMT ": %s", STR_ARG(box->name), err_text(&e));
    if (dir[0] && mkdirat(s->top, dir, 0700) != 0)
        return fail(dir);
    s->folder = openat(s->top, dir[0] ? dir : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (s->folder < 0)
        return fail(dir);
    if (dir[0] && make_folders(s->folder) != CLI_FINE)
        return CLI_FINDING;
    const struct uidlist_header head = {.version = 3,
                                        .uidvalidity = (uint32_t)box->counts[IMAP_UIDVALIDITY],
                                        .uidnext = (uid32)box->counts[IMAP_UIDNEXT]};
    buf_reset(&s->uidlist);
    uidlist_format_header(&s->uidlist, &head);
    return dir[0] ? write_file(s->folder, "maildirfolder", S("")) : CLI_FINE;
}

/* The letter of a keyword; false: all 26 are taken. */
static bool letter_of(struct export_sink *s, str name, uint32_t *bits)
{
    for (unsigned i = 0; i < MAILDIR_KEYWORDS; i++) {
        if (!s->keywords[i])
            s->keywords[i] = str_dup(name);
        if (str_eq(str_c(s->keywords[i]), name)) {
            *bits |= 1u << i;
            return true;
        }
    }
    return false;
}

static int put_info(struct export_sink *s, const struct imap_fetched *f, struct buf *name)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    const str *keywords;
    size_t n;
    unsigned flags;
    uint32_t letters = 0;
    if (imap_flags_parse(a, f->flags, f->n_flags, &flags, &keywords, &n) != RC_OK)
        return cli_fail("message %u has flags that a Maildir cannot hold", f->uid);
    for (size_t i = 0; i < n; i++)
        if (!letter_of(s, keywords[i], &letters))
            cli_warn("message %u loses the keyword " STR_FMT ": a Maildir holds %d", f->uid,
                     STR_ARG(keywords[i]), MAILDIR_KEYWORDS);
    maildir_info_format(name, STR_NONE, flags & ~(unsigned)FLAG_PASSED, letters);
    return CLI_FINE;
}

static int put(struct export_sink *s, const struct export_message *m)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(PATH_BYTES);
    const struct maildir_unique unique = {.now = clock_wall(),
                                          .id = (uint64_t)getpid(),
                                          .number = s->number++,
                                          .host = str_c(s->conf->hostname),
                                          .size = m->content.n,
                                          .crlf_size = crlf_size(m->content)};
    buf_puts(&path, S("cur/"));
    maildir_base_format(&path, &unique);
    uidlist_format_record(&s->uidlist, m->fetched->uid, S(""), str_from(buf_str(&path), 4));
    int status = put_info(s, m->fetched, &path);
    if (status == CLI_FINE)
        status = write_file(s->folder, buf_cstr(&path), m->content);
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = m->fetched->date}};
    if (status == CLI_FINE && utimensat(s->folder, buf_cstr(&path), times, AT_SYMLINK_NOFOLLOW) != 0)
        status = fail(buf_cstr(&path));
    return status;
}

static int end(struct export_sink *s)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(1 << 16);
    str names[MAILDIR_KEYWORDS];
    for (unsigned i = 0; i < MAILDIR_KEYWORDS; i++)
        names[i] = str_c(s->keywords[i]);
    keywords_format(&text, names);
    must(!text.overflow && !s->uidlist.overflow);
    int status = text.n ? write_file(s->folder, "dovecot-keywords", buf_str(&text)) : CLI_FINE;
    if (status == CLI_FINE)
        status = write_file(s->folder, "dovecot-uidlist", buf_str(&s->uidlist));
    for (unsigned i = 0; i < MAILDIR_KEYWORDS; i++)
        str_freep(&s->keywords[i]);
    fd_closep(&s->folder);
    return status;
}

static int close_sink(struct export_sink *s)
{
    int status = syncfs(s->top) == 0 ? CLI_FINE : fail("the folder");
    fd_closep(&s->top);
    fd_closep(&s->folder);
    for (unsigned i = 0; i < MAILDIR_KEYWORDS; i++)
        str_freep(&s->keywords[i]);
    buf_deinit(&s->uidlist);
    free(s);
    return status;
}

const struct export_kind export_maildir = {open_sink, begin, put, end, close_sink};
