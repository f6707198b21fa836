/* Shared by the files of the auth role only. */
#ifndef ROLE_AUTH_IMPL_H
#define ROLE_AUTH_IMPL_H

#include "account/auth.h"
#include "account/auth_session.h"
#include "account/name_page.h"
#include "account/pam.h"
#include "account/ticket.h"
#include "fmt/authdb.h"
#include "os/channel.h"
#include "role/role.h"

#include <stdatomic.h>

struct auth_server {
    struct role *role;
    struct account_db *db;
    struct table_settings *tables;
    struct auth *auth;
    struct ticket_table *tickets;
    struct channel_pool *worker; /* auth-worker */
    uid_t mail_uid;
    gid_t mail_gid;
    _Atomic(const struct account_lookup *) lookup; /* of the configuration in force; older ones stay valid */
};

struct auth_peer { /* whoever asks on one link */
    struct auth_server *server;
    char name[24];
    uint32_t instance;
};

/* auth_worker_call.c: questions to auth-worker; ctx is the struct auth_server */
enum rc worker_system_user(void *ctx, str name, struct account_identity *ret, struct err *e);
enum rc worker_has_forward(void *ctx, str name, str tag, struct err *e);
/* RC_GONE: nobody has that uid. */
enum rc worker_user_name(struct auth_server *a, uint32_t uid, char ret[PAM_USER_MAX + 1], struct err *e);
enum rc worker_database_entry(void *ctx, bool passdb, const struct authdb *db, str user, struct arena *a,
                              struct authdb_fields *ret, struct err *e);
enum rc worker_database_ids(void *ctx, str user, str group, uid_t *ret_uid, gid_t *ret_gid, struct err *e);
/* The next page of users of a passwd-file or of passwd, in page->a. */
enum rc worker_list(struct auth_server *a, enum authdb_driver driver, str args, struct name_page *page,
                    struct err *e);
enum rc worker_check_password(void *ctx, str user, str password, str client_ip, struct err *e);

/* auth_list.c: a page of the users of the n-th userdb. RC_GONE: there is none of that number. */
enum rc auth_list_userdb(struct auth_server *a, uint32_t n, struct name_page *page, struct err *e);

/* auth_totals.c: MAIL_COUNTS */
enum rc auth_mail_counts(const struct auth_peer *p, struct ipc_msg *m, struct buf *reply);

/* auth_shared.c: SHARED_WITH, SHARED_FIND */
enum rc auth_shared_with(const struct auth_peer *p, struct ipc_msg *m, struct buf *reply);
enum rc auth_shared_find(const struct auth_peer *p, struct ipc_msg *m, struct buf *reply);

/* auth_answer.c */
enum rc auth_handle(void *ctx, void **conn, struct ipc_msg *request, struct buf *reply, int *reply_fds,
                    unsigned *ret_n_fds);
void auth_closed(void *ctx, void *conn);

#endif
