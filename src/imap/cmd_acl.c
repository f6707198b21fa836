/* GETACL, SETACL, DELETEACL, LISTRIGHTS and MYRIGHTS (RFC 4314 §3). The owner of the account has all rights,
 * whatever is kept of them, and nobody takes them away. */
#include "imap/command.h"
#include "imap/list.h"
#include "imap/rights.h"
#include "imap/shared.h"

#include "fmt/imap_out.h"
#include "fmt/saslprep.h"

static bool is_owner(const struct imap_session *s, const struct acl_id *id)
{
    return id->kind == ACL_OWNER || (id->kind == ACL_USER && str_eq(id->who, s->start->account));
}

/* --- arguments --- */

/* identifier = astring; prepared as the names of users are (RFC 4314 §3) */
static enum rc identifier_parse(struct imap_session *s, struct imap_lex *lex, struct acl_id *ret)
{
    AUTO(buf_deinit) struct buf prepared = BUF_INIT(ACL_ID_MAX);
    str text;
    enum rc rc = imap_astring(lex, &text);
    if (rc != RC_OK)
        return rc;
    if (saslprep(text, true, &prepared) != RC_OK)
        return imap_expect(lex, "an identifier");
    text = arena_str(s->arena, buf_str(&prepared));
    return acl_id_parse(text, ret) == RC_OK ? RC_OK : imap_expect(lex, "an identifier");
}

/* SP mailbox [SP identifier] */
static enum rc names_parse(struct imap_session *s, struct imap_lex *lex, str *ret_mailbox,
                           struct acl_id *ret_id)
{
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_mailbox(lex, ret_mailbox);
    if (rc == RC_OK && ret_id)
        rc = imap_sp(lex);
    if (rc == RC_OK && ret_id)
        rc = identifier_parse(s, lex, ret_id);
    return rc;
}

/* mod-rights = astring, with "+" or "-" at its begin or without */
static enum rc mod_rights_parse(struct imap_lex *lex, struct acl_change *ret)
{
    str text;
    enum rc rc = imap_astring(lex, &text);
    if (rc != RC_OK)
        return rc;
    ret->op = str_starts(text, S("+")) ? ACL_ADD : str_starts(text, S("-")) ? ACL_REMOVE : ACL_REPLACE;
    if (acl_rights_parse(str_from(text, ret->op != ACL_REPLACE), &ret->rights) != RC_OK)
        return imap_expect(lex, "rights that exist"); /* BAD, as RFC 4314 §3.1 has it */
    return RC_OK;
}

/* --- responses --- */

static void put_rights(struct buf *out, unsigned rights)
{
    AUTO(buf_deinit) struct buf letters = BUF_INIT(32);
    acl_rights_put(&letters, rights);
    buf_putc(out, ' ');
    imap_put_astring(out, buf_str(&letters));
}

static void put_identifier(struct buf *out, const struct acl_id *id)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(ACL_ID_MAX);
    acl_id_put(&text, id);
    buf_putc(out, ' ');
    imap_put_astring(out, buf_str(&text));
}

static void send_line(struct imap_session *s)
{
    buf_puts(&s->out, S("\r\n"));
    imap_send(s);
}

enum rc rights_put_mine(struct imap_session *s, str mailbox, struct err *e)
{
    unsigned rights;
    enum rc rc = store_rights(s->store, mailbox, &rights, e);
    if (rc != RC_OK)
        return rc;
    buf_puts(&s->out, S("* MYRIGHTS "));
    list_put_name(s, mailbox);
    put_rights(&s->out, rights);
    send_line(s);
    return RC_OK;
}

/* acl-data = "ACL" SP mailbox *(SP identifier SP rights); what is kept of the owner does not count */
static void tell_acl(struct imap_session *s, str mailbox, const struct acl *acl)
{
    const struct acl_id owner = {.kind = ACL_USER, .who = s->start->account};
    buf_puts(&s->out, S("* ACL "));
    list_put_name(s, mailbox);
    put_identifier(&s->out, &owner);
    put_rights(&s->out, ACL_ALL_RIGHTS);
    for (size_t i = 0; i < acl->n; i++) {
        if (is_owner(s, &acl->v[i].id))
            continue;
        put_identifier(&s->out, &acl->v[i].id);
        put_rights(&s->out, acl->v[i].rights);
    }
    send_line(s);
}

/* "LISTRIGHTS" SP mailbox SP identifier SP rights *(SP rights): what it has anyway, and what it can be given,
 * one by one */
static void tell_possible(struct imap_session *s, str mailbox, const struct acl_id *id)
{
    bool owner = is_owner(s, id);
    buf_puts(&s->out, S("* LISTRIGHTS "));
    list_put_name(s, mailbox);
    put_identifier(&s->out, id);
    put_rights(&s->out, owner ? ACL_ALL_RIGHTS : 0);
    for (const char *letter = ACL_LETTERS "cd"; *letter && !owner; letter++)
        buf_printf(&s->out, " %c", *letter);
    send_line(s);
}

/* --- commands --- */

enum rc imap_cmd_getacl(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    struct acl acl;
    str mailbox;
    enum rc rc = names_parse(s, lex, &mailbox, NULL);
    if (rc == RC_OK)
        rc = imap_eol(lex);
    if (rc == RC_OK)
        rc = store_acl(s->store, mailbox, s->arena, &acl, &re->err);
    if (rc == RC_OK)
        tell_acl(s, mailbox, &acl);
    return rc;
}

/* The owner's rights stay, and what everybody may do is for the administrator to allow. */
static enum rc check_change(const struct imap_session *s, struct acl_change *c, struct err *e)
{
    bool some = c->rights != 0, removes = c->op == ACL_REMOVE, negative = c->id.negative;
    if (is_owner(s, &c->id)) {
        bool less = negative  ? !removes && some
                    : removes ? some
                              : c->op == ACL_REPLACE && c->rights != ACL_ALL_RIGHTS;
        if (less)
            return err_set(e, RC_PERM, 0, "", "The owner of a mailbox has all rights.");
        if (!negative && !removes) /* what is missing in the file is missing to other programs alone */
            c->rights = ACL_ALL_RIGHTS;
    }
    if ((c->id.kind == ACL_ANYONE || c->id.kind == ACL_AUTHENTICATED) && some && !negative && !removes &&
        !s->start->acl_anyone)
        return err_set(e, RC_PERM, 0, "", "Rights for everybody are not allowed here.");
    return RC_OK;
}

static enum rc apply(struct imap_session *s, str mailbox, const struct acl_change *change, struct err *e)
{
    enum rc rc = store_acl_change(s->store, mailbox, change, e);
    if (rc == RC_OK)
        shared_tell_with(s);
    return rc;
}

enum rc imap_cmd_setacl(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    struct acl_change change;
    str mailbox;
    enum rc rc = names_parse(s, lex, &mailbox, &change.id);
    if (rc == RC_OK)
        rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = mod_rights_parse(lex, &change);
    if (rc == RC_OK)
        rc = imap_eol(lex);
    if (rc == RC_OK)
        rc = check_change(s, &change, &re->err);
    return rc == RC_OK ? apply(s, mailbox, &change, &re->err) : rc;
}

enum rc imap_cmd_deleteacl(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    struct acl_change change = {.op = ACL_DELETE};
    str mailbox;
    enum rc rc = names_parse(s, lex, &mailbox, &change.id);
    if (rc == RC_OK)
        rc = imap_eol(lex);
    return rc == RC_OK ? apply(s, mailbox, &change, &re->err) : rc;
}

enum rc imap_cmd_listrights(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    struct acl permitted; /* to those who may read it: RFC 4314 §4 */
    struct acl_id id;
    str mailbox;
    enum rc rc = names_parse(s, lex, &mailbox, &id);
    if (rc == RC_OK)
        rc = imap_eol(lex);
    if (rc == RC_OK)
        rc = store_acl(s->store, mailbox, s->arena, &permitted, &re->err);
    if (rc == RC_OK)
        tell_possible(s, mailbox, &id);
    return rc;
}

enum rc imap_cmd_myrights(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    str mailbox;
    enum rc rc = names_parse(s, lex, &mailbox, NULL);
    if (rc == RC_OK)
        rc = imap_eol(lex);
    return rc == RC_OK ? rights_put_mine(s, mailbox, &re->err) : rc;
}
