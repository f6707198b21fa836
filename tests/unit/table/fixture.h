/* fixture: a folder for each suite's files, which is removed afterwards, and what tables warn of. */
#ifndef TESTS_TABLE_FIXTURE_H
#define TESTS_TABLE_FIXTURE_H

#include "os/file.h"
#include "table/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];
static char warnings[8192];

static inline void warn(void *ctx, const char *text)
{
    size_t n = strlen(warnings);
    snprintf(warnings + n, sizeof warnings - n, "%s\n", text);
}

static inline int setup(void **state)
{
    snprintf(dir, sizeof dir, "/tmp/malle-table-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static inline int teardown(void **state)
{
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

/* Its path, until the next call. */
static inline const char *write_file(const char *name, const char *text)
{
    static char path[100];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(file_replace(path, str_c(text), 0644), RC_OK);
    return path;
}

#endif
