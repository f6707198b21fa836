/* Open Maildirs by account. A fixed table: some ways for each hash, of which a newcomer takes the one that
 * expires first, so the number of descriptors is bounded whatever the number of accounts. */
#include "role/deliver_target.h"

#include "base/clock.h"
#include "base/map.h"
#include "os/file.h"
#include "role/ipc.h"
#include "store/delivery.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

enum { SLOTS = 128, WAYS = 4, KEEP_MS = 10000, AUTH_TIMEOUT_MS = 10000 };

struct target {
    atomic_uint refs;
    msec expires;
    int dir;
    int domain_total; /* -1: none */
    dev_t device;
    char account[IDENTITY_ACCOUNT_MAX + 1];
    char path[IDENTITY_PATH_MAX + 1];
    char quota[QUOTA_RULES_BYTES + 1];
};

struct target_cache {
    uid_t uid;
    const char *root, *mail_root;
    pthread_mutex_t lock; /* slots */
    struct target *slots[SLOTS][WAYS];
    pthread_mutex_t auth_lock; /* auth: one question at a time */
    int auth;
};

struct target_cache *target_cache_new(uid_t uid, const char *root, const char *mail_root)
{
    struct target_cache *tc = calloc(1, sizeof *tc);
    must(tc);
    tc->uid = uid;
    tc->root = root;
    tc->mail_root = mail_root;
    tc->auth = -1;
    must(pthread_mutex_init(&tc->lock, NULL) == 0 && pthread_mutex_init(&tc->auth_lock, NULL) == 0);
    return tc;
}

void target_cache_set_auth(struct target_cache *tc, int fd)
{
    pthread_mutex_lock(&tc->auth_lock);
    fd_closep(&tc->auth);
    tc->auth = fd;
    pthread_mutex_unlock(&tc->auth_lock);
}

static enum rc unavailable(struct err *e, const char *why)
{
    (void)err_set(e, RC_TEMP, 451, "4.3.0", "Mailbox is temporarily unavailable");
    err_note(e, "%s", why);
    return RC_TEMP;
}

/* IDENTITY_LOOKUP at auth; called with auth_lock held. */
static enum rc ask_auth(struct target_cache *tc, str account, struct account_identity *ret, int *ret_total,
                        struct err *e)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    struct err answer = {0};
    ipc_begin(&b, MSG_IDENTITY_LOOKUP);
    ipc_put_str(&b, account);
    ipc_put_u32(&b, 0);
    enum rc rc = tc->auth < 0 ? RC_GONE
                              : ipc_call(tc->auth, &b, NULL, 0, MSG_IDENTITY_REPLY, &m,
                                         clock_mono() + AUTH_TIMEOUT_MS);
    if (rc != RC_OK) {
        fd_closep(&tc->auth); /* mailbox hands over a new channel when auth is back */
        return unavailable(e, "auth does not answer");
    }
    ipc_get_err(&m, &answer);
    str bytes = ipc_get_str(&m, IDENTITY_BYTES_MAX);
    AUTO(fd_closep) int total = m.n_fds > 0 ? ipc_take_fd(&m) : -1;
    if (answer.rc != RC_OK) {
        *e = answer;
        rc = answer.rc;
    } else if (ipc_end(&m) != RC_OK || identity_get(bytes, ret) != RC_OK) {
        rc = unavailable(e, "malformed identity from auth");
    } else {
        *ret_total = total;
        total = -1;
    }
    ipc_msg_deinit(&m);
    return rc;
}

static dev_t device_of(int dir)
{
    struct stat tmp, new, cur;
    bool same = fstatat(dir, "tmp", &tmp, 0) == 0 && fstatat(dir, "new", &new, 0) == 0 &&
                fstatat(dir, "cur", &cur, 0) == 0 && tmp.st_dev == new.st_dev &&new.st_dev == cur.st_dev;
    return same ? new.st_dev : 0;
}

static enum rc open_target(struct target_cache *tc, str account, struct target **ret, struct err *e)
{
    struct account_identity id;
    AUTO(fd_closep) int total = -1;
    int dir;
    pthread_mutex_lock(&tc->auth_lock);
    enum rc rc = ask_auth(tc, account, &id, &total, e);
    pthread_mutex_unlock(&tc->auth_lock);
    if (rc != RC_OK)
        return rc;
    if (id.uid != tc->uid) /* a compromised smtpd must not reach another uid's mail through us */
        return unavailable(e, "the account belongs to another uid");
    const char *path = identity_path_inside(id.mail_dir, tc->root);
    if (!path)
        return unavailable(e, "the account's mail does not lie where that of its uid does");
    rc = delivery_open_maildir(AT_FDCWD, str_c(path), true, &dir, e);
    if (rc != RC_OK) {
        err_note(e, "%s: %s", id.mail_dir, err_text(e)); /* the whole path: our root is another folder */
        return rc;
    }
    struct target *t = calloc(1, sizeof *t);
    must(t);
    atomic_init(&t->refs, 1);
    t->dir = dir;
    t->domain_total = total;
    total = -1;
    t->device = device_of(dir);
    const char *below = identity_path_inside(id.mail_dir, tc->mail_root);
    must(str_copy(t->path, sizeof t->path, below ? str_c(below + 1) : STR_NONE) == RC_OK);
    t->expires = clock_mono() + KEEP_MS;
    memcpy(t->account, id.account, sizeof t->account);
    memcpy(t->quota, id.quota, sizeof t->quota);
    *ret = t;
    return RC_OK;
}

/* All called with the lock held. */
static struct target **slots_of(struct target_cache *tc, str account)
{
    return tc->slots[map_hash(account) % SLOTS];
}

static struct target **slot_of(struct target_cache *tc, str account)
{
    struct target **v = slots_of(tc, account);
    for (size_t i = 0; i < WAYS; i++)
        if (v[i] && str_eq(str_c(v[i]->account), account))
            return &v[i];
    return NULL;
}

/* Where a newcomer goes: the place it has already, or an empty one, or the oldest. */
static struct target **slot_for(struct target_cache *tc, str account)
{
    struct target **v = slots_of(tc, account), **own = slot_of(tc, account), **oldest = v;
    for (size_t i = 1; i < WAYS && *oldest; i++)
        if (!v[i] || v[i]->expires < (*oldest)->expires)
            oldest = &v[i];
    return own ? own : oldest;
}

enum rc target_find(struct target_cache *tc, str account, struct target **ret, struct err *e)
{
    struct target **slot, *t, *old;
    pthread_mutex_lock(&tc->lock);
    slot = slot_of(tc, account);
    t = slot ? *slot : NULL;
    bool fresh = t && t->expires > clock_mono();
    if (fresh)
        atomic_fetch_add(&t->refs, 1);
    pthread_mutex_unlock(&tc->lock);
    if (fresh) {
        *ret = t;
        return RC_OK;
    }
    enum rc rc = open_target(tc, account, &t, e);
    if (rc != RC_OK)
        return rc;
    atomic_fetch_add(&t->refs, 1); /* the slot's */
    pthread_mutex_lock(&tc->lock);
    slot = slot_for(tc, str_c(t->account));
    old = *slot;
    *slot = t;
    pthread_mutex_unlock(&tc->lock);
    target_release(&old);
    *ret = t;
    return RC_OK;
}

void target_forget(struct target_cache *tc, str account)
{
    struct target *old = NULL;
    pthread_mutex_lock(&tc->lock);
    struct target **slot = slot_of(tc, account);
    if (slot) {
        old = *slot;
        *slot = NULL;
    }
    pthread_mutex_unlock(&tc->lock);
    target_release(&old);
}

void target_release(struct target **tp)
{
    struct target *t = *tp;
    *tp = NULL;
    if (t && atomic_fetch_sub(&t->refs, 1) == 1) {
        fd_closep(&t->dir);
        fd_closep(&t->domain_total);
        free(t);
    }
}

int target_dir(const struct target *t)
{
    return t->dir;
}

str target_path(const struct target *t)
{
    return str_c(t->path);
}

dev_t target_device(const struct target *t)
{
    return t->device;
}

const char *target_account(const struct target *t)
{
    return t->account;
}

const char *target_quota(const struct target *t)
{
    return t->quota;
}

const int *target_domain_total(const struct target *t)
{
    return &t->domain_total;
}
