/* db_schema: the handle of the account database, shared by the files of this folder that put questions to it.
 */
#ifndef ACCOUNT_DB_SCHEMA_H
#define ACCOUNT_DB_SCHEMA_H

#include "account/account.h"
#include "os/db.h"

#include <pthread.h>

struct account_db {
    struct db *db;
    int folder_fd;        /* where the database lies */
    pthread_mutex_t lock; /* held around every use of db */
    unsigned char key[ACCOUNT_KEY_SIZE];
};

/* Begins a durable write under the lock; account_db_end commits when rc is RC_OK, else rolls back, and
 * unlocks. */
MUST_USE enum rc account_db_begin(struct account_db *d, struct err *e);
MUST_USE enum rc account_db_end(struct account_db *d, enum rc rc, struct err *e);
void account_db_lock(struct account_db *d);
void account_db_unlock(struct account_db *d);

/* domain_total.c: the account is gone; called within a write. */
MUST_USE enum rc domain_total_forget(struct account_db *db, str account, struct err *e);

/* shared_with.c: likewise. */
MUST_USE enum rc shared_with_forget(struct account_db *db, str account, struct err *e);

/* Appends a domain in its stored form, with a sentence for the administrator. */
MUST_USE enum rc domain_key(str domain, struct buf *ret, struct err *e);
/* address_parse with a sentence for the administrator. */
MUST_USE enum rc account_key(str address, struct address_key *ret, struct err *e);

#endif
