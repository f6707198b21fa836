/* databases_impl: shared by databases.c, databases_pass.c and databases_user.c only. */
#ifndef ACCOUNT_DATABASES_IMPL_H
#define ACCOUNT_DATABASES_IMPL_H

#include "account/databases.h"

/* One question to one database. */
struct database_question {
    const struct account_lookup *l;
    bool passdb;
    const struct authdb *db;
    const struct authdb_vars *vars; /* password: only where the database has to verify it */
    struct arena *a;
};

/* Its fields, with default_fields and override_fields. RC_OK, RC_GONE, RC_TEMP with e. Fields of *ret from
 * before stay where the database has none of that name. */
MUST_USE enum rc databases_ask(const struct database_question *q, struct authdb_fields *ret, struct err *e);

/* Fills *e for the log; RC_TEMP. */
enum rc databases_cannot(struct err *e, const char *fmt, ...) PRINTF(2, 3);

#endif
