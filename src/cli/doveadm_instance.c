/* doveadm instance: the servers of this machine; malle knows of the one that its settings are for. */
#include "cli/doveadm.h"
#include "cli/doveadm_print.h"
#include "cli/server.h"
#include "role/master.h"

#include <sys/stat.h>
#include <time.h>

/* When it was started last, as its pid file tells; RC_GONE: never. */
static enum rc find_start(const struct conf *c, time_t *ret)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(4096);
    struct stat st;
    master_pid_path(c, &path);
    if (stat(buf_cstr(&path), &st) != 0)
        return RC_GONE;
    *ret = st.st_mtime;
    return RC_OK;
}

int doveadm_instance_list(int argc, char **argv, struct cli *cli)
{
    static const struct doveadm_column columns[] = {
        {"path", "path", .wide = true}, {"name", "name"}, {"last_used", "last used"}, {"running", "running"}};
    const struct conf *c = cli_conf(cli);
    char when[32] = "";
    time_t start = 0;
    struct tm local;
    if (!c)
        return EX_CONFIG;
    if (argc > 2 || (argc == 2 && argv[1][0] == '-'))
        return doveadm_usage();
    bool listed = (argc < 2 || strcmp(argv[1], "malle") == 0) && find_start(c, &start) == RC_OK;
    if (localtime_r(&start, &local))
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &local);
    const str row[] = {str_c(c->run_dir), S("malle"), str_c(when), server_pid(c) ? S("yes") : S("no")};
    doveadm_print(DOVEADM_TABLE, columns, sizeof columns / sizeof *columns, row, listed);
    return EX_OK;
}
