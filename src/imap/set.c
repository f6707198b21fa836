/* set: message sets of commands, by sequence number or UID, as the UIDs of the view that they name (RFC 9051
 * §9, sequence-set; RFC 5182 for "$"). */
#include "imap/session.h"

static enum rc bad_set(struct imap_lex *lex, size_t begin, enum rc rc)
{
    lex->at = begin;
    return imap_fail(lex, rc,
                     rc == RC_LIMIT ? "a set with fewer ranges" : "a set of messages that are there");
}

static void seqs_to_uids(const struct uidset *view, const struct uidset *seqs, struct uidset *ret)
{
    for (size_t i = 0; i < seqs->n; i++) {
        uid32 last = uidset_select(view, seqs->r[i].last);
        uidset_add(ret, uidset_select(view, seqs->r[i].first), last);
    }
    uidset_intersect(ret, view);
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
    /* RFC 9051 §9: a sequence number that is not in the mailbox is an error; "*" in an empty mailbox too */
    if (rc == RC_OK && (named.n == 0 || uidset_max(&named) > uidset_count(view)))
        rc = RC_INVALID;
    if (rc == RC_OK)
        seqs_to_uids(view, &named, ret);
    return rc ? bad_set(lex, begin, rc) : RC_OK;
}

enum rc imap_search_set(const struct imap_session *s, const struct box *b, str text, bool uid,
                        struct uidset *ret)
{
    const struct uidset *view = box_view(b);
    AUTO(uidset_deinit) struct uidset named = {0};
    if (str_eq(text, S("$"))) {
        if (b == s->box)
            uidset_copy(ret, &s->saved);
        return RC_OK;
    }
    uint32_t star = uid ? uidset_max(view) : uidset_count(view);
    enum rc rc = uidset_parse(text, star, s->limits.set_ranges_max, &named);
    if (rc != RC_OK)
        return rc;
    if (uid) {
        uidset_copy(ret, &named);
        uidset_intersect(ret, view);
    } else {
        uidset_del(&named, star + 1, UINT32_MAX);
        seqs_to_uids(view, &named, ret);
    }
    return RC_OK;
}
