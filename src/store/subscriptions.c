/* subscriptions: Dovecot's file of that name in the Maildir's root. Version 2 begins with "V<TAB>2" and an
 * empty line and has a tab between the parts of a name; version 1 is one name a line with dots. An existing
 * file keeps its version, a new one gets version 2. Written whole under subscriptions.lock. */
#include "os/file.h"
#include "store/delivery.h"
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FILE_NAME "subscriptions"

enum { FILE_BYTES_MAX = 4 << 20, NAMES_MAX = 20000 };
static const str version2 = {"V\t2\n\n", 5};

/* "\0011" "\001t" "\001r" "\001n" stand for \001, tab, CR, LF; names of ours have none of them. */
static bool is_plain(str line)
{
    return str_chr(line, 1) < 0;
}

static enum rc read_text(int root_fd, struct buf *out, struct err *e)
{
    AUTO(fd_closep) int fd = openat(root_fd, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return RC_OK;
    if (fd < 0 || fd_read_all(fd, out) != RC_OK)
        return store_errno(e, "read", FILE_NAME);
    return RC_OK;
}

static str to_dots(struct arena *a, str line)
{
    str copy = arena_str(a, line);
    for (size_t i = 0; i < copy.n; i++)
        if (copy.p[i] == '\t')
            ((char *)copy.p)[i] = '.';
    return copy;
}

enum rc subscriptions_read(struct store *st, struct arena *a, str **ret, size_t *ret_n, struct err *e)
{
    struct buf text = BUF_INIT(FILE_BYTES_MAX);
    str *v = arena_array(a, 8, sizeof *v);
    size_t n = 0, cap = 8;
    enum rc rc = read_text(st->root_fd, &text, e);
    str rest = buf_str(&text);
    bool tabs = str_starts(rest, version2);
    if (tabs)
        rest = str_from(rest, version2.n);
    while (rc == RC_OK && v && rest.n && n < NAMES_MAX) {
        str line = str_take(&rest, '\n');
        if (line.n == 0 || !is_plain(line))
            continue;
        if (n == cap) {
            v = arena_grow(a, v, n, sizeof *v);
            cap *= 2;
        }
        if (v)
            v[n++] = tabs ? to_dots(a, line) : arena_str(a, line);
    }
    buf_deinit(&text);
    if (rc == RC_OK && (!v || arena_exhausted(a)))
        rc = err_set(e, RC_LIMIT, 0, "5.2.0", "Too many subscriptions");
    if (rc == RC_OK) {
        *ret = v;
        *ret_n = n;
    }
    return rc;
}

/* The line of a name in the file's version. */
static void put_line(struct buf *out, str name, bool tabs)
{
    for (size_t i = 0; i < name.n; i++)
        buf_putc(out, tabs && name.p[i] == '.' ? '\t' : name.p[i]);
}

/* Puts the new content; false when nothing changes. */
static bool edit(str old, str name, bool on, struct buf *out)
{
    struct buf wanted = BUF_INIT(DIR_NAME_MAX + 1);
    bool tabs = old.n == 0 || str_starts(old, version2), found = false;
    if (tabs) {
        buf_puts(out, version2);
        old = str_from(old, version2.n);
    }
    put_line(&wanted, name, tabs);
    while (old.n) {
        str line = str_take(&old, '\n');
        bool same = str_eq(line, buf_str(&wanted));
        found |= same;
        if ((same && !on) || line.n == 0)
            continue;
        buf_puts(out, line);
        buf_putc(out, '\n');
    }
    if (on && !found) {
        buf_puts(out, buf_str(&wanted));
        buf_putc(out, '\n');
    }
    buf_deinit(&wanted);
    return found != on;
}

static enum rc set(struct dotlock_file *own, int root_fd, str dir_name, bool on, struct err *e)
{
    AUTO(dotlock_drop) struct dotlock lock = DOTLOCK_INIT;
    struct buf old = BUF_INIT(FILE_BYTES_MAX), new = BUF_INIT(FILE_BYTES_MAX + 1000);
    enum rc rc = dotlock_take(own, root_fd, FILE_NAME, &lock, e);
    if (rc == RC_OK)
        rc = read_text(root_fd, &old, e);
    if (rc == RC_OK && edit(buf_str(&old), dir_name, on, &new))
        rc = new.overflow ? err_set(e, RC_LIMIT, 0, "5.2.0", "Too many subscriptions")
                          : folder_file_replace(root_fd, FILE_NAME, buf_str(&new), e);
    buf_deinit(&old);
    buf_deinit(&new);
    return rc;
}

enum rc subscriptions_set(struct store *st, str dir_name, bool on, struct err *e)
{
    return set(&st->lock_file, st->root_fd, dir_name, on, e);
}

enum rc delivery_subscribe(int maildir_fd, const char *dir, struct err *e)
{
    AUTO(dotlock_file_remove) struct dotlock_file own = DOTLOCK_FILE_INIT;
    return set(&own, maildir_fd, str_c(dir + 1), true, e); /* without the dot in front */
}
