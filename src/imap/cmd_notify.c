/* NOTIFY (RFC 5465): which changes are told, and told at any time. */
#include "imap/announce.h"
#include "imap/command.h"
#include "imap/notify.h"
#include "imap/resync.h"

/* RFC 5465 §3.1: NO, with the events that are known. */
static enum rc refuse_event(struct imap_session *s, struct imap_reply *re)
{
    re->code = arena_printf(s->arena, "BADEVENT (" STR_FMT ")", STR_ARG(IMAP_NOTIFY_EVENTS));
    return err_set(&re->err, RC_PERM, 0, "", "An event is not known.");
}

static enum rc refuse_overflow(struct imap_reply *re)
{
    re->code = S("NOTIFICATIONOVERFLOW");
    return err_set(&re->err, RC_PERM, 0, "", "These are more mailboxes than %d.", IMAP_WATCHES_MAX);
}

/* notify = "NOTIFY" SP (notify-set / notify-none) */
enum rc imap_cmd_notify(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    struct notify *n = NULL;
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = notify_parse(lex, &n);
    if (rc != RC_OK)
        return rc == RC_PERM ? refuse_event(s, re) : rc;
    rc = notify_begin(s, n, &re->err);
    if (rc != RC_OK) {
        notify_free(n);
        return rc == RC_LIMIT ? refuse_overflow(re) : rc;
    }
    if (s->box) /* RFC 5465 §3.1: it is a NOOP as well */
        imap_announce(s, 0);
    if (n)
        notify_tell_status(s);
    return RC_OK;
}
