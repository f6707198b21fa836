/* A user's .forward, read by a process that is this user. Postfix's rules: one that is no regular file, that
 * is neither the user's nor root's, or that everybody may write is passed over with a warning. */
#include "role/command_impl.h"

#include "base/log.h"
#include "os/file.h"
#include "role/forward_path.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FORWARD_MAX = 256 << 10, INCLUDE_DEPTH_MAX = 10 };

static enum rc pass_over(const char *path, const char *why)
{
    log_warn("%s: %s: passed over", path, why);
    return RC_GONE;
}

static enum rc later(const char *path, const char *why, struct err *e)
{
    (void)err_set(e, RC_TEMP, 450, "4.3.5", "the recipient's forwarding is broken");
    err_note(e, "%s: %s", path, why);
    return RC_TEMP;
}

/* RC_GONE: it does not count. */
static enum rc open_forward(const struct command_user *u, const char *path, int *ret)
{
    struct stat st;
    AUTO(fd_closep) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT ? RC_GONE
               : errno == EIO || errno == ESTALE || errno == ENFILE || errno == EMFILE
                   ? RC_TEMP
                   : pass_over(path, errno == ELOOP ? "not a regular file" : strerror(errno));
    if (fstat(fd, &st) != 0)
        return RC_TEMP;
    if (!S_ISREG(st.st_mode))
        return pass_over(path, "not a regular file");
    if (st.st_uid != 0 && st.st_uid != u->id.uid)
        return pass_over(path, "it belongs to somebody else");
    if (st.st_mode & S_IWOTH)
        return pass_over(path, "everybody may write it");
    *ret = fd;
    fd = -1;
    return RC_OK;
}

static enum rc parse(int fd, const char *path, struct arena *a, struct alias *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(FORWARD_MAX);
    struct err why = {0};
    if (fd_read_all(fd, &text) != RC_OK)
        return later(path, "it cannot be read, or is too large", e);
    if (aliases_parse_targets(buf_str(&text), a, ret, &why) != RC_OK)
        return later(path, err_text(&why), e);
    return RC_OK;
}

enum rc command_forward_read(const struct conf *c, const struct command_user *u, str tag, struct arena *a,
                             struct alias *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(FORWARD_PATH_MAX);
    AUTO(fd_closep) int fd = -1;
    struct stat st;
    const struct forward_user who = {.home = u->id.home, .user = str_c(u->id.account), .tag = tag};
    enum rc rc = c->forward_path[0] ? forward_path_find(c, &who, &path, &st) : RC_GONE;
    if (rc == RC_OK)
        rc = open_forward(u, buf_cstr(&path), &fd);
    if (rc == RC_TEMP)
        return later(buf_cstr(&path), strerror(errno), e);
    if (rc == RC_OK)
        rc = parse(fd, buf_cstr(&path), a, ret, e);
    return rc == RC_OK && ret->count == 0 ? RC_GONE : rc;
}

/* --- what queue is told --- */

struct telling {
    const struct conf *conf;
    struct arena *arena;
    struct command_target *list;
    size_t n;
    struct err *e;
};

static enum rc tell(struct telling *t, const struct alias *all, bool included, unsigned depth);

static enum rc tell_include(struct telling *t, const char *path, unsigned depth)
{
    struct alias members;
    AUTO(fd_closep) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    if (depth > INCLUDE_DEPTH_MAX)
        return later(path, "files include each other too deep", t->e);
    if (fd < 0 || fstat(fd, &st) != 0)
        return later(path, strerror(errno), t->e);
    if (!S_ISREG(st.st_mode))
        return later(path, "not a regular file", t->e);
    enum rc rc = parse(fd, path, t->arena, &members, t->e);
    return rc == RC_OK ? tell(t, &members, true, depth + 1) : rc;
}

static enum rc tell_one(struct telling *t, const struct alias_target *one, size_t position, bool included,
                        unsigned depth)
{
    bool program = one->kind == ALIAS_COMMAND || one->kind == ALIAS_FILE;
    if (one->kind == ALIAS_INCLUDE)
        return tell_include(t, one->text.p, depth); /* the arena's texts end with a NUL */
    if (program && included)
        return err_set(t->e, RC_PERM, 550, "5.7.1", "mail to commands and files is restricted");
    if (t->n == COMMAND_TARGETS_MAX || (!program && one->text.n >= COMMAND_ADDRESS_MAX - 64))
        return err_set(t->e, RC_PERM, 550, "5.3.5", "the recipient's forwarding is too large");
    t->list[t->n++] = (struct command_target){.kind = one->kind,
                                              .final = one->final,
                                              .position = (unsigned)position,
                                              .hash = via_hash(one),
                                              .address = program ? STR_NONE : one->text};
    return RC_OK;
}

static enum rc tell(struct telling *t, const struct alias *all, bool included, unsigned depth)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < all->count && rc == RC_OK; i++)
        rc = tell_one(t, &all->targets[i], i, included, depth);
    return rc;
}

enum rc command_forward_targets(const struct conf *c, const struct alias *all, struct arena *a,
                                struct command_target **ret, size_t *ret_n, struct err *e)
{
    struct telling t = {.conf = c, .arena = a, .e = e};
    t.list = arena_array(a, COMMAND_TARGETS_MAX, sizeof *t.list);
    if (!t.list)
        return later("", "not enough memory", e);
    enum rc rc = tell(&t, all, false, 0);
    *ret = t.list;
    *ret_n = t.n;
    return rc == RC_OK && t.n == 0 ? RC_GONE : rc;
}
