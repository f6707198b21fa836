/* append: a message from a client (RFC 9051 §6.3.12) goes to tmp/ with LF line ends as it comes, and is
 * linked into cur/ when it is complete and durable. */
#include "fmt/crlf.h"
#include "fmt/keywords.h"
#include "os/file.h"
#include "store/store_priv.h"

#include <fcntl.h>
#include <unistd.h>

enum { CHUNK = 65536, PATH_BYTES = 600 };

struct append {
    struct folder f;
    int fd;
    char tmp[40];
    struct crlf_state crlf;
    struct buf out;          /* decoded bytes not written yet */
    uint64_t received, size; /* from the client; on disk */
    uint64_t crlf_size;      /* of the CRLF form of what is on disk */
    char last;               /* byte before the next chunk on disk */
};

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
    buf_init(&ap->out, 2 * CHUNK);
    snprintf(ap->tmp, sizeof ap->tmp, "tmp/append.%016llx", (unsigned long long)store_random());
    ap->fd = openat(ap->f.fd, ap->tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (ap->fd < 0) {
        rc = store_errno(e, "create", ap->tmp);
        append_abort(&ap);
        return rc;
    }
    *ret = ap;
    return RC_OK;
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
    return rc == RC_OK ? RC_OK : store_errno(e, "write", ap->tmp);
}

enum rc append_write(struct append *ap, str bytes, struct err *e)
{
    enum rc rc = RC_OK;
    if (bytes.n > ap->f.st->conf.append_max - ap->received)
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
        rc = store_errno(e, "sync", ap->tmp);
    return rc;
}

static enum rc move_in(struct append *ap, struct newcomer *m, struct err *e)
{
    struct buf base = BUF_INIT(MAILDIR_NAME_MAX), info = BUF_INIT(64), path = BUF_INIT(PATH_BYTES);
    struct arrival a;
    bool linked = false;
    enum rc rc = arrival_begin(&ap->f, &a, e);
    if (rc != RC_OK)
        return rc;
    file_new_base(ap->f.st, &base, ap->size, ap->crlf_size);
    maildir_info_format(&info, STR_NONE, m->flags, (uint32_t)(m->keywords & ((1u << MAILDIR_KEYWORDS) - 1)));
    m->base = buf_str(&base);
    m->info = buf_str(&info);
    file_path(&path, false, m->base, m->info);
    linked = renameat2(ap->f.fd, ap->tmp, ap->f.fd, buf_cstr(&path), RENAME_NOREPLACE) == 0;
    if (!linked)
        rc = store_errno(e, "rename", ap->tmp);
    rc = arrival_end(&ap->f, &a, rc, m, 1, e);
    if (rc != RC_OK && linked)
        unlinkat(ap->f.fd, buf_cstr(&path), 0);
    buf_deinit(&base);
    buf_deinit(&info);
    buf_deinit(&path);
    return rc;
}

/* Counted first: once it has its name, it is there. */
static enum rc file_it(struct append *ap, struct newcomer *m, struct err *e)
{
    const struct quota_use use = {ap->size, 1};
    struct quota_taken taken = {.fd = -1};
    enum rc rc = folder_take(&ap->f, &use, QUOTA_SAVED, &taken, e);
    if (rc != RC_OK)
        return rc;
    rc = move_in(ap, m, e);
    folder_taken_end(&ap->f, &taken, rc == RC_OK);
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

enum rc append_commit(struct append **app, unsigned flags, const str *keywords, size_t n_keywords,
                      int64_t internal_date, struct append_result *ret, struct err *e)
{
    struct append *ap = *app;
    struct newcomer m = {
        .flags = flags & MAILDIR_FLAGS, .internal_date = internal_date, .save_date = clock_seconds()};
    enum rc rc = finish_file(ap, internal_date, e);
    if (rc == RC_OK)
        rc = make_keywords(ap, keywords, n_keywords, &m.keywords, e);
    m.size = (int64_t)ap->crlf_size;
    if (rc == RC_OK)
        rc = file_it(ap, &m, e);
    if (rc == RC_OK)
        *ret = (struct append_result){ap->f.uidvalidity, m.uid};
    struct store *st = ap->f.st;
    append_abort(app); /* removes what is left in tmp/ */
    return index_result(st, rc, e);
}

void append_abort(struct append **app)
{
    struct append *ap = *app;
    if (!ap)
        return;
    if (ap->fd >= 0)
        unlinkat(ap->f.fd, ap->tmp, 0);
    fd_closep(&ap->fd);
    buf_deinit(&ap->out);
    folder_close(&ap->f);
    free(ap);
    *app = NULL;
}
