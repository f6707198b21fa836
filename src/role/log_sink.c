/* Opening the log and telling its shape. */
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
