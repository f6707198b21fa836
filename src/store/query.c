/* query: FETCH's and SEARCH's walk over messages, in batches of rows, so that no statement stays open between
 * calls and the caller may change flags meanwhile. Cheap columns come from the table message alone; what else
 * is wanted is made from the file once and kept in the tables text, header and signature, written batch by
 * batch without fsync: what a crash loses is made again. */
#include "fmt/bodystructure.h"
#include "fmt/crlf.h"
#include "fmt/envelope.h"
#include "fmt/header_common.h"
#include "fmt/mime.h"
#include "fmt/references.h"
#include "fmt/textsig.h"
#include "store/store_priv.h"

enum {
    PARSE_BYTES = 32 << 20,
    TEXT_BYTES = 4 << 20,
    HEADER_BYTES = 16 << 10,
    BATCH_BYTES = 8 << 20,
    BATCH_ROWS = 128,
    WANT_TEXTS = BOX_WANT_ENVELOPE | BOX_WANT_BODY | BOX_WANT_BODYSTRUCTURE | BOX_WANT_REFERENCES
};

struct row {
    struct box_msg msg;
    int64_t size; /* as the column has it */
    unsigned has; /* enum box_want: what of that is cached; of the texts all or none */
};

struct parsed { /* to be cached */
    uid32 uid;
    int64_t old_size, size;
    str envelope, body, bodystructure, references; /* envelope empty: they were not wanted */
    str header, signature;                         /* .p NULL: not wanted, or too long */
};

struct box_query {
    struct box *b;
    struct uidset uids;
    size_t range;
    uid32 next; /* first UID of the range that is still to come */
    unsigned want;
    struct row rows[BATCH_ROWS];
    size_t n_rows, at;
    struct arena *row_texts;
    struct parsed parsed[BATCH_ROWS];
    size_t n_parsed;
    struct arena *parsed_texts;
    struct arena *tree; /* of the message whose signature is made */
    struct foldtext fold;
};

enum rc box_query_open(struct box *b, const struct uidset *uids, unsigned want, struct box_query **ret,
                       struct err *e)
{
    enum rc rc = index_check(b->f.st, e);
    if (rc == RC_OK)
        rc = folder_need(b->f.st, b->f.fd, ACL_R, e);
    if (rc != RC_OK)
        return rc;
    struct box_query *q = calloc(1, sizeof *q);
    must(q);
    q->b = b;
    q->want = want;
    q->row_texts = arena_new(BATCH_BYTES + 4 * TEXT_BYTES);
    q->parsed_texts = arena_new(BATCH_BYTES + 4 * TEXT_BYTES);
    q->tree = arena_new(MIME_TREE_BYTES);
    foldtext_init(&q->fold);
    uidset_copy(&q->uids, uids);
    uidset_intersect(&q->uids, &b->view);
    q->next = q->uids.n ? q->uids.r[0].first : 0;
    *ret = q;
    return RC_OK;
}

/* The same columns with less work where they are not wanted. */
static enum rc begin_range(struct box_query *q, struct db_stmt **ret, struct err *e)
{
#define SELECT(columns, joins)                                                                            \
    "SELECT key, flags, keywords, modseq, internal_date, save_date, size, " columns " FROM message" joins \
    " WHERE key BETWEEN ?1 AND ?2 ORDER BY key LIMIT ?3"
#define BY_SIGNATURE(c, j)                                                          \
    {                                                                               \
        SELECT(c "NULL", j), SELECT(c "bits", j " LEFT JOIN signature USING (key)") \
    }
#define BY_HEADER(c, j)                                                                                   \
    {                                                                                                     \
        BY_SIGNATURE(c "NULL, ", j), BY_SIGNATURE(c "header.fields, ", j " LEFT JOIN header USING (key)") \
    }
#define BY_OBJECT(c, j)                                                                                \
    {                                                                                                  \
        BY_HEADER(c "NULL, NULL, ", j), BY_HEADER(c "base, file.fields, ", j " JOIN file USING (key)") \
    }
    static const char *const sql[2][2][2][2] = {
        /* texts, object, header, signature */
        BY_OBJECT("NULL, NULL, NULL, NULL, ", ""),
        BY_OBJECT("envelope, body, bodystructure, refs, ", " LEFT JOIN text USING (key)")};
    const struct box *b = q->b;
    bool texts = q->want & WANT_TEXTS, object = q->want & BOX_WANT_OBJECT, header = q->want & BOX_WANT_HEADER,
         signature = q->want & BOX_WANT_SIGNATURE;
    return db_query(b->f.st->db, ret, e, sql[texts][object][header][signature],
                    DB_I(index_key(b->f.id, q->next)), DB_I(index_key(b->f.id, q->uids.r[q->range].last)),
                    DB_I(BATCH_ROWS - q->n_rows));
}

/* Only what was asked for: SORT wants one text of the four. */
static void take_texts(struct box_query *q, const struct db_stmt *s, struct box_msg *msg)
{
    if (q->want & BOX_WANT_ENVELOPE)
        msg->envelope = arena_str(q->row_texts, db_text(s, 7));
    if (q->want & BOX_WANT_BODY)
        msg->body = arena_str(q->row_texts, db_text(s, 8));
    if (q->want & BOX_WANT_BODYSTRUCTURE)
        msg->bodystructure = arena_str(q->row_texts, db_text(s, 9));
    if (q->want & BOX_WANT_REFERENCES)
        msg->references = arena_str(q->row_texts, db_text(s, 10));
}

static void take_row(struct box_query *q, const struct db_stmt *s)
{
    struct row *r = &q->rows[q->n_rows++];
    *r = (struct row){.msg = {.uid = (uid32)db_int(s, 0),
                              .flags = (unsigned)db_int(s, 1),
                              .keywords = (uint64_t)db_int(s, 2),
                              .modseq = (modseq)db_int(s, 3),
                              .internal_date = db_int(s, 4),
                              .save_date = db_int(s, 5)},
                      .size = db_int(s, 6)};
    r->msg.size = r->size > 0 ? (uint64_t)r->size : 0;
    if (!db_is_null(s, 7)) {
        r->has |= WANT_TEXTS;
        take_texts(q, s, &r->msg);
    }
    if (!db_is_null(s, 11))
        r->msg.email_id = object_id(q->row_texts, db_text(s, 11), db_text(s, 12));
    if (!db_is_null(s, 13)) {
        r->has |= BOX_WANT_HEADER;
        r->msg.header = arena_str(q->row_texts, db_blob(s, 13));
    }
    if (!db_is_null(s, 14)) {
        r->has |= BOX_WANT_SIGNATURE;
        r->msg.signature = arena_str(q->row_texts, db_blob(s, 14));
    }
    q->next = r->msg.uid + 1;
}

static bool batch_full(const struct box_query *q)
{
    return q->n_rows == BATCH_ROWS || arena_used(q->row_texts) > BATCH_BYTES;
}

/* RC_GONE: the range has no more rows. */
static enum rc take_rows(struct box_query *q, struct err *e)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    enum rc rc = begin_range(q, &s, e);
    while (rc == RC_OK && !batch_full(q) && (rc = db_step(s, e)) == RC_OK)
        take_row(q, s);
    return rc;
}

static enum rc refill(struct box_query *q, struct err *e)
{
    q->at = q->n_rows = 0;
    arena_reset(q->row_texts);
    while (q->range < q->uids.n && !batch_full(q)) {
        enum rc rc = take_rows(q, e);
        if (rc == RC_GONE && ++q->range < q->uids.n)
            q->next = q->uids.r[q->range].first;
        else if (rc != RC_OK && rc != RC_GONE)
            return rc;
    }
    return q->n_rows ? RC_OK : RC_GONE;
}

/* The text so far, or a constant that is valid in its place when it did not fit. */
static str keep(struct arena *a, struct buf *b, str instead)
{
    str s = arena_str(a, b->overflow ? instead : buf_str(b));
    buf_reset(b);
    return s;
}

static void make_texts(struct arena *texts, str raw, struct parsed *p)
{
    const str no_envelope = S("(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    const str no_body = S("(\"APPLICATION\" \"OCTET-STREAM\" NIL NIL NIL \"8BIT\" 0)");
    AUTO(arena_freep) struct arena *a = arena_new(PARSE_BYTES);
    struct buf b = BUF_INIT(TEXT_BYTES);
    const struct mime_part *root = mime_tree(raw, a);
    str header = str_sub(raw, root->header.start, root->header.end - root->header.start);
    envelope_put(&b, header, a);
    p->envelope = keep(texts, &b, no_envelope);
    references_put(&b, header);
    p->references = keep(texts, &b, S(""));
    bodystructure_put(&b, raw, root, false, a);
    p->body = keep(texts, &b, no_body);
    bodystructure_put(&b, raw, root, true, a);
    p->bodystructure = keep(texts, &b, no_body);
    buf_deinit(&b);
}

static void make_header(struct arena *texts, str raw, struct parsed *p)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(HEADER_BYTES);
    header_common_put(&b, raw);
    if (!b.overflow)
        p->header = arena_str(texts, buf_str(&b));
}

static void make_signature(struct box_query *q, str raw, struct parsed *p)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(TEXTSIG_MAX);
    arena_reset(q->tree);
    textsig_put(&b, &q->fold, raw, mime_tree(raw, q->tree));
    p->signature = arena_str(q->parsed_texts, buf_str(&b));
}

static enum rc save_one(struct folder *f, const struct parsed *p, struct err *e)
{
    int64_t key = index_key(f->id, p->uid);
    enum rc rc = RC_OK;
    if (p->old_size < 0) {
        rc = db_run(f->st->db, e, "UPDATE message SET size = ?2 WHERE key = ?1 AND size < 0", DB_I(key),
                    DB_I(p->size));
        if (rc == RC_OK && db_changes(f->st->db) == 1)
            f->size = f->size - message_size_bound(p->old_size) + (uint64_t)p->size;
    }
    if (rc == RC_OK && p->envelope.n)
        rc = db_run(f->st->db, e,
                    "INSERT OR REPLACE INTO text SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS"
                    " (SELECT 1 FROM message WHERE key = ?1)",
                    DB_I(key), DB_T(p->envelope), DB_T(p->body), DB_T(p->bodystructure), DB_T(p->references));
    if (rc == RC_OK && p->header.p)
        rc = db_run(f->st->db, e,
                    "INSERT OR REPLACE INTO header SELECT ?1, ?2 WHERE EXISTS"
                    " (SELECT 1 FROM message WHERE key = ?1)",
                    DB_I(key), DB_B(p->header));
    if (rc == RC_OK && p->signature.p)
        rc = db_run(f->st->db, e,
                    "INSERT OR REPLACE INTO signature SELECT ?1, ?2 WHERE EXISTS"
                    " (SELECT 1 FROM message WHERE key = ?1)",
                    DB_I(key), DB_B(p->signature));
    return rc;
}

/* A cache that cannot be written is no reason to fail a FETCH. */
static void save_parsed(struct box_query *q)
{
    struct err e;
    struct folder *f = &q->b->f;
    if (q->n_parsed == 0)
        return;
    enum rc rc = f->st->stale ? RC_TEMP : folder_begin(f, false, &e);
    if (rc == RC_OK) {
        for (size_t i = 0; i < q->n_parsed && rc == RC_OK; i++)
            rc = save_one(f, &q->parsed[i], &e);
        rc = folder_end(f, rc, &e);
    }
    index_damage(f->st, rc);
    q->n_parsed = 0;
    arena_reset(q->parsed_texts);
}

/* Makes from the file what is missing (enum box_want). RC_GONE: the file is not there. */
static enum rc complete(struct box_query *q, struct row *r, unsigned missing, struct err *e)
{
    struct box_content c;
    if (q->n_parsed == BATCH_ROWS || arena_used(q->parsed_texts) > BATCH_BYTES)
        save_parsed(q);
    enum rc rc = box_content_open(q->b, r->msg.uid, &c, e);
    if (rc != RC_OK)
        return rc;
    struct parsed *p = &q->parsed[q->n_parsed++];
    *p = (struct parsed){.uid = r->msg.uid, .old_size = r->size, .size = r->size};
    if (r->size < 0)
        p->size = (int64_t)crlf_size(c.raw);
    r->msg.size = (uint64_t)p->size;
    if (missing & WANT_TEXTS) {
        make_texts(q->parsed_texts, c.raw, p);
        r->msg.envelope = p->envelope;
        r->msg.body = p->body;
        r->msg.bodystructure = p->bodystructure;
        r->msg.references = p->references;
    }
    if (missing & BOX_WANT_HEADER) {
        make_header(q->parsed_texts, c.raw, p);
        r->msg.header = p->header;
    }
    if (missing & BOX_WANT_SIGNATURE) {
        make_signature(q, c.raw, p);
        r->msg.signature = p->signature;
    }
    box_content_close(&c);
    return RC_OK;
}

enum rc box_query_next(struct box_query *q, struct box_msg *ret, struct err *e)
{
    const unsigned made = WANT_TEXTS | BOX_WANT_HEADER | BOX_WANT_SIGNATURE;
    for (;;) {
        enum rc rc = q->at < q->n_rows ? RC_OK : refill(q, e);
        if (rc != RC_OK)
            return index_result(q->b->f.st, rc, e);
        struct row *r = &q->rows[q->at++];
        unsigned missing = q->want & made & ~r->has;
        if (missing || r->size < 0)
            rc = complete(q, r, missing, e);
        if (rc == RC_GONE)
            continue; /* the next sync tells */
        r->msg.seq = uidset_rank(&q->b->view, r->msg.uid);
        if (rc == RC_OK)
            *ret = r->msg;
        return rc;
    }
}

struct box_query *box_query_close(struct box_query *q)
{
    if (!q)
        return NULL;
    save_parsed(q);
    arena_free(q->row_texts);
    arena_free(q->parsed_texts);
    arena_free(q->tree);
    foldtext_deinit(&q->fold);
    uidset_deinit(&q->uids);
    free(q);
    return NULL;
}
