#include "cli/user_mail.h"

#include "os/file.h"
#include "role/mail_root.h"
#include "store/delivery.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEYWORDS_MAX = 64 };

enum rc cli_become(const struct account_identity *id, struct err *e)
{
    umask(0077);
    bool done = geteuid() != 0
                    ? geteuid() == id->uid
                    : setgroups(id->n_groups, id->groups) == 0 && setresgid(id->gid, id->gid, id->gid) == 0 &&
                          setresuid(id->uid, id->uid, id->uid) == 0;
    return done ? RC_OK : err_set(e, RC_PERM, 0, "", "cannot become uid %u from uid %u", id->uid, geteuid());
}

enum rc cli_open_maildir(const struct conf *c, const struct account_identity *id, int *ret_fd, struct err *e)
{
    AUTO(buf_deinit) struct buf root = BUF_INIT(IDENTITY_PATH_MAX);
    if (mail_root_make(c, id, &root, e) != RC_OK)
        return RC_TEMP;
    enum rc rc = cli_become(id, e);
    return rc ? rc : delivery_open_maildir(AT_FDCWD, str_c(id->mail_dir), true, ret_fd, e);
}

enum rc cli_open_store(const struct conf *c, const struct account_identity *id,
                       const struct quota_terms *quota, struct store **ret, struct err *e)
{
    AUTO(fd_closep) int dir = -1;
    const struct store_conf sc = {.account = str_c(id->account),
                                  .root = str_c(id->mail_dir),
                                  .index_dir = str_c(id->index_dir),
                                  .hostname = str_c(c->hostname),
                                  .separator = c->hierarchy_separator[0],
                                  .mailbox_max = (unsigned)c->mailbox_max,
                                  .keyword_max = KEYWORDS_MAX,
                                  .append_max = c->message_size_limit,
                                  .kept_ms = c->expunged_mail_lifetime_ms,
                                  .create_defaults = true,
                                  .quota = quota,
                                  .shared_prefix = str_c(c->shared_prefix)};
    enum rc rc = cli_open_maildir(c, id, &dir, e);
    if (rc == RC_OK && file_make_dirs(id->index_dir, 0700) != RC_OK)
        rc = err_set(e, RC_TEMP, 0, "", "cannot make %s: %s", id->index_dir, strerror(errno));
    return rc == RC_OK ? store_open(&sc, ret, e) : rc;
}
