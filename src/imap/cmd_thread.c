/* THREAD and UID THREAD (RFC 5256 §3, §4). */
#include "fmt/references.h"
#include "imap/command.h"
#include "imap/progress.h"
#include "imap/search_eval.h"
#include "imap/sort_keys.h"
#include "imap/thread.h"

enum { KEYS_MAX_BYTES = 256 << 20, OUT_SEND_AT = 16 * 1024 };

struct threading {
    struct imap_session *s;
    enum thread_algorithm algorithm;
    struct sort_maker maker;
    struct thread_message *messages;
    size_t n;
};

/* thread = "THREAD" SP thread-alg SP charset 1*(SP search-key) */
static enum rc parse(struct imap_lex *lex, struct imap_reply *re, enum thread_algorithm *ret_algorithm,
                     struct search_node **ret)
{
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_thread_algorithm(lex, ret_algorithm);
    if (rc == RC_OK)
        rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_search_parse_sorted(lex, ret);
    if (rc == RC_PERM)
        return search_badcharset(re);
    return rc == RC_OK ? imap_eol(lex) : rc;
}

static enum rc add_message(struct threading *t, const struct box_msg *msg)
{
    struct envelope_fields f;
    struct thread_message *m = &t->messages[t->n++];
    bool by_arrival = t->algorithm == THREAD_REFS;
    arena_reset(t->maker.scratch);
    envelope_read(msg->envelope, t->maker.scratch, &f);
    *m = (struct thread_message){.uid = msg->uid,
                                 .date = by_arrival ? msg->internal_date : sort_sent_date(&f, msg)};
    if (t->algorithm != THREAD_ORDEREDSUBJECT) {
        str id = f.message_id;
        m->id = arena_str(t->maker.keep, references_take(&id));
        m->references = arena_str(t->maker.keep, msg->references);
    }
    if (t->algorithm != THREAD_REFS)
        m->subject = sort_subject(&t->maker, f.subject, &m->reply);
    return arena_exhausted(t->maker.keep) ? RC_LIMIT : RC_OK;
}

static enum rc load(struct threading *t, const struct uidset *uids, struct err *e)
{
    struct box_query *q;
    struct box_msg msg;
    t->messages = reallocarray(NULL, uidset_count(uids) + (size_t)1, sizeof *t->messages);
    must(t->messages);
    enum rc rc = box_query_open(t->s->box, uids, BOX_WANT_ENVELOPE | BOX_WANT_REFERENCES, &q, e);
    if (rc != RC_OK)
        return rc;
    for (uint32_t done = 0, goal = uidset_count(uids);
         rc == RC_OK && (rc = box_query_next(q, &msg, e)) == RC_OK; done++)
        if ((rc = imap_progress(t->s, done, goal)) == RC_OK)
            rc = add_message(t, &msg);
    box_query_close(q);
    return rc == RC_GONE ? RC_OK : rc;
}

static void put_number(struct imap_session *s, const struct thread_node *node)
{
    if (!node->message)
        return;
    uid32 uid = node->message->uid;
    buf_put_u64(&s->out, s->command->flags & CMD_UID ? uid : uidset_rank(box_view(s->box), uid));
    if (node->child)
        buf_putc(&s->out, ' ');
    if (s->out.n > OUT_SEND_AT)
        imap_send(s);
}

static bool is_only_child(const struct thread_node *node)
{
    return node->parent->message && node->parent->child == node && !node->next;
}

/* thread-list    = "(" (thread-members / thread-nested) ")"
 * thread-members = nz-number *(SP nz-number) [SP thread-nested]
 * thread-nested  = 2*thread-list                          ; an only child stands in its parent's list */
static void put_threads(struct imap_session *s, const struct thread_node *root)
{
    const struct thread_node *node = root->child;
    while (node) {
        if (!is_only_child(node))
            buf_putc(&s->out, '(');
        put_number(s, node);
        if (node->child) {
            node = node->child;
            continue;
        }
        while (node != root && !node->next) { /* up, to where there is a next one */
            if (!is_only_child(node))
                buf_putc(&s->out, ')');
            node = node->parent;
        }
        if (node == root)
            break;
        buf_putc(&s->out, ')');
        node = node->next;
    }
}

/* thread-data = "THREAD" [SP 1*thread-list] */
static enum rc tell(struct threading *t)
{
    AUTO(arena_freep) struct arena *a = arena_new(KEYS_MAX_BYTES);
    struct imap_session *s = t->s;
    struct thread_node *root;
    enum rc rc = thread_build(t->algorithm, t->messages, t->n, a, &root);
    if (rc != RC_OK)
        return rc;
    buf_puts(&s->out, root->child ? S("* THREAD ") : S("* THREAD"));
    put_threads(s, root);
    buf_puts(&s->out, S("\r\n"));
    imap_send(s);
    return RC_OK;
}

enum rc imap_cmd_thread(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    AUTO(uidset_deinit) struct uidset found = {0};
    struct threading t = {.s = s};
    struct search_node *root;
    bool with_modseq; /* RFC 7162 §3.1.6 speaks of SEARCH and SORT: THREAD tells none */
    enum rc rc = parse(lex, re, &t.algorithm, &root);
    if (rc == RC_OK)
        rc = search_find(s, s->box, lex, root, &found, &with_modseq, re);
    if (rc != RC_OK)
        return rc;
    AUTO(arena_freep) struct arena *keep = arena_new(KEYS_MAX_BYTES);
    sort_maker_init(&t.maker, keep);
    rc = load(&t, &found, &re->err);
    if (rc == RC_OK)
        rc = tell(&t);
    free(t.messages);
    sort_maker_deinit(&t.maker);
    return rc;
}
