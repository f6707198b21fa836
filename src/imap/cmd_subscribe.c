/* SUBSCRIBE and UNSUBSCRIBE (RFC 9051 §6.3.7, §6.3.8). */
#include "imap/command.h"

static enum rc set_subscribed(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re,
                              bool subscribed)
{
    str name;
    enum rc rc;
    if ((rc = imap_sp(lex)) || (rc = imap_mailbox(lex, &name)) || (rc = imap_eol(lex)))
        return rc;
    rc = store_subscribe(s->store, name, subscribed, &re->err);
    if (rc == RC_OK)
        imap_names_changed(s, name, STR_NONE);
    return rc;
}

enum rc imap_cmd_subscribe(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    return set_subscribed(s, lex, re, true);
}

enum rc imap_cmd_unsubscribe(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    return set_subscribed(s, lex, re, false);
}
