/* Most unit tests in one program. usage: suites layer/test_name
 * suites.def is made from the list in tests/unit/meson.build: SUITE("layer/test_name", function) each. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define SUITE(name, function) int function(void);
#include "suites.def"
#undef SUITE

#define SUITE(name, function) {name, function},
static const struct {
    const char *name;
    int (*run)(void);
} suites[] = {
#include "suites.def"
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof suites / sizeof *suites; i++)
        if (strcmp(suites[i].name, argv[1]) == 0)
            return suites[i].run();
    fputs("usage: suites layer/test_name, one of:\n", stderr);
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        fprintf(stderr, "  %s\n", suites[i].name);
    return 2;
}
