/* CREATE (RFC 9051 §6.3.4) with USE (RFC 6154 §3, CREATE-SPECIAL-USE). */
#include "imap/command.h"
#include "imap/mail_log.h"
#include "imap/special_use.h"

#include "base/log.h"

/* "USE" SP "(" [use-attr *(SP use-attr)] ")": this server gives a mailbox one use at most, and none of those
 * that are views of other mailboxes. */
static enum rc use_parse(struct imap_lex *lex, struct imap_reply *re, enum special_use *ret)
{
    const str *names;
    size_t n;
    enum special_use use = USE_NONE;
    enum rc rc;
    if (!imap_take_word(lex, S("USE")))
        return imap_expect(lex, "USE");
    if ((rc = imap_sp(lex)) || (rc = imap_flag_list(lex, &names, &n)))
        return rc;
    if (n > 1 || (n == 1 && !imap_special_use_find(names[0], &use)) || use == USE_ALL || use == USE_FLAGGED) {
        re->code = S("USEATTR");
        return err_set(&re->err, RC_PERM, 0, "",
                       "A mailbox can have one of \\Archive, \\Drafts, \\Junk, \\Sent, \\Trash.");
    }
    *ret = use;
    return RC_OK;
}

/* [SP "(" create-param *(SP create-param) ")"] (RFC 4466 §2.2), where USE is the only one. */
static enum rc params_parse(struct imap_lex *lex, struct imap_reply *re, enum special_use *ret)
{
    enum rc rc;
    if (imap_peek(lex) != ' ')
        return RC_OK;
    if ((rc = imap_sp(lex)) || (rc = imap_list_begin(lex)) || (rc = use_parse(lex, re, ret)))
        return rc;
    return imap_list_end(lex);
}

enum rc imap_cmd_create(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    str name;
    enum special_use use = USE_NONE;
    struct store_status st;
    enum rc rc;
    if ((rc = imap_sp(lex)) || (rc = imap_mailbox(lex, &name)) || (rc = params_parse(lex, re, &use)) ||
        (rc = imap_eol(lex)))
        return rc;
    /* "owatagusiam/": a declaration that names below it will follow; the name is what counts */
    if (name.n > 1 && name.p[name.n - 1] == s->start->separator)
        name.n--;
    rc = store_create(s->store, name, use, &re->err);
    struct err ignored;
    if (rc == RC_OK && store_status(s->store, name, &st, &ignored) == RC_OK)
        re->code = arena_printf(s->arena, "MAILBOXID (%s)", st.id); /* RFC 8474 §4.1 */
    if (rc == RC_OK && imap_logs(s, MAIL_LOG_MAILBOX_CREATE))
        log_info("Mailbox created: " STR_FMT, STR_ARG(name));
    if (rc == RC_OK)
        imap_names_changed(s, name, STR_NONE);
    if (rc == RC_PERM && store_status(s->store, name, &st, &ignored) == RC_OK)
        re->code = S("ALREADYEXISTS");
    return rc;
}
