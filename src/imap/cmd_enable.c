/* ENABLE (RFC 5161 §3.1): CONDSTORE and QRESYNC (RFC 7162 §3.2.3), IMAP4rev2 (RFC 9051 §6.3.1), UIDONLY (RFC
 * 9586 §3), UTF8=ACCEPT (RFC 9755 §3), METADATA (RFC 5464 §4.4); unknown names are ignored. */
#include "imap/command.h"
#include "imap/fetch_body.h"
#include "imap/notify.h"
#include "imap/resync.h"
#include "imap/shared.h"

#include "base/log.h"

static const struct {
    str name;
    unsigned enables; /* enum imap_enabled */
} EXTENSIONS[] = {
    {S("CONDSTORE"), IMAP_CONDSTORE}, {S("QRESYNC"), IMAP_CONDSTORE | IMAP_QRESYNC},
    {S("IMAP4rev2"), IMAP_REV2},      {S("UIDONLY"), IMAP_UIDONLY},
    {S("UTF8=ACCEPT"), IMAP_UTF8},    {S("METADATA"), IMAP_METADATA},
};
enum { N_EXTENSIONS = sizeof EXTENSIONS / sizeof *EXTENSIONS };

/* "ENABLE" 1*(SP capability): a bit for each row that was named */
static enum rc parse(struct imap_lex *lex, unsigned *ret_named)
{
    unsigned named = 0;
    str name;
    do {
        enum rc rc = imap_sp(lex);
        if (rc == RC_OK)
            rc = imap_atom(lex, &name);
        if (rc != RC_OK)
            return rc;
        for (size_t i = 0; i < N_EXTENSIONS; i++)
            named |= str_ieq(name, EXTENSIONS[i].name) ? 1u << i : 0;
    } while (imap_peek(lex) == ' ');
    *ret_named = named;
    return imap_eol(lex);
}

/* Not with more mailboxes than can be watched: then it is not among those that are told as enabled. */
static bool metadata_enable(struct imap_session *s)
{
    struct err e = {0};
    enum rc rc = notify_enable_metadata(s, &e);
    if (rc == RC_TEMP)
        log_error("ENABLE METADATA: %s", err_text(&e));
    return rc == RC_OK;
}

enum rc imap_cmd_enable(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    unsigned named, enables = 0;
    enum rc rc = parse(lex, &named);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < N_EXTENSIONS; i++)
        enables |= named >> i & 1 ? EXTENSIONS[i].enables : 0;
    if ((enables & IMAP_UTF8) && (s->box || shared_is_selected(s))) /* RFC 9755 §3 */
        return err_set(&re->err, RC_INVALID, 0, "", "UTF8=ACCEPT comes before a mailbox is selected.");
    if ((enables & IMAP_METADATA) && !metadata_enable(s))
        enables &= ~(unsigned)IMAP_METADATA;
    buf_puts(&s->out, S("* ENABLED"));
    for (size_t i = 0; i < N_EXTENSIONS; i++) {
        if (!(named >> i & 1) || !(EXTENSIONS[i].enables & enables))
            continue;
        buf_putc(&s->out, ' ');
        buf_puts(&s->out, EXTENSIONS[i].name);
    }
    buf_puts(&s->out, S("\r\n"));
    imap_send(s);
    if (enables & IMAP_CONDSTORE)
        imap_condstore_enable(s);
    s->enabled |= enables;
    if (enables & IMAP_KNOWS_UTF8) /* what is open may be a surrogate */
        s->reading = fetch_message_free(s->reading);
    return RC_OK;
}
