/* GETQUOTA and GETQUOTAROOT (RFC 9208 §4.1.1, §4.1.2; RFC 2087). There is one quota root, the account's,
 * where it has a limit; SETQUOTA is not there: limits are the administrator's, and QUOTASET is not announced.
 */
#include "imap/command.h"

#include "fmt/imap_out.h"
#include "imap/list.h"

/* quota-resource = resource-name SP resource-usage SP resource-limit */
static void put_resource(struct buf *out, const char *name, uint64_t use, uint64_t limit)
{
    if (limit)
        buf_printf(out, "%s%s %llu %llu", out->p[out->n - 1] == '(' ? "" : " ", name, (unsigned long long)use,
                   (unsigned long long)limit);
}

/* quota-response = "QUOTA" SP quota-root-name SP quota-list; STORAGE counts units of 1,024 octets, begun ones
 * of what is used too (RFC 9208 §5.1). */
static void tell_quota(struct imap_session *s, const struct store_quota *q)
{
    buf_puts(&s->out, S("* QUOTA "));
    imap_put_astring(&s->out, s->start->quota_name);
    buf_puts(&s->out, S(" ("));
    put_resource(&s->out, "STORAGE", (q->use.bytes + 1023) / 1024,
                 q->limits.bytes ? (q->limits.bytes + 1023) / 1024 : 0);
    put_resource(&s->out, "MESSAGE", q->use.messages, q->limits.messages);
    buf_puts(&s->out, S(")\r\n"));
    imap_send(s);
}

/* getquota = "GETQUOTA" SP quota-root-name */
enum rc imap_cmd_getquota(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    struct store_quota q;
    str root;
    enum rc rc;
    if ((rc = imap_sp(lex)) || (rc = imap_astring(lex, &root)) || (rc = imap_eol(lex)))
        return rc;
    if ((rc = store_quota(s->store, STR_NONE, &q, &re->err)))
        return rc;
    if (!q.limited || !str_eq(root, s->start->quota_name))
        return err_set(&re->err, RC_GONE, 0, "", "There is no such quota root.");
    tell_quota(s, &q);
    return RC_OK;
}

/* getquotaroot = "GETQUOTAROOT" SP mailbox; the mailbox need not be there (RFC 9208 §4.1.2). */
enum rc imap_cmd_getquotaroot(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    struct store_quota q;
    str mailbox;
    enum rc rc;
    if ((rc = imap_sp(lex)) || (rc = imap_mailbox(lex, &mailbox)) || (rc = imap_eol(lex)))
        return rc;
    if ((rc = store_quota(s->store, mailbox, &q, &re->err)))
        return rc;
    buf_puts(&s->out, S("* QUOTAROOT "));
    list_put_name(s, mailbox);
    if (q.limited) {
        buf_putc(&s->out, ' ');
        imap_put_astring(&s->out, s->start->quota_name);
    }
    buf_puts(&s->out, S("\r\n"));
    imap_send(s);
    if (q.limited)
        tell_quota(s, &q);
    return RC_OK;
}
