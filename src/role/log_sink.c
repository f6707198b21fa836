/* Opening the log, telling its shape, and what lines are called. */
#include "role/log_sink.h"

#include "os/file.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

static int connect_syslog(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
        fd_closep(&fd);
    return fd;
}

int log_sink_open(const struct conf *c)
{
    str target = str_c(c->log_target);
    if (str_eq(target, S("syslog")))
        return connect_syslog();
    if (str_eq(target, S("stderr")))
        return -1;
    return open(c->log_target, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
}

enum log_shape log_sink_shape(const struct conf *c, int fd)
{
    int type = 0;
    socklen_t n = sizeof type;
    if (c->log_format == CONF_LOG_JSON)
        return LOG_JSON;
    /* without a syslog daemon the sink is what standard error was at the start */
    bool datagrams = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_DGRAM;
    return datagrams && str_eq(str_c(c->log_target), S("syslog")) ? LOG_SYSLOG : LOG_TEXT;
}

/* Which program of theirs a role stands for. */
static const struct {
    const char *role, *program, *prefix; /* program "": Dovecot, whose lines begin with the prefix */
} programs[] = {
    {"master", "master", ""},     {"smtpd", "smtpd", ""},
    {"submission", "smtpd", ""},  {"queue", "qmgr", ""},
    {"smtp", "smtp", ""},         {"command", "local", ""},
    {"proxymap", "proxymap", ""}, {"pickup", "pickup", ""},
    {"auth", "", "auth: "},       {"auth-worker", "", "auth-worker: "},
    {"sasl", "", "auth: "},       {"userdb", "", "auth: "},
    {"login", "", "login: "},     {"mailbox", "", "master: "},
    {"deliver", "", "lda: "},     {"imap", "", "imap: "},
    {"pop3", "", "pop3: "},
};

void log_sink_name(const struct conf *c, const char *role, const char *prefix)
{
    struct log_names names = {.first = c->syslog_name, .second = role, .prefix = prefix};
    for (size_t i = 0; c->log_programs && i < sizeof programs / sizeof *programs; i++) {
        if (!str_eq(str_c(programs[i].role), str_c(role)))
            continue;
        names.programs = true;
        names.second = programs[i].program;
        names.prefix = prefix ? prefix : programs[i].prefix;
    }
    log_set_names(&names);
}

int log_sink_facility(const struct conf *c)
{
    /* RFC 3164 §4.1.1, in the order of the choices of syslog_facility */
    static const int facilities[] = {0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23};
    return facilities[c->syslog_facility];
}

void log_sink_init(const struct conf *c, int fd, const char *role, const char *prefix)
{
    log_sink_name(c, role, prefix);
    log_set_facility(log_sink_facility(c));
    log_init(NULL, c->hostname, fd, log_sink_shape(c, fd), (enum log_level)(LOG_LEVEL_ERROR + c->log_level));
}
