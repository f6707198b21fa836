/* Warnings of quotas whose program is to run: whoever delivers or saves a message notices that one is due,
 * and may run nothing; the role `command` does. And what the accounts of a domain have together: those who
 * change a mailbox say what is in it now, auth adds up, and the sum lies in a file that they read. */
#include "base/log.h"
#include "os/file.h"
#include "role/mailbox_impl.h"

enum {
    ASK_MS = 2000,
    TELL_AFTER_MS = 250,
    PERIOD_MS = 10000,
    WARNINGS_MAX = 50 /* in that time: no flood of processes */
};

static bool are_too_many(struct mailbox *mb)
{
    msec now = clock_mono();
    if (now - mb->warned_since > PERIOD_MS) {
        mb->warned_since = now;
        mb->warned = 0;
    }
    return ++mb->warned > WARNINGS_MAX;
}

static void ask_command(struct mailbox *mb, uint32_t warning, str account)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    struct err e = {0};
    ipc_begin(&b, MSG_COMMAND_WARN);
    ipc_put_u32(&b, warning);
    ipc_put_str(&b, account);
    if (channel_pool_ask(mb->command, &b, MSG_COMMAND_DONE, &m, clock_mono() + ASK_MS) != RC_OK) {
        log_warn(STR_FMT ": the command of its quota's warning cannot be run now", STR_ARG(account));
        return;
    }
    ipc_get_err(&m, &e);
    if (e.rc != RC_OK)
        log_warn(STR_FMT ": the command of its quota's warning: %s", STR_ARG(account), err_text(&e));
    ipc_msg_deinit(&m);
}

static bool owns(struct mailbox *mb, uid_t uid, str account)
{
    struct account_identity id;
    struct err e = {0};
    return mailbox_identity(mb, MSG_IDENTITY_LOOKUP, account, 0, &id, &e) == RC_OK && id.uid == uid;
}

bool quota_crossed(struct mailbox *mb, str own_account, uid_t uid, struct ipc_msg *m)
{
    uint32_t warning = ipc_get_u32(m);
    str account = ipc_get_str(m, IDENTITY_ACCOUNT_MAX);
    if (ipc_end(m) != RC_OK || (own_account.p && !str_eq(own_account, account)))
        return false;
    if (are_too_many(mb))
        log_warn(STR_FMT ": too many warnings of quotas: its command is not run", STR_ARG(account));
    else if (own_account.p || owns(mb, uid, account))
        ask_command(mb, warning, account);
    return true;
}

/* --- what domains have together --- */

static str domain_of(const char *account)
{
    str a = str_c(account);
    return str_from(a, (size_t)(str_rchr(a, '@') + 1));
}

void domain_total_keep(struct mailbox *mb, const char *account, int fd)
{
    str domain = domain_of(account);
    void *old = fd >= 0 ? map_put(mb->domain_totals, domain, (void *)(intptr_t)(fd + 1))
                        : map_del(mb->domain_totals, domain);
    int old_fd = (int)(intptr_t)old - 1;
    fd_closep(&old_fd);
}

int domain_total_fd(const struct mailbox *mb, const char *account)
{
    return (int)(intptr_t)map_find(mb->domain_totals, domain_of(account)) - 1;
}

/* The place of an account among those that auth is yet to hear of; NULL: there is no room. */
static struct mail_used *place_of(struct mailbox *mb, str account)
{
    for (size_t i = 0; i < mb->n_used; i++)
        if (str_eq(str_c(mb->used[i].account), account))
            return &mb->used[i];
    return mb->n_used < MAIL_COUNTS_MAX ? &mb->used[mb->n_used++] : NULL;
}

/* Those of which a process spoke that may: the others are left out. */
static uint32_t put_used(struct mailbox *mb, struct buf *out)
{
    uint32_t n = 0;
    for (size_t i = 0; i < mb->n_used; i++) {
        const struct mail_used *u = &mb->used[i];
        if (u->uid != (uid_t)-1 && !owns(mb, u->uid, str_c(u->account)))
            continue;
        ipc_put_str(out, str_c(u->account));
        ipc_put_u64(out, u->use.bytes);
        ipc_put_u64(out, u->use.messages);
        n++;
    }
    return n;
}

/* What auth does not hear now it hears with the next change. */
static void tell_auth(struct mailbox *mb)
{
    AUTO(buf_deinit) struct buf entries = BUF_INIT(IPC_MAX), b = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    struct err e = {0};
    uint32_t n = put_used(mb, &entries);
    mb->n_used = 0;
    mb->tell_used = 0;
    ipc_begin(&b, MSG_MAIL_COUNTS);
    ipc_put_u32(&b, n);
    buf_puts(&b, buf_str(&entries));
    if (channel_pool_ask(mb->auth, &b, MSG_MAIL_COUNTED, &m, clock_mono() + ASK_MS) != RC_OK) {
        log_warn("auth does not hear what %u accounts have", n);
        return;
    }
    ipc_get_err(&m, &e);
    if (e.rc != RC_OK)
        log_warn("what %u accounts have: %s", n, err_text(&e));
    ipc_msg_deinit(&m);
}

bool mail_used_message(struct mailbox *mb, str own_account, uid_t uid, struct ipc_msg *m)
{
    str account = ipc_get_str(m, IDENTITY_ACCOUNT_MAX);
    uint64_t bytes = ipc_get_u64(m), messages = ipc_get_u64(m);
    if (ipc_end(m) != RC_OK || (own_account.p && !str_eq(own_account, account)) || bytes > INT64_MAX ||
        messages > INT64_MAX)
        return false;
    struct mail_used *u = place_of(mb, account);
    if (!u) {
        tell_auth(mb);
        u = place_of(mb, account);
    }
    *u = (struct mail_used){.uid = uid, .use = {bytes, messages}};
    must(str_copy(u->account, sizeof u->account, account) == RC_OK);
    if (!mb->tell_used)
        mb->tell_used = clock_mono() + TELL_AFTER_MS;
    return true;
}

msec mail_used_due(struct mailbox *mb)
{
    if (mb->tell_used && clock_mono() >= mb->tell_used)
        tell_auth(mb);
    return mb->tell_used;
}
