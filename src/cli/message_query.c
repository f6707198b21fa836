#include "cli/message_query.h"

enum { RANGES_MAX = 1 << 24 };

static enum rc take_found(void *ctx, const struct imap_response *r, struct imap_lex *lex)
{
    struct message_set *found = ctx;
    struct imap_found f;
    if (!str_ieq(r->word, S("ESEARCH")))
        return RC_OK;
    enum rc rc = imap_response_esearch(lex, &f);
    if (rc || f.all.n == 0)
        return rc;
    return uidset_parse(f.all, 0, RANGES_MAX, &found->uids);
}

/* Selects the mailbox and searches it. */
static int search(struct mail_session *s, const struct message_query *q, bool read_only,
                  struct message_set *found)
{
    struct err e = {0};
    uidset_clear(&found->uids);
    if (mail_session_select(s, found->box->name, read_only, &e) != RC_OK)
        return cli_fail("%s: " STR_FMT ": %s", s->account, STR_ARG(found->box->name), err_text(&e));
    struct buf *out = imap_client_command(s->client);
    buf_puts(out, S("UID SEARCH RETURN (SAVE ALL) "));
    int status = q->put(q->ctx, s, found->box, out);
    if (status != CLI_FINE)
        return status;
    enum rc rc = imap_client_run(s->client, take_found, found, &e);
    return rc == RC_OK ? CLI_FINE : mail_session_fail(s, "search", &e);
}

/* Only where something was found it is selected in such a way that it may be changed. */
static int look(struct mail_session *s, const struct message_query *q, struct message_set *found,
                int (*fn)(struct mail_session *s, const struct message_set *found, void *ctx), void *ctx)
{
    int status = search(s, q, true, found);
    if (status == CLI_FINE && found->uids.n && !q->read_only)
        status = search(s, q, false, found);
    return status == CLI_FINE && found->uids.n ? fn(s, found, ctx) : status;
}

int message_query_each(struct mail_session *s, const struct message_query *q,
                       int (*fn)(struct mail_session *s, const struct message_set *found, void *ctx),
                       void *ctx)
{
    AUTO(mail_boxes_deinit) struct mail_boxes boxes = {0};
    struct err e = {0};
    int status = CLI_FINE;
    if (mail_boxes_find(s, q->mailboxes, q->counts, &boxes, &e) != RC_OK)
        return mail_session_fail(s, "list the mailboxes", &e);
    for (size_t i = 0; i < boxes.n; i++) {
        if (!boxes.v[i].selectable || (q->except && str_eq(boxes.v[i].name, str_c(q->except))) ||
            (q->wants && !q->wants(q->ctx, &boxes.v[i])))
            continue;
        struct message_set found = {.box = &boxes.v[i], .alone = boxes.n == 1};
        int one = look(s, q, &found, fn, ctx);
        uidset_deinit(&found.uids);
        status = one != CLI_FINE ? one : status;
    }
    return status;
}
