/* A fresh account database in a folder of its own, for the tests of account/. */
#ifndef TESTS_ACCOUNT_FIXTURE_H
#define TESTS_ACCOUNT_FIXTURE_H

#include "account/account.h"

#include <stdlib.h>
#include <unistd.h>

struct fixture {
    char dir[64], path[96];
    struct account_db *db;
};

static inline void fixture_open(struct fixture *f)
{
    snprintf(f->dir, sizeof f->dir, "/tmp/malle-account-XXXXXX");
    must(mkdtemp(f->dir));
    snprintf(f->path, sizeof f->path, "%s/accounts.db", f->dir);
    must(account_db_open(f->path, true, &f->db, NULL) == RC_OK);
}

static inline void fixture_close(struct fixture *f)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    f->db = account_db_close(f->db);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char path[110];
        snprintf(path, sizeof path, "%s%s", f->path, ends[i]);
        (void)unlink(path);
    }
    must(rmdir(f->dir) == 0);
}

/* A cheap secret: hashing is tested elsewhere. */
static inline void fixture_add(struct fixture *f, const char *address)
{
    struct account_secret secret = {.hash = "{PLAIN}secret"};
    must(account_add(f->db, str_c(address), &secret, 0, NULL) == RC_OK);
}

#endif
