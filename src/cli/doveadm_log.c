/* doveadm log find: where the log is. */
#include "cli/doveadm.h"

#include <unistd.h>

#define SYSLOG_FOLDER "/var/log"
#define SYSLOG_FILE   SYSLOG_FOLDER "/mail.log"

int doveadm_log_find(int argc, char **argv, struct cli *cli)
{
    static const char *const levels[] = {"Debug", "Info", "Warning", "Error", "Fatal"};
    const struct conf *c = cli_conf(cli);
    if (argc != 1)
        return doveadm_usage();
    if (!c)
        return EX_TEMPFAIL;
    const char *file = c->log_target;
    if (strcmp(file, "syslog") == 0) {
        puts("Looking for log files from " SYSLOG_FOLDER);
        file = SYSLOG_FILE;
    }
    bool found = access(file, F_OK) == 0;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        printf("%s: %s\n", levels[i], found ? file : "Not found");
    return EX_OK;
}
