/* box_quota: how commands on mailboxes count against the account's quota (store/quota.h). */
#include "fmt/maildir_name.h"
#include "store/delivery.h"
#include "store/store_priv.h"

#include <fcntl.h>
#include <unistd.h>

enum { PATH_BYTES = 600 };

static const struct quota_terms *terms(const struct store *st)
{
    static const struct quota_terms none = {.separator = '.'};
    return st->conf.quota ? st->conf.quota : &none;
}

static bool put_name(const struct folder *f, struct buf *out)
{
    return delivery_name_of(terms(f->st)->separator, str_c(f->dir), out) == RC_OK;
}

bool folder_is_counted(const struct folder *f)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(4 * DIR_NAME_MAX);
    const struct quota_terms *q = terms(f->st);
    return quota_is_kept(f->st->root_fd, q) && put_name(f, &name) &&
           !quota_limits_of(q->rules, buf_str(&name), q->separator).ignored;
}

bool folder_file_size(const struct folder *f, str path, uint64_t *ret)
{
    struct maildir_name name;
    struct stat st;
    char text[PATH_BYTES];
    if (maildir_name_parse(str_from(path, (size_t)(str_rchr(path, '/') + 1)), &name) == RC_OK &&
        name.has_size) {
        *ret = name.size;
        return true;
    }
    if (str_copy(text, sizeof text, path) != RC_OK || fstatat(f->fd, text, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    *ret = (uint64_t)st.st_size;
    return true;
}

enum rc folder_use_of(struct folder *f, const struct uidset *uids, struct quota_use *ret, struct err *e)
{
    struct quota_use use = {0};
    for (uid32 uid = uidset_next(uids, 1); uid; uid = uidset_next(uids, uid + 1)) {
        struct buf path = BUF_INIT(PATH_BYTES);
        uint64_t size = 0;
        enum rc rc = file_known(f, uid, &path, e);
        if (rc == RC_OK && folder_file_size(f, buf_str(&path), &size)) {
            use.bytes += size;
            use.messages++;
        }
        buf_deinit(&path);
        if (rc != RC_OK && rc != RC_GONE)
            return rc;
    }
    *ret = use;
    return RC_OK;
}

static struct quota_load load_of(const struct folder_load *load, str mailbox)
{
    return (struct quota_load){.mailbox = mailbox, .use = load->use, .freed = load->freed, .way = load->way};
}

enum rc folder_room(struct folder *f, const struct folder_load *load, struct err *e)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(4 * DIR_NAME_MAX);
    const struct quota_terms *q = terms(f->st);
    if (!quota_is_kept(f->st->root_fd, q) || !put_name(f, &name))
        return RC_OK;
    struct quota_load named = load_of(load, buf_str(&name));
    named.asked = true;
    return quota_check(f->st->root_fd, q, &named, e);
}

enum rc folder_take(struct folder *f, const struct folder_load *load, struct quota_taken *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(4 * DIR_NAME_MAX);
    *ret = (struct quota_taken){.fd = -1};
    if (!put_name(f, &name))
        return RC_OK;
    const struct quota_load named = load_of(load, buf_str(&name));
    enum rc rc = quota_take(f->st->root_fd, terms(f->st), &named, ret, e);
    ret->of.mailbox = STR_NONE; /* the name goes; what was counted is no ignored mailbox */
    return rc;
}

void folder_taken_end(struct folder *f, struct quota_taken *t, bool kept)
{
    quota_taken_end(f->st->root_fd, terms(f->st), t, kept);
}

void folder_give(struct folder *f, const struct quota_use *gone)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(4 * DIR_NAME_MAX);
    if (gone->messages > 0 && put_name(f, &name))
        quota_give(f->st->root_fd, terms(f->st), buf_str(&name), gone);
}

void store_quota_deleted(struct store *st)
{
    quota_forget_and_tell(st->root_fd, terms(st));
}

void store_quota_renamed(struct store *st)
{
    if (str_find(terms(st)->rules, S(":ignore")) >= 0)
        quota_forget_and_tell(st->root_fd, terms(st));
}

/* --- for sessions --- */

enum rc store_quota(struct store *st, str mailbox, struct store_quota *ret, struct err *e)
{
    const struct quota_terms *q = terms(st);
    struct store_status readable;
    enum rc rc = st->conf.guest ? store_status(st, mailbox, &readable, e) : RC_OK;
    if (rc != RC_OK)
        return rc;
    *ret = (struct store_quota){.limits = quota_limits_of(q->rules, mailbox, q->separator)};
    ret->limited = !ret->limits.ignored && (ret->limits.bytes || ret->limits.messages);
    ret->limits = quota_limits_of(q->rules, STR_NONE, q->separator);
    return ret->limited ? quota_count(st->root_fd, q, false, &ret->use, e) : RC_OK;
}

/* What STATUS counts as the size of a message is what a client would fetch; what comes free is what its file
 * takes, which is not kept: so a little too much is told (RFC 9208 §4.1.4 allows for an estimate). */
enum rc store_deleted_size(struct store *st, str name, uint64_t *ret, struct err *e)
{
    char dir[DIR_NAME_MAX + 1];
    struct folder f;
    int64_t size = 0;
    if (name_to_dir(st, name, dir, e) != RC_OK)
        return store_gone(e);
    enum rc rc = folder_open(st, dir, &f, e);
    if (rc != RC_OK)
        return rc;
    rc = folder_need(st, f.fd, ACL_R, e);
    if (rc == RC_OK)
        rc = db_get_int(st->db, &size, e,
                        "SELECT ifnull(sum(CASE WHEN size < 0 THEN -size ELSE size END), 0) FROM message"
                        " WHERE key BETWEEN ?1 AND ?2 AND flags & 32",
                        DB_I(index_key(f.id, 0)), DB_I(index_key(f.id, UINT32_MAX)));
    folder_close(&f);
    if (rc == RC_OK)
        *ret = (uint64_t)size;
    return index_result(st, rc, e);
}
