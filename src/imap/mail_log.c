/* What changed, told once it is done. */
#include "imap/mail_log.h"

#include "base/log.h"

#include <stdlib.h>

bool imap_logs(const struct imap_session *s, unsigned events)
{
    return s->start->mail_log.events & events;
}

/* --- flags --- */

struct state { /* of a message */
    uid32 uid;
    unsigned flags;
    uint64_t keywords;
};

struct states {
    struct state *v;
    size_t n;
};

static void states_deinit(struct states *x)
{
    free(x->v);
}

/* In the order of UIDs. */
static enum rc states_take(struct box *b, const struct uidset *uids, struct states *ret, struct err *e)
{
    struct box_query *q = NULL;
    struct box_msg msg;
    uint32_t room = uidset_count(uids);
    enum rc rc = box_query_open(b, uids, 0, &q, e);
    ret->v = calloc(room + 1, sizeof *ret->v);
    must(ret->v);
    while (rc == RC_OK && ret->n < room && (rc = box_query_next(q, &msg, e)) == RC_OK)
        ret->v[ret->n++] = (struct state){msg.uid, msg.flags, msg.keywords};
    box_query_close(q);
    return rc == RC_GONE ? RC_OK : rc;
}

struct changes {
    struct uidset deleted, undeleted, others;
};

static void changes_deinit(struct changes *c)
{
    uidset_deinit(&c->deleted);
    uidset_deinit(&c->undeleted);
    uidset_deinit(&c->others);
}

static void compare(const struct states *before, const struct states *after, struct changes *ret)
{
    for (size_t i = 0, k = 0; i < before->n; i++) {
        while (k < after->n && after->v[k].uid < before->v[i].uid)
            k++;
        if (k == after->n || after->v[k].uid != before->v[i].uid)
            continue;
        const struct state *old = &before->v[i], *now = &after->v[k];
        unsigned turned = old->flags ^ now->flags;
        if (turned & FLAG_DELETED)
            uidset_add(now->flags & FLAG_DELETED ? &ret->deleted : &ret->undeleted, now->uid, now->uid);
        else if (turned || old->keywords != now->keywords)
            uidset_add(&ret->others, now->uid, now->uid);
    }
}

static void tell_now(struct imap_session *s, enum mail_log_event event, const char *what,
                     const struct uidset *uids)
{
    AUTO(mail_log_deinit) struct mail_log l;
    mail_log_init(&l, &s->start->mail_log);
    if (imap_logs(s, event) && uids->n > 0)
        mail_log_note(&l, s->box, str_c(s->box_name), uids);
    mail_log_tell(&l, what);
}

enum rc imap_change_flags(struct imap_session *s, const struct uidset *uids, const struct flag_change *change,
                          struct uidset *ret_failed, struct err *e)
{
    AUTO(states_deinit) struct states before = {0}, after = {0};
    AUTO(changes_deinit) struct changes c = {0};
    bool told = imap_logs(s, MAIL_LOG_DELETE | MAIL_LOG_UNDELETE | MAIL_LOG_FLAG_CHANGE);
    enum rc rc = told ? states_take(s->box, uids, &before, e) : RC_OK;
    if (rc == RC_OK)
        rc = box_change_flags(s->box, uids, change, true, ret_failed, e);
    if (rc != RC_OK || !told)
        return rc;
    if (states_take(s->box, uids, &after, e) == RC_OK)
        compare(&before, &after, &c);
    tell_now(s, MAIL_LOG_DELETE, "delete", &c.deleted);
    tell_now(s, MAIL_LOG_UNDELETE, "undelete", &c.undeleted);
    tell_now(s, MAIL_LOG_FLAG_CHANGE, "flag_change", &c.others);
    return RC_OK;
}

/* --- messages that go and come --- */

void imap_log_expunge(struct imap_session *s, struct mail_log *l, const struct uidset *uids)
{
    mail_log_init(l, &s->start->mail_log);
    if (imap_logs(s, MAIL_LOG_EXPUNGE) && uids->n > 0)
        mail_log_note(l, s->box, str_c(s->box_name), uids);
}

void imap_log_new(struct imap_session *s, enum mail_log_event event, const char *what, str mailbox,
                  const struct uidset *uids)
{
    AUTO(mail_log_deinit) struct mail_log l;
    struct box *b = NULL;
    struct err e = {0};
    mail_log_init(&l, &s->start->mail_log);
    if (!imap_logs(s, event) || uids->n == 0)
        return;
    if (box_open(s->store, mailbox, true, &b, &e) != RC_OK) {
        log_warn("mail_log_events: " STR_FMT ": %s", STR_ARG(mailbox), err_text(&e));
        return;
    }
    mail_log_note(&l, b, mailbox, uids);
    mail_log_tell(&l, what);
    box_close(b);
}
