/* Warnings of quotas whose program is to run: whoever delivers or saves a message notices that one is due,
 * and may run nothing; the role `command` does. */
#include "base/log.h"
#include "role/mailbox_impl.h"

enum { ASK_MS = 2000, PERIOD_MS = 10000, WARNINGS_MAX = 50 /* in that time: no flood of processes */ };

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
