/* store_err: how failures of the disk and of names are told: the peer's text shows no path, the log's does.
 */
#include "store/store_priv.h"

#include <errno.h>
#include <sys/random.h>

enum rc store_errno(struct err *e, const char *what, const char *name)
{
    int code = errno;
    enum rc rc = RC_TEMP;
    if (code == ENOSPC || code == EDQUOT || code == EFBIG)
        rc = RC_LIMIT;
    else if (code == EACCES || code == EPERM || code == EROFS)
        rc = RC_PERM;
    (void)err_set(e, rc, 0, rc == RC_LIMIT ? "4.2.2" : "4.3.0", "%s",
                  rc == RC_LIMIT  ? "Not enough disk space"
                  : rc == RC_PERM ? "Mailbox is read-only"
                                  : "Mailbox is temporarily unavailable");
    err_note(e, "store: %s %.200s: %s", what, name, strerror(code));
    return rc;
}

enum rc store_gone(struct err *e)
{
    return err_set(e, RC_GONE, 0, "5.1.1", "Mailbox does not exist");
}

enum rc store_refuse(struct err *e, const char *why)
{
    return err_set(e, RC_PERM, 0, "5.2.0", "%s", why);
}

enum rc store_not_permitted(struct err *e)
{
    return err_set(e, RC_PERM, 0, "5.7.1", "That is not permitted");
}

uint64_t store_random(void)
{
    uint64_t v;
    must(getrandom(&v, sizeof v, 0) == sizeof v);
    return v;
}
