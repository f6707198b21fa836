/* search_result: how SEARCH, and SORT in its own order, tell what they found: the plain response of RFC 3501
 * §7.2.5, or the ESEARCH of RFC 4731 with what RETURN asked for; and what SAVE keeps as "$" (RFC 5182). */
#ifndef IMAP_SEARCH_RESULT_H
#define IMAP_SEARCH_RESULT_H

#include "fmt/imap_return.h"
#include "imap/session.h"

struct search_result {
    const char *word; /* of the plain response: "SEARCH" */
    str tag;          /* of the command */
    bool uid;         /* numbers are UIDs */
    struct box *box;  /* that was searched */
    str mailbox; /* its name, which the response tells, if it found something (RFC 7377 §2.1); or STR_NONE */
    uid32 *uids; /* in the order of the answer; heap */
    size_t n;
    uint8_t *scores;  /* of uids, in their order; NULL: not asked for; heap (imap/relevancy.h) */
    bool with_modseq; /* the program asked for MODSEQ: the highest one is told (RFC 7162 §3.1.6, §3.1.10) */
};

/* An empty one, of this command in the selected mailbox. */
struct search_result search_result_of(const struct imap_session *s, const char *word);
void search_result_take(struct search_result *r, const struct uidset *uids); /* ascending */
void search_result_deinit(struct search_result *r);

/* Sends the response, if any, and saves what SAVE names. */
MUST_USE enum rc search_result_put(struct imap_session *s, const struct search_result *r,
                                   const struct imap_return *how, struct err *e);

/* "* ESEARCH (TAG "x") UID", the begin of a response; left in s->out. */
void search_result_begin(struct imap_session *s, const struct search_result *r);
/* sequence-set of uids[from] up to before uids[to], in their order. */
void search_result_put_set(struct imap_session *s, const struct search_result *r, size_t from, size_t to);

/* A command with SAVE that ended with NO leaves "$" empty (RFC 5182 §2.1). */
void search_forget_saved(struct imap_session *s, enum rc rc, const struct imap_return *how);

#endif
