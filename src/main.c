/* malle: one program; the first word says which command or, started by the master, which role it is. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
