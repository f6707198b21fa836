/* set: message sets of commands, by sequence number or UID, as the UIDs of the view that they name (RFC 9051
 * §9, sequence-set; RFC 5182 for "$"). */
#include "imap/session.h"

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

enum rc imap_parse_set(struct imap_session *s, struct imap_lex *lex, bool uid, struct uidset *ret)
{
    size_t begin = lex->at;
    str text;
    enum rc rc = imap_set_text(lex, &text);
    if (rc)
        return rc;
    const struct uidset *view = box_view(s->box);
    if (str_eq(text, S("$"))) {
        uidset_copy(ret, &s->saved);
        uidset_intersect(ret, view);
        return RC_OK;
    }
    struct uidset named;
    uidset_init(&named);
    rc = uidset_parse(text, uid ? uidset_max(view) : uidset_count(view), s->limits.set_ranges_max, &named);
    if (rc == RC_OK && uid) {
        uidset_intersect(&named, view);
        uidset_add_set(ret, &named);
    } else if (rc == RC_OK) {
        rc = seqs_to_uids(view, &named, ret);
    }
    uidset_deinit(&named);
    if (rc == RC_OK)
        return RC_OK;
    lex->at = begin;
    return imap_fail(lex, rc,
                     rc == RC_LIMIT ? "a set with fewer ranges" : "a set of messages that are there");
}
