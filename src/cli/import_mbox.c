/* import_mbox: messages of mbox files (fmt/mbox.h), line by line. Files are read with the rights of who calls
 * malle, so no link is followed. */
#include "cli/import.h"

#include "fmt/mbox.h"
#include "imap/flags.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 64 << 10, FLAGS_MAX = 64 << 10 };

struct source {
    struct importer *i;
    const char *file;
    struct buf line, message; /* message: with quotes taken away; both may be too small for what comes */
    int64_t date;
    unsigned number; /* of the message in the file, 0: none has begun */
    bool blank;      /* the line before was empty, or there was none */
    int status;
};

static void put_flags(struct source *s, const struct mbox_flags *f, struct buf *out)
{
    str words = f->keywords;
    imap_flags_put_names(out, f->flags);
    for (str word; (word = str_word(&words)).n;)
        importer_put_keyword(s->i, out, word);
}

static void put_message(struct source *s, const char *from)
{
    AUTO(arena_freep) struct arena *a = arena_new(FLAGS_MAX);
    AUTO(buf_deinit) struct buf flags = BUF_INIT(FLAGS_MAX), clean = BUF_INIT(s->message.max);
    struct mbox_flags f = {0};
    str raw = buf_str(&s->message);
    if (str_ends(raw, S("\n\n")))
        raw.n--; /* the line in front of the next separator */
    else if (str_ends(raw, S("\r\n\r\n")))
        raw.n -= 2;
    enum rc rc = s->message.overflow ? RC_LIMIT : mbox_take_flags(raw, a, &clean, &f);
    if (rc == RC_LIMIT)
        importer_lost(s->i, from, "it is larger than message_size_limit");
    if (rc != RC_OK)
        return;
    put_flags(s, &f, &flags);
    s->status = importer_put(s->i, &(struct import_message){from, buf_str(&flags), s->date, buf_str(&clean)});
}

/* With the date of its own separator. */
static void end_message(struct source *s)
{
    char from[64];
    snprintf(from, sizeof from, "message %u", s->number);
    if (s->number)
        put_message(s, from);
    buf_reset(&s->message);
}

/* The line of s, with its end. */
static void take_line(struct source *s)
{
    str text = buf_str(&s->line);
    str bare = str_ends(text, S("\n")) ? str_sub(text, 0, text.n - 1) : text;
    int64_t date;
    bare = str_ends(bare, S("\r")) ? str_sub(bare, 0, bare.n - 1) : bare;
    s->message.overflow |= s->line.overflow;
    if (s->blank && mbox_is_separator(bare, &date)) {
        end_message(s);
        s->date = date;
        s->number++;
    } else if (s->number) {
        buf_puts(&s->message, mbox_unquoted(text));
    } else if (bare.n) {
        s->status = cli_fail("%s is no mbox file: it does not begin with \"From \" and a date", s->file);
    }
    s->blank = bare.n == 0 && !s->line.overflow;
    buf_reset(&s->line);
}

static void take_bytes(struct source *s, str bytes)
{
    while (bytes.n && s->status == CLI_FINE) {
        ptrdiff_t end = str_chr(bytes, '\n');
        str part = str_sub(bytes, 0, end < 0 ? bytes.n : (size_t)end + 1);
        buf_puts(&s->line, part);
        bytes = str_from(bytes, part.n);
        if (end >= 0)
            take_line(s);
    }
}

static int take_file(struct importer *i, int fd, const char *file)
{
    struct source s = {.i = i,
                       .file = file,
                       .line = BUF_INIT(i->conf->message_size_limit),
                       .message = BUF_INIT(i->conf->message_size_limit),
                       .blank = true,
                       .status = CLI_FINE};
    char chunk[CHUNK];
    ssize_t n = 1;
    while (s.status == CLI_FINE && n != 0) {
        n = read(fd, chunk, sizeof chunk);
        if (n > 0)
            take_bytes(&s, str_mem(chunk, (size_t)n));
        else if (n < 0 && errno != EINTR)
            s.status = cli_fail("%s cannot be read: %s", file, strerror(errno));
    }
    if (s.status == CLI_FINE && s.line.n)
        take_line(&s);
    if (s.status == CLI_FINE)
        end_message(&s);
    progress_end(&i->progress);
    buf_deinit(&s.line);
    buf_deinit(&s.message);
    return s.status;
}

/* MAILBOX.mbox of a folder. */
static int take_entry(struct importer *i, int folder, const char *entry)
{
    str name = str_c(entry);
    struct stat st;
    if (entry[0] == '.' || !str_ends(name, S(".mbox")))
        return CLI_FINE;
    AUTO(fd_closep) int fd = file_open_no_links(folder, entry, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return cli_fail("%s cannot be read: %s", entry, fd < 0 ? strerror(errno) : "it is no file");
    int status = importer_box(i, str_sub(name, 0, name.n - 5), i->conf->hierarchy_separator[0]);
    return status == CLI_FINE ? take_file(i, fd, entry) : status;
}

static int take_folder(struct importer *i, int folder, const char *path)
{
    AUTO(import_names_deinit) struct import_names names = {0};
    int status = CLI_FINE;
    if (i->mailbox)
        return cli_usage("--mailbox is for one file, and %s is a folder", path);
    if (import_names_read(folder, &names) != RC_OK)
        return cli_fail("%s cannot be read: %s", path, strerror(errno));
    for (size_t k = 0; k < names.n && status == CLI_FINE; k++)
        status = take_entry(i, folder, names.v[k]);
    return status;
}

int import_mbox(struct importer *i, const char *path)
{
    struct stat st;
    bool standard = strcmp(path, "-") == 0;
    AUTO(fd_closep) int fd = standard ? dup(STDIN_FILENO) : file_open_no_links(AT_FDCWD, path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) != 0)
        return cli_fail("%s cannot be read: %s", path,
                        errno == ELOOP ? "a symbolic link is on the way; give the path without"
                                       : strerror(errno));
    if (S_ISDIR(st.st_mode))
        return take_folder(i, fd, path);
    if (!standard && !S_ISREG(st.st_mode))
        return cli_fail("%s is neither a file nor a folder", path);
    str name = i->mailbox ? str_c(i->mailbox) : S("INBOX");
    int status = importer_box(i, name, i->conf->hierarchy_separator[0]);
    return status == CLI_FINE ? take_file(i, fd, path) : status;
}
