/* malle: one program; the first word says which command or, started by the master, which role it is. */
#include "cli/cli.h"
#include "os/proc.h"
#include "role/role.h"

int main(int argc, char **argv)
{
    proc_init_title(argc, argv);
    if (argc == 3 && strcmp(argv[1], "--role") == 0)
        return role_main(argv[2]);
    return cli_main(argc, argv);
}
