/* malle: one program; the first word says which command or, started by the master, which role it is. */
#include "cli/cli.h"
#include "os/proc.h"

int main(int argc, char **argv)
{
    proc_init_title(argc, argv);
    return cli_main(argc, argv);
}
