/* UIDBATCHES (RFC 10022): cuts the mailbox into batches of so many messages, as ranges of UIDs from the
 * highest down. The ranges leave no UID out, so that they stay right when messages go. */
#include "imap/command.h"

enum { BATCH_MIN = 500 /* RFC 10022 §3.1: fewer would be sequence numbers by another name */ };

struct batches {
    uint32_t size, first, last; /* the first is that of the highest UIDs */
};

/* uidbatches = "UIDBATCHES" SP nz-number [SP nz-number ":" nz-number] */
static enum rc parse(struct imap_lex *lex, struct batches *ret)
{
    struct batches b = {.first = 1, .last = UINT32_MAX};
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_nz_number(lex, &b.size);
    if (rc == RC_OK && imap_peek(lex) == ' ') {
        if ((rc = imap_sp(lex)) != RC_OK || (rc = imap_nz_number(lex, &b.first)) != RC_OK)
            return rc;
        if (!imap_take(lex, ':'))
            return imap_expect(lex, "a range of batches such as 1:10");
        rc = imap_nz_number(lex, &b.last);
    }
    if (rc != RC_OK)
        return rc;
    *ret = b.first <= b.last ? b : (struct batches){b.size, b.last, b.first};
    return imap_eol(lex);
}

/* "215295:99696": from the highest message of the batch down to the next batch. */
static void put_batch(struct buf *out, const struct uidset *view, uint32_t high, uint32_t size)
{
    uid32 top = uidset_select(view, high), bottom = high > size ? uidset_select(view, high - size) + 1 : 1;
    buf_put_u64(out, top);
    if (bottom == top)
        return;
    buf_putc(out, ':');
    buf_put_u64(out, bottom);
}

static void put(struct imap_session *s, const struct batches *b)
{
    const struct uidset *view = box_view(s->box);
    uint64_t count = uidset_count(view), skipped = (uint64_t)(b->first - 1) * b->size;
    buf_printf(&s->out, "* UIDBATCHES (TAG \"" STR_FMT "\")", STR_ARG(s->tag));
    for (uint32_t k = b->first; skipped < count && k <= b->last; k++, skipped += b->size) {
        buf_putc(&s->out, k == b->first ? ' ' : ',');
        put_batch(&s->out, view, (uint32_t)(count - skipped), b->size);
    }
    buf_puts(&s->out, S("\r\n"));
    imap_send(s);
}

enum rc imap_cmd_uidbatches(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    struct batches b = {0};
    enum rc rc = parse(lex, &b);
    if (rc != RC_OK)
        return rc;
    if (b.size < BATCH_MIN) {
        re->code = S("TOOFEW");
        return err_set(&re->err, RC_PERM, 0, "", "The smallest batch has %d messages.", BATCH_MIN);
    }
    put(s, &b);
    return RC_OK;
}
