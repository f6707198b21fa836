/* set: message sets of commands, by sequence number or UID, as the UIDs of the view that they name (RFC 9051
 * §9, sequence-set; RFC 5182 for "$"). */
#include "imap/session.h"

static enum rc bad_set(struct imap_lex *lex, size_t begin, enum rc rc)
{
    lex->at = begin;
    return imap_fail(lex, rc,
                     rc == RC_LIMIT ? "a set with fewer ranges" : "a set of messages that are there");
}

/* RFC 9051 §9: a sequence number that is not in the mailbox is an error; "*" in an empty mailbox too. */
static enum rc seqs_to_uids(const struct uidset *view, const struct uidset *seqs, struct uidset *ret)
{
    if (uidset_count(seqs) == 0 || uidset_max(seqs) > uidset_count(view))
        return RC_INVALID;
    for (size_t i = 0; i < seqs->n; i++) {
        uid32 last = uidset_select(view, seqs->r[i].last);
        uidset_add(ret, uidset_select(view, seqs->r[i].first), last);
    }
    uidset_intersect(ret, view);
    return RC_OK;
}

enum rc imap_parse_uids(struct imap_session *s, struct imap_lex *lex, struct uidset *ret)
{
    size_t begin = lex->at;
    str text;
    enum rc rc = imap_set_text(lex, &text);
    if (rc)
        return rc;
    if (str_eq(text, S("$"))) {
        uidset_copy(ret, &s->saved);
        return RC_OK;
    }
    rc = uidset_parse(text, uidset_max(box_view(s->box)), s->limits.set_ranges_max, ret);
    return rc ? bad_set(lex, begin, rc) : RC_OK;
}

enum rc imap_parse_set(struct imap_session *s, struct imap_lex *lex, bool uid, struct uidset *ret)
{
    const struct uidset *view = box_view(s->box);
    size_t begin = lex->at;
    str text;
    enum rc rc;
    if (uid || imap_peek(lex) == '$') {
        rc = imap_parse_uids(s, lex, ret);
        uidset_intersect(ret, view);
        return rc;
    }
    AUTO(uidset_deinit) struct uidset named = {0};
    rc = imap_set_text(lex, &text);
    if (rc)
        return rc;
    rc = uidset_parse(text, uidset_count(view), s->limits.set_ranges_max, &named);
    if (rc == RC_OK)
        rc = seqs_to_uids(view, &named, ret);
    return rc ? bad_set(lex, begin, rc) : RC_OK;
}
