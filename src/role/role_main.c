/* `malle --role NAME`: which function is which role. */
#include "role/role.h"

#include <stdio.h>
#include <unistd.h>

static const struct {
    const char *name;
    int (*run)(void);
} roles[] = {
    {"smtpd", smtpd_role},     {"submission", submission_role},   {"login", login_role},
    {"auth", auth_role},       {"auth-worker", auth_worker_role}, {"mailbox", mailbox_role},
    {"deliver", deliver_role}, {"command", command_role},         {"queue", queue_role},
    {"smtp", smtp_role},       {"proxymap", proxymap_role},       {"sasl", sasl_role},
    {"userdb", userdb_role},
};

int role_main(const char *name)
{
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (str_eq(str_c(name), str_c(roles[i].name)))
            _exit(
                roles[i]
                    .run()); /* not exit: sessions may still run, and libraries clean up behind their backs */
    fprintf(stderr, "malle: no role is called %s; roles are started by `malle run`\n", name);
    return 2;
}
