/* RENAME (RFC 9051 §6.3.6). */
#include "imap/command.h"
#include "imap/mail_log.h"

#include "base/log.h"

/* The selected mailbox may be the renamed one or lie below it: it stays selected and goes by its new name. */
static void follow(struct imap_session *s, str from, str to)
{
    str selected = str_c(s->box_name);
    if (!str_starts(selected, from) || str_eq(from, S("INBOX")))
        return;
    str below = str_from(selected, from.n);
    if (below.n > 0 && below.p[0] != s->start->separator)
        return;
    str name = arena_printf(s->arena, STR_FMT STR_FMT, STR_ARG(to), STR_ARG(below));
    str_freep(&s->box_name);
    s->box_name = str_dup(name);
}

enum rc imap_cmd_rename(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    str from, to;
    struct store_status st;
    enum rc rc;
    if ((rc = imap_sp(lex)) || (rc = imap_mailbox(lex, &from)) || (rc = imap_sp(lex)) ||
        (rc = imap_mailbox(lex, &to)) || (rc = imap_eol(lex)))
        return rc;
    rc = store_rename(s->store, from, to, &re->err);
    struct err ignored;
    if (rc == RC_PERM && store_status(s->store, to, &st, &ignored) == RC_OK)
        re->code = S("ALREADYEXISTS");
    if (rc)
        return rc;
    if (imap_logs(s, MAIL_LOG_MAILBOX_RENAME))
        log_info("Mailbox renamed: " STR_FMT " -> " STR_FMT, STR_ARG(from), STR_ARG(to));
    if (s->box)
        follow(s, from, to);
    imap_changed(s, from);
    imap_changed(s, to);
    imap_names_changed(s, from, to);
    return RC_OK;
}
