/* import_maildir: a Maildir++ folder by folder, in the order of file names, which is that of their arrival.
 * It is read with the rights of who calls malle, so no link in it is followed. */
#include "cli/import.h"

#include "fmt/keywords.h"
#include "imap/flags.h"
#include "os/file.h"
#include "store/delivery.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { FLAGS_MAX = 16 << 10, KEYWORDS_MAX = 1 << 16 };

struct source {
    struct importer *i;
    str keywords[MAILDIR_KEYWORDS];
    struct buf content;
};

static void put_flags(struct source *s, const struct maildir_name *name, struct buf *out)
{
    imap_flags_put_names(out, name->flags);
    for (unsigned k = 0; k < MAILDIR_KEYWORDS; k++)
        if ((name->keywords >> k & 1) && s->keywords[k].n)
            importer_put_keyword(s->i, out, s->keywords[k]);
}

static int take_file(struct source *s, int folder, const char *file)
{
    AUTO(buf_deinit) struct buf flags = BUF_INIT(FLAGS_MAX);
    struct maildir_name name;
    struct stat st;
    if (maildir_name_parse(str_c(file), &name) != RC_OK)
        return CLI_FINE; /* it is no message */
    AUTO(fd_closep) int fd = file_open_no_links(folder, file, O_RDONLY);
    buf_reset(&s->content);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        importer_lost(s->i, file, fd < 0 && errno != ELOOP ? strerror(errno) : "it is no file");
        return CLI_FINE;
    }
    enum rc rc = fd_read_all(fd, &s->content);
    if (rc != RC_OK) {
        importer_lost(s->i, file, rc == RC_LIMIT ? "it is larger than message_size_limit" : strerror(errno));
        return CLI_FINE;
    }
    put_flags(s, &name, &flags);
    const struct import_message m = {file, buf_str(&flags), st.st_mtim.tv_sec, buf_str(&s->content)};
    return importer_put(s->i, &m);
}

static int take_files(struct source *s, int folder, const char *sub)
{
    AUTO(import_names_deinit) struct import_names names = {0};
    AUTO(fd_closep) int fd = file_open_no_links(folder, sub, O_RDONLY | O_DIRECTORY);
    int status = CLI_FINE;
    if (fd < 0 && errno == ENOENT)
        return CLI_FINE;
    if (fd < 0 || import_names_read(fd, &names) != RC_OK)
        return cli_fail(STR_FMT ": %s cannot be read: %s", STR_ARG(buf_str(&s->i->box)), sub,
                        strerror(errno));
    s->i->progress.total += names.n;
    for (size_t k = 0; k < names.n && status == CLI_FINE; k++)
        status = take_file(s, fd, names.v[k]);
    return status;
}

/* One mailbox: what was seen by a client came earlier than what lies in new/. */
static int take_folder(struct importer *i, int folder)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(KEYWORDS_MAX);
    struct source s = {.i = i, .content = BUF_INIT(i->conf->message_size_limit)};
    AUTO(fd_closep) int fd = file_open_no_links(folder, "dovecot-keywords", O_RDONLY);
    if (fd >= 0 && fd_read_all(fd, &text) != RC_OK)
        cli_warn(STR_FMT ": dovecot-keywords cannot be read", STR_ARG(buf_str(&i->box)));
    keywords_parse(buf_str(&text), s.keywords);
    int status = take_files(&s, folder, "cur");
    if (status == CLI_FINE)
        status = take_files(&s, folder, "new");
    progress_end(&i->progress);
    buf_deinit(&s.content);
    return status;
}

/* A folder ".A.B" of the Maildir; anything else is none of its mailboxes. */
static int take_sub(struct importer *i, int top, const char *entry)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(4 * IMAP_MAILBOX_MAX);
    AUTO(fd_closep) int fd = entry[0] == '.' ? file_open_no_links(top, entry, O_RDONLY | O_DIRECTORY) : -1;
    struct stat st;
    if (fd < 0 || fstatat(fd, "cur", &st, AT_SYMLINK_NOFOLLOW) != 0)
        return CLI_FINE;
    if (delivery_name_of('.', str_c(entry), &name) != RC_OK) {
        i->failed++;
        (void)cli_fail("%s: a mailbox cannot be called so", entry);
        return CLI_FINE;
    }
    int status = importer_box(i, buf_str(&name), '.');
    return status == CLI_FINE ? take_folder(i, fd) : status;
}

int import_maildir(struct importer *i, const char *path)
{
    AUTO(import_names_deinit) struct import_names names = {0};
    struct stat st;
    AUTO(fd_closep) int top = file_open_no_links(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    if (top < 0 || fstatat(top, "cur", &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        import_names_read(top, &names) != RC_OK)
        return cli_fail("%s is no Maildir: %s", path,
                        errno == ELOOP ? "a symbolic link is on the way; give the path without"
                                       : strerror(errno));
    int status =
        importer_box(i, i->mailbox ? str_c(i->mailbox) : S("INBOX"), i->conf->hierarchy_separator[0]);
    if (status == CLI_FINE)
        status = take_folder(i, top);
    for (size_t k = 0; k < names.n && status == CLI_FINE && !i->mailbox; k++)
        status = take_sub(i, top, names.v[k]);
    return status;
}
