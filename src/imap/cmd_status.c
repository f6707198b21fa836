/* STATUS (RFC 9051 §6.3.11; RFC 3501 §6.3.10 for RECENT), with HIGHESTMODSEQ (RFC 7162 §3.1.7), SIZE (RFC
 * 8438) and APPENDLIMIT (RFC 7889 §4). */
#include "imap/command.h"
#include "imap/list.h"
#include "imap/resync.h"
#include "imap/status.h"

/* What is told of a mailbox. */
struct facts {
    struct store_status st;
    uint64_t deleted_size;
};

static const str ITEMS[STATUS_ITEMS] = {
    S("MESSAGES"), S("RECENT"),          S("UIDNEXT"),       S("UIDVALIDITY"), S("UNSEEN"),   S("DELETED"),
    S("SIZE"),     S("DELETED-STORAGE"), S("HIGHESTMODSEQ"), S("APPENDLIMIT"), S("MAILBOXID")};

static uint64_t item_value(const struct imap_session *s, const struct facts *f, size_t item)
{
    const struct store_status *st = &f->st;
    switch ((enum status_item)item) {
    case STATUS_MESSAGES:
        return st->messages;
    case STATUS_RECENT:
        return st->recent;
    case STATUS_UIDNEXT:
        return st->uidnext;
    case STATUS_UIDVALIDITY:
        return st->uidvalidity;
    case STATUS_UNSEEN:
        return st->unseen;
    case STATUS_DELETED:
        return st->deleted;
    case STATUS_DELETED_STORAGE:
        return f->deleted_size;
    case STATUS_HIGHESTMODSEQ:
        return st->highestmodseq;
    case STATUS_APPENDLIMIT:
        return s->start->append_max;
    case STATUS_SIZE:
    case STATUS_MAILBOXID: /* no number */
    case STATUS_ITEMS:
        break;
    }
    return st->size;
}

/* "(" status-att *(SP status-att) ")": a bit for each item asked */
enum rc status_items_parse(struct imap_lex *lex, unsigned *ret)
{
    unsigned asked = 0;
    enum rc rc = imap_list_begin(lex);
    if (rc)
        return rc;
    do {
        size_t i = 0;
        while (i < STATUS_ITEMS && !imap_take_word(lex, ITEMS[i]))
            i++;
        if (i == STATUS_ITEMS)
            return imap_expect(lex, "a status item");
        asked |= 1u << i;
    } while (imap_peek(lex) == ' ' && imap_sp(lex) == RC_OK);
    if ((rc = imap_list_end(lex)))
        return rc;
    *ret = asked;
    return RC_OK;
}

void status_items_put(struct buf *out, unsigned asked)
{
    char before = '(';
    for (size_t i = 0; i < STATUS_ITEMS; i++) {
        if (!(asked >> i & 1))
            continue;
        buf_putc(out, before);
        buf_puts(out, ITEMS[i]);
        before = ' ';
    }
    buf_putc(out, ')');
}

static void tell(struct imap_session *s, str mailbox, unsigned asked, const struct facts *f)
{
    buf_puts(&s->out, S("* STATUS "));
    list_put_name(s, mailbox);
    char before = '(';
    buf_putc(&s->out, ' ');
    for (size_t i = 0; i < STATUS_ITEMS; i++) {
        if (!(asked >> i & 1))
            continue;
        buf_putc(&s->out, before);
        before = ' ';
        buf_puts(&s->out, ITEMS[i]);
        buf_putc(&s->out, ' ');
        if (i == STATUS_MAILBOXID)
            buf_printf(&s->out, "(%s)", f->st.id);
        else
            buf_put_u64(&s->out, item_value(s, f, i));
    }
    buf_puts(&s->out, S(")\r\n"));
    imap_send(s);
}

void status_tell(struct imap_session *s, str mailbox, unsigned asked, const struct store_status *st)
{
    tell(s, mailbox, asked, &(struct facts){.st = *st});
}

enum rc status_put(struct imap_session *s, str mailbox, unsigned asked, struct err *e)
{
    struct facts f = {0};
    enum rc rc = store_status(s->store, mailbox, &f.st, e);
    if (rc == RC_OK && asked >> STATUS_DELETED_STORAGE & 1 && f.st.deleted > 0)
        rc = store_deleted_size(s->store, mailbox, &f.deleted_size, e);
    if (rc != RC_OK)
        return rc;
    if (asked >> STATUS_HIGHESTMODSEQ & 1)
        imap_condstore_enable(s);
    tell(s, mailbox, asked, &f);
    return RC_OK;
}

enum rc imap_cmd_status(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    str mailbox;
    unsigned asked;
    enum rc rc;
    if ((rc = imap_sp(lex)) || (rc = imap_mailbox(lex, &mailbox)) || (rc = imap_sp(lex)) ||
        (rc = status_items_parse(lex, &asked)) || (rc = imap_eol(lex)))
        return rc;
    return status_put(s, mailbox, asked, &re->err);
}
