/* append: messages from a client (RFC 9051 §6.3.12, RFC 3502, RFC 8508) go to tmp/ with LF line ends as they
 * come, and get their names in cur/ together when the last is complete and durable. */
#include "fmt/append_record.h"
#include "fmt/crlf.h"
#include "fmt/keywords.h"
#include "os/file.h"
#include "store/store_priv.h"

#include <fcntl.h>
#include <unistd.h>

enum {
    CHUNK = 65536,
    PATH_BYTES = 600,
    NAME_BYTES = 48,
    TMP_BYTES = NAME_BYTES + 4,
    BASES_BYTES = 1 << 20,
    RECORD_BYTES = 1 << 20
};

struct append {
    struct folder f;
    uint64_t id;     /* of the files in tmp/ */
    struct arena *a; /* names of finished messages */
    struct newcomer *v;
    size_t n;
    struct quota_use use; /* of them */
    bool in;              /* they have their names */

    /* the message being written */
    int fd; /* -1: none */
    struct crlf_state crlf;
    struct buf out;          /* decoded bytes not written yet */
    uint64_t received, size; /* from the client; on disk */
    uint64_t crlf_size;      /* of the CRLF form of what is on disk */
    char last;               /* byte before the next chunk on disk */

    /* the message that goes; NULL: none */
    struct box *source;
    uid32 replaced;
    struct quota_use freed;
};

/* The file of the i-th message, in tmp/. */
static const char *tmp_name(const struct append *ap, size_t i, char ret[NAME_BYTES])
{
    snprintf(ret, NAME_BYTES, "append.%016llx.%zu", (unsigned long long)ap->id, i);
    return ret;
}

static const char *tmp_path(const struct append *ap, size_t i, char ret[TMP_BYTES])
{
    char name[NAME_BYTES];
    snprintf(ret, TMP_BYTES, "tmp/%s", tmp_name(ap, i, name));
    return ret;
}

static enum rc message_begin(struct append *ap, struct err *e)
{
    char path[TMP_BYTES];
    if (ap->n == APPEND_MESSAGES_MAX)
        return err_set(e, RC_LIMIT, 0, "5.2.0", "Too many messages in one command");
    ap->fd = openat(ap->f.fd, tmp_path(ap, ap->n, path), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    0600);
    if (ap->fd < 0)
        return store_errno(e, "create", path);
    ap->crlf = (struct crlf_state){0};
    ap->received = ap->size = ap->crlf_size = 0;
    ap->last = '\0';
    return RC_OK;
}

enum rc append_begin(struct store *st, str mailbox, struct append **ret, struct err *e)
{
    char dir[DIR_NAME_MAX + 1];
    if (name_to_dir(st, mailbox, dir, e) != RC_OK)
        return store_gone(e);
    struct append *ap = calloc(1, sizeof *ap);
    must(ap);
    enum rc rc = index_check(st, e);
    if (rc == RC_OK)
        rc = folder_open(st, dir, &ap->f, e);
    if (rc != RC_OK) {
        free(ap);
        return index_result(st, rc, e);
    }
    ap->fd = -1;
    ap->id = store_random();
    ap->a = arena_new(BASES_BYTES);
    buf_init(&ap->out, 2 * CHUNK);
    rc = folder_need(st, ap->f.fd, ACL_I, e);
    if (rc == RC_OK)
        rc = message_begin(ap, e);
    if (rc != RC_OK) {
        append_abort(&ap);
        return rc;
    }
    *ret = ap;
    return RC_OK;
}

enum rc append_replace(struct append *ap, struct box *b, uid32 uid, struct err *e)
{
    AUTO(uidset_deinit) struct uidset one = {0};
    struct quota_use use;
    if (b->read_only)
        return store_refuse(e, "Mailbox is read-only");
    uidset_add(&one, uid, uid);
    enum rc rc = folder_need(b->f.st, b->f.fd, ACL_T | ACL_E, e);
    if (rc == RC_OK)
        rc = folder_use_of(&b->f, &one, &use, e);
    if (rc == RC_OK && use.messages == 0)
        rc = err_set(e, RC_GONE, 0, "5.1.1", "The message is no longer there");
    if (rc != RC_OK)
        return rc;
    ap->source = b;
    ap->replaced = uid;
    if (folder_is_counted(&b->f))
        ap->freed = use;
    return RC_OK;
}

static enum rc room(struct append *ap, const struct quota_use *use, struct err *e)
{
    const struct folder_load load = {.use = *use, .freed = ap->freed, .way = QUOTA_SAVED};
    return folder_room(&ap->f, &load, e);
}

enum rc append_room(struct append *ap, uint64_t bytes, struct err *e)
{
    struct quota_use this = {bytes, 1};
    if (ap->fd >= 0)
        this.bytes += ap->size + ap->out.n;
    enum rc rc = room(ap, &this, e); /* a limit may be one of each message */
    if (rc != RC_OK || ap->n == 0)
        return rc;
    this.bytes += ap->use.bytes;
    this.messages += ap->use.messages;
    return room(ap, &this, e);
}

static enum rc flush(struct append *ap, struct err *e)
{
    str s = buf_str(&ap->out);
    ap->size += s.n;
    ap->crlf_size += s.n + crlf_bare(s, ap->last);
    if (s.n)
        ap->last = s.p[s.n - 1];
    enum rc rc = fd_write_all(ap->fd, s);
    buf_reset(&ap->out);
    return rc == RC_OK ? RC_OK : store_errno(e, "write", "tmp");
}

enum rc append_write(struct append *ap, str bytes, struct err *e)
{
    enum rc rc = ap->fd < 0 ? message_begin(ap, e) : RC_OK;
    if (rc == RC_OK && bytes.n > ap->f.st->conf.append_max - ap->received)
        return err_set(e, RC_LIMIT, 0, "5.3.4", "Message is too large");
    ap->received += bytes.n;
    while (bytes.n && rc == RC_OK) {
        str part = str_sub(bytes, 0, CHUNK);
        bytes = str_from(bytes, part.n);
        crlf_decode(&ap->crlf, &ap->out, part);
        if (ap->out.n >= CHUNK)
            rc = flush(ap, e);
    }
    return rc;
}

static enum rc finish_file(struct append *ap, int64_t date, struct err *e)
{
    struct timespec t[2] = {{.tv_sec = date}, {.tv_sec = date}};
    crlf_decode_finish(&ap->crlf, &ap->out);
    enum rc rc = flush(ap, e);
    if (rc == RC_OK && (futimens(ap->fd, t) != 0 || fsync(ap->fd) != 0))
        rc = store_errno(e, "sync", "tmp");
    return rc;
}

/* Bits of the keywords, made in a step of their own when the mailbox does not know them. */
static enum rc make_keywords(struct append *ap, const str *names, size_t n, uint64_t *ret, struct err *e)
{
    AUTO(dotlock_drop) struct dotlock lock = DOTLOCK_INIT;
    bool missing = false;
    enum rc rc = keywords_bits(&ap->f, names, n, false, ret, &missing, e);
    if (rc != RC_OK || !missing)
        return rc;
    rc = dotlock_take(&ap->f.st->lock_file, ap->f.fd, "dovecot-uidlist", &lock, e);
    if (rc == RC_OK)
        rc = folder_begin(&ap->f, true, e);
    if (rc != RC_OK)
        return rc;
    rc = keywords_merge(&ap->f, e);
    if (rc == RC_OK)
        rc = keywords_bits(&ap->f, names, n, true, ret, &missing, e);
    if (rc == RC_OK)
        ap->f.modseq++; /* sessions read the names again when it changes */
    return folder_end(&ap->f, rc, e);
}

static void name_message(struct append *ap, struct newcomer *m)
{
    AUTO(buf_deinit) struct buf base = BUF_INIT(MAILDIR_NAME_MAX);
    AUTO(buf_deinit) struct buf info = BUF_INIT(64);
    file_new_base(ap->f.st, &base, ap->size, ap->crlf_size);
    maildir_info_format(&info, STR_NONE, m->flags, (uint32_t)(m->keywords & ((1u << MAILDIR_KEYWORDS) - 1)));
    m->base = arena_str(ap->a, buf_str(&base));
    m->info = arena_str(ap->a, buf_str(&info));
    must(!arena_exhausted(ap->a));
}

enum rc append_finish(struct append *ap, const struct append_message *msg, struct err *e)
{
    unsigned rights =
        folder_rights(ap->f.st, ap->f.fd); /* of flags that may not be set none is: RFC 4314 §4 */
    struct newcomer m = {.flags = msg->flags & MAILDIR_FLAGS & store_flags_of(rights),
                         .internal_date = msg->internal_date,
                         .save_date = clock_seconds()};
    enum rc rc = ap->fd < 0 ? message_begin(ap, e) : RC_OK;
    if (rc == RC_OK)
        rc = finish_file(ap, msg->internal_date, e);
    if (rc == RC_OK)
        rc = append_room(ap, 0, e);
    if (rc == RC_OK && (rights & ACL_W))
        rc = make_keywords(ap, msg->keywords, msg->n_keywords, &m.keywords, e);
    if (rc != RC_OK)
        return index_result(ap->f.st, rc, e);
    m.size = (int64_t)ap->crlf_size;
    name_message(ap, &m);
    ap->v = reallocarray(ap->v, ap->n + 1, sizeof *ap->v);
    must(ap->v);
    ap->v[ap->n++] = m;
    ap->use.bytes += ap->size;
    ap->use.messages++;
    fd_closep(&ap->fd);
    return RC_OK;
}

/* --- the commit --- */

static enum rc note_replaced(const struct append *ap, struct buf *steps, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    const struct folder *f = &ap->source->f;
    enum rc rc = db_query(f->st->db, &q, e, "SELECT base FROM file WHERE key = ?1",
                          DB_I(index_key(f->id, ap->replaced)));
    if (rc == RC_OK && (rc = db_step(q, e)) == RC_OK)
        append_record_put_out(steps, str_c(f->dir), db_text(q, 0));
    return rc == RC_GONE ? RC_OK : rc; /* expunged in the meantime: that is as well */
}

static enum rc note_steps(struct append *ap, struct err *e)
{
    AUTO(buf_deinit) struct buf steps = BUF_INIT(RECORD_BYTES), name = BUF_INIT(PATH_BYTES);
    char tmp[NAME_BYTES];
    for (size_t i = 0; i < ap->n; i++) {
        buf_reset(&name);
        buf_puts(&name, ap->v[i].base);
        buf_puts(&name, ap->v[i].info);
        append_record_put_in(&steps, str_c(tmp_name(ap, i, tmp)), buf_str(&name));
    }
    enum rc rc = ap->source ? note_replaced(ap, &steps, e) : RC_OK;
    must(!steps.overflow);
    return rc == RC_OK ? one_change_note(&ap->f, buf_str(&steps), e) : rc;
}

/* Gives the i-th message its name, or its place in tmp/ again. */
static bool move(struct append *ap, size_t i, bool in)
{
    char tmp[TMP_BYTES];
    AUTO(buf_deinit) struct buf path = BUF_INIT(PATH_BYTES);
    file_path(&path, false, ap->v[i].base, ap->v[i].info);
    const char *name = buf_cstr(&path);
    tmp_path(ap, i, tmp);
    return renameat2(ap->f.fd, in ? tmp : name, ap->f.fd, in ? name : tmp, RENAME_NOREPLACE) == 0;
}

static enum rc expunge_replaced(struct append *ap, struct err *e)
{
    AUTO(uidset_deinit) struct uidset one = {0};
    uidset_add(&one, ap->replaced, ap->replaced);
    return box_expunge(ap->source, &one, true, e);
}

/* Under the folder's lock from the first rename to the last, and what replaces another as well. When they are
 * in and the other cannot go, the record stays: whoever has the lock next tries again. */
static enum rc move_in(struct append *ap, struct err *e)
{
    struct arrival a;
    size_t moved = 0;
    bool one_change = ap->n > 1 || ap->source;
    enum rc rc = arrival_begin(&ap->f, &a, e);
    if (rc != RC_OK)
        return rc;
    if (one_change)
        rc = note_steps(ap, e);
    while (rc == RC_OK && moved < ap->n) {
        if (move(ap, moved, true))
            moved++;
        else
            rc = store_errno(e, "rename", "tmp");
    }
    rc = arrival_commit(&ap->f, &a, rc, ap->v, ap->n, e);
    ap->in = rc == RC_OK;
    while (!ap->in && moved > 0)
        (void)move(ap, --moved, false);
    if (ap->in && ap->source)
        rc = expunge_replaced(ap, e);
    if (one_change && (!ap->in || rc == RC_OK))
        one_change_done(&ap->f);
    dotlock_drop(&a.lock);
    return rc;
}

/* Counted first: once they have their names, they are there. */
static enum rc file_them(struct append *ap, struct err *e)
{
    const struct folder_load load = {.use = ap->use, .freed = ap->freed, .way = QUOTA_SAVED};
    struct quota_taken taken = {.fd = -1};
    enum rc rc = folder_need(ap->f.st, ap->f.fd, ACL_I, e); /* still */
    if (rc == RC_OK)
        rc = folder_take(&ap->f, &load, &taken, e);
    if (rc != RC_OK)
        return rc;
    rc = move_in(ap, e);
    folder_taken_end(&ap->f, &taken, ap->in);
    return rc;
}

enum rc append_commit(struct append **app, struct append_result *ret, struct err *e)
{
    struct append *ap = *app;
    must(ap->n > 0 && ap->fd < 0);
    enum rc rc = file_them(ap, e);
    if (rc == RC_OK)
        *ret = (struct append_result){ap->f.uidvalidity, ap->v[0].uid, ap->v[ap->n - 1].uid};
    struct store *st = ap->f.st;
    append_abort(app); /* removes what is left in tmp/ */
    return index_result(st, rc, e);
}

void append_abort(struct append **app)
{
    struct append *ap = *app;
    char path[TMP_BYTES];
    if (!ap)
        return;
    for (size_t i = 0; i < ap->n + (ap->fd >= 0); i++)
        unlinkat(ap->f.fd, tmp_path(ap, i, path), 0);
    fd_closep(&ap->fd);
    buf_deinit(&ap->out);
    arena_free(ap->a);
    free(ap->v);
    folder_close(&ap->f);
    free(ap);
    *app = NULL;
}
