/* search_result: see search_result.h. Nothing is expunged from the view while a command with numbers runs, so
 * the numbers told are those of the view. */
#include "imap/search_result.h"

#include "imap/list.h"

enum { OUT_SEND_AT = 16 * 1024 };

struct search_result search_result_of(const struct imap_session *s, const char *word)
{
    return (struct search_result){
        .word = word, .tag = s->tag, .uid = s->command->flags & CMD_UID, .box = s->box};
}

void search_result_take(struct search_result *r, const struct uidset *uids)
{
    r->uids = reallocarray(NULL, uidset_count(uids) + (size_t)1, sizeof *r->uids);
    must(r->uids);
    r->n = 0;
    for (size_t i = 0; i < uids->n; i++)
        for (uid32 uid = uids->r[i].first; uid; uid = uid < uids->r[i].last ? uid + 1 : 0)
            r->uids[r->n++] = uid;
}

void search_result_deinit(struct search_result *r)
{
    free(r->uids);
    free(r->scores);
    r->uids = NULL;
    r->scores = NULL;
    r->n = 0;
}

static uint32_t number_of(const struct search_result *r, size_t i)
{
    return r->uid ? r->uids[i] : uidset_rank(box_view(r->box), r->uids[i]);
}

/* Places [from, to) of the result that PARTIAL names; an empty span when it lies outside. */
struct span {
    size_t from, to;
};

static struct span partial_span(const struct search_result *r, const struct imap_partial *p)
{
    size_t first = p->first, last = p->last < r->n ? p->last : r->n;
    if (first > r->n)
        return (struct span){0, 0};
    return p->from_end ? (struct span){r->n - last, r->n - first + 1} : (struct span){first - 1, last};
}

static void add_span(const struct search_result *r, struct span at, struct uidset *out)
{
    for (size_t i = at.from; i < at.to; i++)
        uidset_add(out, r->uids[i], r->uids[i]);
}

/* What the answer is about: what SAVE keeps (RFC 5182 §2.4, RFC 9394 §3.1), and whose MODSEQ is told (RFC
 * 7162 §3.1.10). MIN and MAX alone narrow it to them. */
static void reported(const struct search_result *r, const struct imap_return *how, struct uidset *out)
{
    bool narrow = how->options & (RETURN_MIN | RETURN_MAX | RETURN_PARTIAL);
    bool whole = how->options & (RETURN_ALL | RETURN_COUNT);
    if (r->n == 0)
        return;
    if (how->options & RETURN_PARTIAL)
        add_span(r, partial_span(r, &how->partial), out);
    else if (!narrow || whole)
        add_span(r, (struct span){0, r->n}, out);
    if (how->options & RETURN_MIN)
        uidset_add(out, r->uids[0], r->uids[0]);
    if (how->options & RETURN_MAX)
        uidset_add(out, r->uids[r->n - 1], r->uids[r->n - 1]);
}

static enum rc highest_modseq(struct box *b, const struct uidset *uids, modseq *ret, struct err *e)
{
    struct box_query *q;
    struct box_msg msg;
    enum rc rc = box_query_open(b, uids, 0, &q, e);
    if (rc != RC_OK)
        return rc;
    *ret = 0;
    while ((rc = box_query_next(q, &msg, e)) == RC_OK)
        if (msg.modseq > *ret)
            *ret = msg.modseq;
    box_query_close(q);
    return rc == RC_GONE ? RC_OK : rc;
}

/* Only what rises by one becomes a range. */
void search_result_put_set(struct imap_session *s, const struct search_result *r, size_t from, size_t to)
{
    for (size_t i = from; i < to;) {
        uint32_t first = number_of(r, i), last = first;
        if (i++ > from)
            buf_putc(&s->out, ',');
        while (i < to && number_of(r, i) == last + 1) {
            last++;
            i++;
        }
        buf_put_u64(&s->out, first);
        if (last > first) {
            buf_putc(&s->out, ':');
            buf_put_u64(&s->out, last);
        }
        if (s->out.n > OUT_SEND_AT)
            imap_send(s);
    }
}

static void put_item(struct imap_session *s, const char *name, uint64_t value)
{
    buf_putc(&s->out, ' ');
    buf_puts(&s->out, str_c(name));
    buf_putc(&s->out, ' ');
    buf_put_u64(&s->out, value);
}

static void put_partial(struct imap_session *s, const struct search_result *r, const struct imap_partial *p)
{
    struct span at = partial_span(r, p);
    buf_puts(&s->out, S(" PARTIAL ("));
    imap_partial_put(&s->out, p);
    buf_putc(&s->out, ' ');
    if (at.from == at.to)
        buf_puts(&s->out, S("NIL"));
    search_result_put_set(s, r, at.from, at.to);
    buf_putc(&s->out, ')');
}

/* "RELEVANCY" SP "(" [score *(SP score)] ")" (RFC 6203 §7), of what else is told */
static void put_relevancy(struct imap_session *s, const struct search_result *r,
                          const struct imap_return *how)
{
    bool part = how->options & RETURN_PARTIAL;
    struct span at = part ? partial_span(r, &how->partial) : (struct span){0, r->n};
    buf_puts(&s->out, S(" RELEVANCY ("));
    for (size_t i = at.from; i < at.to; i++) {
        if (i > at.from)
            buf_putc(&s->out, ' ');
        buf_put_u64(&s->out, r->scores[i]);
        if (s->out.n > OUT_SEND_AT)
            imap_send(s);
    }
    buf_putc(&s->out, ')');
}

/* search-correlator = SP "(" one-correlator *(SP one-correlator) ")" (RFC 7377 §4) */
void search_result_begin(struct imap_session *s, const struct search_result *r)
{
    buf_printf(&s->out, "* ESEARCH (TAG \"" STR_FMT "\"", STR_ARG(r->tag));
    if (r->mailbox.n > 0) {
        buf_puts(&s->out, S(" MAILBOX "));
        list_put_name(s, r->mailbox);
        buf_printf(&s->out, " UIDVALIDITY %u", box_status(r->box)->uidvalidity);
    }
    buf_puts(&s->out, r->uid ? S(") UID") : S(")"));
}

/* esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data) */
static void put_esearch(struct imap_session *s, const struct search_result *r, const struct imap_return *how,
                        modseq highest)
{
    search_result_begin(s, r);
    if (r->n && (how->options & RETURN_MIN))
        put_item(s, "MIN", number_of(r, 0));
    if (r->n && (how->options & RETURN_MAX))
        put_item(s, "MAX", number_of(r, r->n - 1));
    if (how->options & RETURN_COUNT)
        put_item(s, "COUNT", r->n);
    if (r->n && (how->options & RETURN_ALL)) {
        buf_puts(&s->out, S(" ALL "));
        search_result_put_set(s, r, 0, r->n);
    }
    if (how->options & RETURN_PARTIAL)
        put_partial(s, r, &how->partial);
    if (how->options & RETURN_RELEVANCY)
        put_relevancy(s, r, how);
    if (highest)
        put_item(s, "MODSEQ", highest);
    buf_puts(&s->out, S("\r\n"));
    imap_send(s);
}

/* mailbox-data = "SEARCH" *(SP nz-number) [SP "(" "MODSEQ" SP mod-sequence-value ")"] */
static void put_plain(struct imap_session *s, const struct search_result *r, modseq highest)
{
    buf_puts(&s->out, S("* "));
    buf_puts(&s->out, str_c(r->word));
    for (size_t i = 0; i < r->n; i++) {
        buf_putc(&s->out, ' ');
        buf_put_u64(&s->out, number_of(r, i));
        if (s->out.n > OUT_SEND_AT)
            imap_send(s);
    }
    if (highest) {
        buf_puts(&s->out, S(" (MODSEQ "));
        buf_put_u64(&s->out, highest);
        buf_putc(&s->out, ')');
    }
    buf_puts(&s->out, S("\r\n"));
    imap_send(s);
}

enum rc search_result_put(struct imap_session *s, const struct search_result *r,
                          const struct imap_return *how, struct err *e)
{
    AUTO(uidset_deinit) struct uidset about = {0};
    modseq highest = 0;
    enum rc rc = RC_OK;
    if (r->with_modseq || (how->options & RETURN_SAVE))
        reported(r, how, &about);
    if (r->with_modseq)
        rc = highest_modseq(r->box, &about, &highest, e);
    if (rc != RC_OK)
        return rc;
    if (how->options & RETURN_SAVE)
        uidset_copy(&s->saved, &about);
    if (!how->given)
        put_plain(s, r, highest);
    else if (how->options != RETURN_SAVE && (r->n > 0 || r->mailbox.n == 0)) /* RFC 5182 §2.1: saved alone */
        put_esearch(s, r, how, highest);
    return RC_OK;
}

void search_forget_saved(struct imap_session *s, enum rc rc, const struct imap_return *how)
{
    if (rc != RC_OK && rc != RC_INVALID && (how->options & RETURN_SAVE))
        uidset_clear(&s->saved);
}
