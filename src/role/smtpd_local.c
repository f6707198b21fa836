/* Who is at the other end of the socket for local mail: the kernel gives the uid, auth-worker its name. Root,
 * the user who started malle and trusted_users are known from the start, also where there is no auth-worker.
 */
#include "base/log.h"
#include "role/ipc.h"
#include "role/smtpd_impl.h"

#include <pwd.h>
#include <unistd.h>

static void add(struct smtpd *d, const struct passwd *pw)
{
    struct smtpd_trusted *t = &d->trusted[d->n_trusted];
    if (pw && d->n_trusted < SMTPD_TRUSTED_MAX &&
        str_copy(t->name, sizeof t->name, str_c(pw->pw_name)) == RC_OK) {
        t->uid = pw->pw_uid;
        d->n_trusted++;
    }
}

void smtpd_local_init(struct smtpd *d, const struct conf *c)
{
    add(d, getpwuid(0));
    if (geteuid() != 0)
        add(d, getpwuid(geteuid()));
    for (size_t i = 0; i < c->trusted_users.n; i++) {
        const struct passwd *pw = getpwnam(c->trusted_users.v[i].p);
        if (!pw)
            log_warn("trusted_users: there is no user " STR_FMT, STR_ARG(c->trusted_users.v[i]));
        add(d, pw);
    }
}

static const struct smtpd_trusted *find_trusted(const struct smtpd *d, uid_t uid)
{
    for (size_t i = 0; i < d->n_trusted; i++)
        if (d->trusted[i].uid == uid)
            return &d->trusted[i];
    return NULL;
}

/* RC_GONE: the uid has no name, or nobody here knows it. */
static enum rc ask_name(struct smtpd *d, uid_t uid, struct buf *ipc, char *ret, size_t size, struct err *e)
{
    struct ipc_msg m;
    struct err answer = {0};
    ipc_begin(ipc, MSG_LOCAL_USER);
    ipc_put_u32(ipc, uid);
    if (channel_pool_ask(d->auth, ipc, MSG_LOCAL_USER_REPLY, &m, clock_mono() + SMTPD_IPC_TIMEOUT_MS) !=
        RC_OK)
        return err_set(e, RC_TEMP, 421, "4.3.0", "Temporary lookup failure");
    ipc_get_err(&m, &answer);
    str name = ipc_get_str(&m, size - 1);
    enum rc rc = ipc_end(&m) == RC_OK ? answer.rc : RC_TEMP;
    if (rc == RC_OK)
        rc = str_copy(ret, size, name) == RC_OK ? RC_OK : RC_GONE;
    else if (rc != RC_GONE)
        (void)err_set(e, rc = RC_TEMP, 421, "4.3.0", "Temporary lookup failure");
    ipc_msg_deinit(&m);
    return rc;
}

enum rc smtpd_local_find(struct smtpd *d, uid_t uid, struct buf *ipc, struct smtpd_local *ret, struct err *e)
{
    const struct smtpd_trusted *t = find_trusted(d, uid);
    enum rc rc = RC_OK;
    if (t)
        must(str_copy(ret->name, sizeof ret->name, str_c(t->name)) == RC_OK);
    else
        rc = ask_name(d, uid, ipc, ret->name, sizeof ret->name, e);
    if (rc == RC_TEMP)
        return rc;
    if (rc == RC_GONE)
        snprintf(ret->name, sizeof ret->name, "uid%u", uid);
    ret->user = (struct smtp_local_user){.name = str_c(ret->name), .uid = uid, .trusted = t != NULL};
    return RC_OK;
}
