/* resync: see resync.h. */
#include "imap/resync.h"

#include "imap/announce.h"

void imap_highestmodseq_put(struct imap_session *s)
{
    buf_puts(&s->out, S("* OK [HIGHESTMODSEQ "));
    buf_put_u64(&s->out, box_status(s->box)->highestmodseq);
    buf_puts(&s->out, S("] The last change.\r\n"));
}

void imap_condstore_enable(struct imap_session *s)
{
    if (s->enabled & IMAP_CONDSTORE)
        return;
    s->enabled |= IMAP_CONDSTORE;
    if (!s->box)
        return;
    imap_highestmodseq_put(s);
    imap_send(s);
}

enum rc imap_tell_vanished(struct imap_session *s, uint64_t since, const struct uidset *among, struct err *e)
{
    AUTO(uidset_deinit) struct uidset vanished = {0};
    enum rc rc = box_vanished_since(s->box, since, &vanished, e);
    uidset_intersect(&vanished, among);
    if (rc == RC_OK)
        imap_announce_vanished(s, &vanished, true);
    return rc;
}

/* The last UID up to which the client knows what there is. Its messages are those of the view and some that
 * vanished; so where one of its pairs (number, UID) is one of the view, nothing vanished below it that the
 * client does not know of (RFC 7162 §3.2.5.2). */
static uid32 last_match(const struct uidset *view, const struct uidset *seqs, const struct uidset *uids)
{
    uid32 last = 0;
    for (uint32_t k = uidset_count(seqs); k > 0 && last == 0; k--)
        if (uidset_rank(view, uidset_select(uids, k)) == uidset_select(seqs, k))
            last = uidset_select(uids, k);
    return last;
}

static enum rc bad_sets(struct err *e)
{
    return err_set(e, RC_INVALID, 0, "", "The sets of QRESYNC are not valid.");
}

static enum rc parse_match(struct imap_session *s, const struct imap_select_params *p, uid32 *ret_last)
{
    AUTO(uidset_deinit) struct uidset seqs = {0};
    AUTO(uidset_deinit) struct uidset uids = {0};
    *ret_last = 0;
    if (p->match_seqs.n == 0)
        return RC_OK;
    enum rc rc = uidset_parse(p->match_seqs, 0, s->limits.set_ranges_max, &seqs);
    if (rc == RC_OK)
        rc = uidset_parse(p->match_uids, 0, s->limits.set_ranges_max, &uids);
    if (rc != RC_OK || uidset_count(&seqs) != uidset_count(&uids))
        return RC_INVALID;
    /* more pairs than messages: only so many can match, and a client may name 4,294,967,295 of them */
    uidset_del(&seqs, uidset_count(box_view(s->box)) + 1, UINT32_MAX);
    *ret_last = last_match(box_view(s->box), &seqs, &uids);
    return RC_OK;
}

enum rc imap_resync(struct imap_session *s, const struct imap_select_params *p, struct err *e)
{
    AUTO(uidset_deinit) struct uidset known = {0};
    AUTO(uidset_deinit) struct uidset changed = {0};
    uid32 last = 0;
    enum rc rc = parse_match(s, p, &last);
    if (rc == RC_OK && p->known_uids.n)
        rc = uidset_parse(p->known_uids, 0, s->limits.set_ranges_max, &known);
    else if (rc == RC_OK)
        uidset_add(&known, 1, UINT32_MAX);
    if (rc != RC_OK)
        return bad_sets(e);
    if (p->uidvalidity != box_status(s->box)->uidvalidity)
        return RC_OK;
    rc = box_changed_since(s->box, p->modseq, &changed, e);
    uidset_intersect(&changed, &known);
    if (last > 0)
        uidset_del(&known, 1, last);
    if (rc == RC_OK)
        rc = imap_tell_vanished(s, p->modseq, &known, e);
    return rc == RC_OK ? imap_announce_messages(s, &changed, TOLD_UID | TOLD_FLAGS | TOLD_MODSEQ, e) : rc;
}
