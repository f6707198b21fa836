/* user+tag goes into the mailbox tag. */
#include "role/deliver_detail.h"

#include "base/log.h"
#include "fmt/mailaddr.h"
#include "os/file.h"

enum { ADDRESS_ARENA = 16 << 10 };

/* In the arena. */
static bool find_tag(const struct conf *c, str address, struct arena *a, str *ret)
{
    struct mailaddr parts;
    str base;
    return mailaddr_parse(address, a, &parts) == RC_OK &&
           mailaddr_split_detail(parts.local, str_c(c->recipient_delimiter), &base, ret) && ret->n > 0;
}

static enum rc make(const struct conf *c, int maildir_fd, const char *dir, struct err *e)
{
    enum rc rc = delivery_make_folder(maildir_fd, dir, e);
    if (rc == RC_OK && c->lda_mailbox_autosubscribe)
        rc = delivery_subscribe(maildir_fd, dir, e);
    return rc == RC_PERM ? RC_OK : rc; /* another delivery has made it meanwhile */
}

static enum rc open_folder(const struct conf *c, int maildir_fd, const char *dir, int *ret_fd, struct err *e)
{
    enum rc rc = delivery_open_maildir(maildir_fd, str_c(dir), false, ret_fd, e);
    if (rc != RC_GONE || !c->lda_mailbox_autocreate)
        return rc;
    *e = (struct err){0};
    rc = make(c, maildir_fd, dir, e);
    return rc == RC_OK ? delivery_open_maildir(maildir_fd, str_c(dir), false, ret_fd, e) : rc;
}

void detail_open(const struct conf *c, int maildir_fd, str address, struct detail *ret)
{
    struct detail d = {.fd = -1};
    struct err e = {0};
    str tag;
    *ret = d;
    if (!c->lmtp_save_to_detail_mailbox)
        return;
    AUTO(arena_freep) struct arena *a = arena_new(ADDRESS_ARENA);
    if (!find_tag(c, address, a, &tag))
        return;
    if (delivery_folder_of(c->hierarchy_separator[0], tag, d.dir, &e) != RC_OK || d.dir[0] == '\0')
        return;
    enum rc rc = open_folder(c, maildir_fd, d.dir, &d.fd, &e);
    if (rc == RC_OK)
        *ret = d;
    else if (rc != RC_GONE)
        log_warn(STR_FMT ": the mailbox of the tag cannot be opened: %s", STR_ARG(address), err_text(&e));
}

void detail_close(struct detail *d)
{
    fd_closep(&d->fd);
}
