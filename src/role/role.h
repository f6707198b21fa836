/* role: what every role has in common: its control link, what arrives over it, and the order of its start.
 *
 * The master starts `malle --role NAME` and sends, over descriptor 3: CONTROL_CONF, CONTROL_LISTEN for each
 * socket, CONTROL_LINK for each link, CONTROL_START. The role then runs ops->start, which ends with
 * sandbox_enter, answers CONTROL_READY and serves. Later CONTROL_CONF is a reload and CONTROL_LINK a link
 * made anew. A control link that closes ends the role. */
#ifndef ROLE_ROLE_H
#define ROLE_ROLE_H

#include "account/identity.h"
#include "base/log.h"
#include "conf/conf.h"
#include "os/ipc.h"
#include "os/sandbox.h"
#include "os/tls.h"
#include "table/settings.h"

struct role_listener {
    char name[64];
    enum conf_protocol protocol;
    enum conf_tls tls;
    int fd;
};

struct role;

struct role_link {
    char peer[24];
    bool serve;
    uint32_t instance; /* the peer's process id */
    int fd;
};

struct role_ops {
    /* Configuration and listeners are there. Makes pools, opens files, ends with sandbox_enter. No threads
     * before that. */
    void (*start)(struct role *r);
    /* A link arrived (after start; again when the peer was started anew). l->serve: requests are answered
     * here. l->fd is the callee's. */
    void (*link)(struct role *r, const struct role_link *l);
    /* All links are there and the sandbox is entered: start threads. May be NULL. */
    void (*serve)(struct role *r);
    /* r->conf and r->keys were replaced. May be NULL. */
    void (*reload)(struct role *r);
    /* The answer to CONTROL_CONNECT: fd is the callee's, or -1 and e says why. NULL in roles that do not ask.
     */
    void (*connected)(struct role *r, uint64_t number, const struct err *e, int fd);
    /* A successor runs: take nothing new, and end when all is done. NULL in roles that are not retired. */
    void (*retire)(struct role *r);
    /* Forget what is remembered of others' answers. NULL in roles that do not. */
    void (*forget)(struct role *r);
    /* Somebody asks what runs: fd, which is the callee's, gets lines of its own (master_status.c). NULL in
     * roles that have none. */
    void (*status)(struct role *r, int fd);
    /* Finish what is acknowledged within a second; the role exits when this returns. May be NULL. */
    void (*stop)(struct role *r);
};

enum { ROLE_LISTENERS_MAX = 64, ROLE_LINKS_MAX = 128 };

struct role {
    const char *name;
    const struct role_ops *ops;
    int control;
    const struct conf
        *_Atomic conf; /* replaced at a reload; older ones stay valid for the sessions that use them */
    struct buf keys;   /* key pairs as keys.h has them; empty when the role gets none */
    int dir;           /* CONTROL_DIR, or -1 */
    struct account_identity *identity; /* CONTROL_IDENTITY: who this deliver process is to become, or NULL */
    char mail_root[IDENTITY_PATH_MAX + 1]; /* with it: the folder below which its Maildirs lie */
    struct role_listener listeners[ROLE_LISTENERS_MAX];
    size_t n_listeners;
    struct role_link links[ROLE_LINKS_MAX]; /* those that came before START */
    size_t n_links;
    bool started;
};

/* The main function of `malle --role NAME`. */
int role_main(const char *name);

/* Gathers everything up to START, starts, and answers READY; ends the process when the master is gone. */
void role_begin(struct role *r);
/* Waits for control messages and carries them out, until STOP. For roles whose main thread has nothing else
 * to do. */
void role_control_loop(struct role *r);
/* Sends CONTROL_CONF with this configuration and without keys to a process started by us (mailbox to
 * deliver). */
MUST_USE enum rc role_send_conf(int control, const struct conf *c);

/* How lines look on standard error, which is the sink of log_target. */

/* Carries out one control message without waiting (for roles with a poll loop of their own). False: time to
 * exit. */
bool role_control_step(struct role *r);

/* Fills uid and gid of *sb for the named system user; nothing when not started by root. Ends the process when
 * the user does not exist. */
void role_set_user(struct sandbox *sb, const char *user);

/* Chroots *sb to an empty folder below state_dir that the master made; nothing when not started by root. */
void role_chroot_empty(struct sandbox *sb, const struct conf *c);

/* TLS settings from r->keys and r->conf; NULL when there are no keys. Ends the process when they are unusable
 * at start, returns NULL at a reload. */
struct tls_server *role_tls(const struct role *r);

/* --- the roles, one file each --- */
int smtpd_role(void);      /* port 25 and LMTP */
int submission_role(void); /* 587 and 465 */
int login_role(void);
int auth_role(void);
int auth_worker_role(void);
int mailbox_role(void);
int deliver_role(void);
int queue_role(void);
int smtp_role(void);     /* mail to other servers */
int proxymap_role(void); /* tables that ask a database or a server */
int command_role(void);  /* programs and files of users */
int sasl_role(void);     /* Dovecot's protocol: may somebody log in? */
int userdb_role(void);   /* Dovecot's protocol: who is a user? */

#endif
