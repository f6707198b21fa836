/* malle install-compat: links by whose names malle is a program of Postfix or Dovecot. All of them or none:
 * what is no link to malle is not replaced unasked. */
#include "cli/accounts.h"
#include "os/file.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES_MAX = 4096 };

enum there { THERE_NOTHING, THERE_SAME, THERE_OTHER_LINK, THERE_FOREIGN };

/* What lies at path. A link to a program called malle is ours, wherever that was. */
static enum there look(const char *path, str program)
{
    char target[PATH_BYTES_MAX];
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? THERE_NOTHING : THERE_FOREIGN;
    ssize_t n = S_ISLNK(st.st_mode) ? readlink(path, target, sizeof target) : -1;
    if (n < 0)
        return THERE_FOREIGN;
    str link = str_mem(target, (size_t)n);
    if (str_eq(link, program))
        return THERE_SAME;
    return str_eq(link, S("malle")) || str_ends(link, S("/malle")) ? THERE_OTHER_LINK : THERE_FOREIGN;
}

/* The new link takes the place of what is there in one step. */
static int put_link(const char *path, const char *program)
{
    AUTO(buf_deinit) struct buf tmp = BUF_INIT(PATH_BYTES_MAX);
    buf_printf(&tmp, "%s.malle-%d", path, getpid());
    if (symlink(program, buf_cstr(&tmp)) != 0)
        return cli_fail("%s cannot be made: %s", buf_cstr(&tmp), strerror(errno));
    if (rename(buf_cstr(&tmp), path) == 0)
        return CLI_FINE;
    int why = errno;
    unlink(buf_cstr(&tmp));
    return cli_fail("%s cannot be replaced: %s", path, strerror(why));
}

static int install_one(const char *path, const char *program)
{
    static const char *const done[] = {[THERE_NOTHING] = "made",
                                       [THERE_SAME] = "was there",
                                       [THERE_OTHER_LINK] = "changed",
                                       [THERE_FOREIGN] = "replaced"};
    enum there there = look(path, str_c(program));
    int status = there == THERE_SAME ? CLI_FINE : put_link(path, program);
    if (status == CLI_FINE)
        printf("%s -> %s (%s)\n", path, program, done[there]);
    return status;
}

static void put_path(struct buf *out, const char *dir, const char *name)
{
    buf_reset(out);
    buf_printf(out, "%s%s%s", dir, str_ends(str_c(dir), S("/")) ? "" : "/", name);
}

static int refuse_foreign(const char *dir, const char *program)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(PATH_BYTES_MAX);
    int status = CLI_FINE;
    for (size_t i = 0; i < cli_command_count; i++) {
        put_path(&path, dir, cli_commands[i].name);
        if (cli_commands[i].program && look(buf_cstr(&path), str_c(program)) == THERE_FOREIGN)
            status =
                cli_fail("%s is no link to malle; nothing was changed; --force replaces it", buf_cstr(&path));
    }
    return status;
}

int cmd_install_compat(int argc, char **argv, struct cli *cli)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(PATH_BYTES_MAX);
    char program[PATH_BYTES_MAX];
    bool force = false;
    const struct cli_option options[] = {{.name = "--force", .flag = &force}};
    int status = cli_take_options(argc, argv, options, 1, &argc);
    if (status != CLI_FINE)
        return status;
    if (argc != 2)
        return cli_usage("install-compat needs one folder");
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n < 0)
        return cli_fail("this program's own path is not known: %s", strerror(errno));
    program[n] = '\0';
    if (file_make_dirs(argv[1], 0755) != RC_OK)
        return cli_fail("%s cannot be made: %s", argv[1], strerror(errno));
    if (!force)
        status = refuse_foreign(argv[1], program);
    for (size_t i = 0; i < cli_command_count && status == CLI_FINE; i++) {
        put_path(&path, argv[1], cli_commands[i].name);
        if (cli_commands[i].program)
            status = install_one(buf_cstr(&path), program);
    }
    return status;
}
