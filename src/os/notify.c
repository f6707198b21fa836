/* sd_notify(3) without its library: one datagram. */
#include "os/notify.h"

#include "base/str.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* "@NAME" is an abstract socket; a path is one with its NUL. */
void notify_manager(const char *assignments)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (!path || (path[0] != '/' && path[0] != '@') ||
        str_copy(a.sun_path, sizeof a.sun_path, str_c(path)) != RC_OK)
        return;
    bool abstract = path[0] == '@';
    if (abstract)
        a.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + !abstract);
    if (fd < 0)
        return;
    (void)!sendto(fd, assignments, strlen(assignments), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&a,
                  size);
    close(fd);
}
