/* catenate: finds and copies what URLs name; see catenate.h. The mailbox and the message of the last URL stay
 * open for the next one, which mostly names another part of the same. */
#include "imap/catenate.h"

#include "fmt/imap_url.h"
#include "imap/fetch_body.h"

struct catenate {
    struct imap_session *s;
    enum rc (*put)(void *ctx, str bytes);
    void *ctx;
    char *name;      /* of box; NULL: none is open */
    struct box *box; /* its own, or the selected one */
    struct fetch_message *message;
    struct imap_reply *re; /* of the URL being looked for */
    uint64_t copied;
};

struct catenate *catenate_new(struct imap_session *s, enum rc (*put)(void *ctx, str bytes), void *ctx)
{
    struct catenate *c = calloc(1, sizeof *c);
    must(c);
    *c = (struct catenate){.s = s, .put = put, .ctx = ctx, .message = fetch_message_new()};
    return c;
}

static void close_box(struct catenate *c)
{
    fetch_message_close(c->message);
    if (c->box && c->box != c->s->box)
        box_close(c->box);
    c->box = NULL;
    str_freep(&c->name);
}

struct catenate *catenate_free(struct catenate *c)
{
    if (c) {
        close_box(c);
        fetch_message_free(c->message);
    }
    free(c);
    return NULL;
}

/* The base of a relative URL is the selected mailbox (RFC 4469 §3): its name replaces what stands behind the
 * last slash there (RFC 3986 §5.2.3). STR_NONE: none is selected. */
static str mailbox_of(const struct catenate *c, const struct imap_url *url)
{
    str selected = str_c(c->s->box_name);
    if (url->mailbox.n == 0)
        return selected;
    if (url->absolute)
        return url->mailbox;
    str folder = str_sub(selected, 0, (size_t)(str_rchr(selected, '/') + 1));
    return arena_printf(c->s->arena, STR_FMT STR_FMT, STR_ARG(folder), STR_ARG(url->mailbox));
}

static enum rc open_box(struct catenate *c, str name, struct err *e)
{
    if (c->name && str_eq(str_c(c->name), name))
        return RC_OK;
    close_box(c);
    if (name.n == 0)
        return RC_GONE;
    bool selected = c->s->box && str_eq(str_c(c->s->box_name), name);
    enum rc rc = selected ? RC_OK : box_open(c->s->store, name, true, &c->box, e);
    if (rc != RC_OK)
        return rc;
    if (selected)
        c->box = c->s->box;
    c->name = str_dup(name);
    return RC_OK;
}

static enum rc take_piece(void *ctx, str piece)
{
    struct catenate *c = ctx;
    c->copied += piece.n;
    return c->put(c->ctx, piece);
}

static enum rc copy(struct catenate *c, const struct imap_url *url, struct err *e)
{
    enum rc rc = open_box(c, mailbox_of(c, url), e);
    if (rc != RC_OK)
        return rc;
    if (url->uidvalidity && url->uidvalidity != box_status(c->box)->uidvalidity)
        return RC_GONE;
    rc = fetch_message_open(c->message, c->box, url->uid, e);
    return rc == RC_OK ? fetch_section_copy(c->message, &url->section, take_piece, c) : rc;
}

static enum rc bad_url(struct catenate *c, str url)
{
    AUTO(buf_deinit) struct buf code = BUF_INIT(4 * IMAP_URL_MAX);
    buf_puts(&code, S("BADURL "));
    imap_url_put(&code, url);
    c->re->code = code.overflow ? STR_NONE : arena_str(c->s->arena, buf_str(&code));
    return err_set(&c->re->err, RC_PERM, 0, "", "There is no such message or part of one.");
}

enum rc catenate_url(struct catenate *c, str text, uint64_t *ret_bytes, struct imap_reply *re)
{
    struct imap_url url;
    c->re = re;
    c->copied = 0;
    enum rc rc = imap_url_parse(text, c->s->arena, &url);
    if (rc == RC_LIMIT)
        return err_set(&re->err, RC_LIMIT, 0, "", "The URL is too long.");
    if (rc == RC_OK)
        rc = copy(c, &url, &re->err);
    if (rc == RC_INVALID || rc == RC_GONE)
        return bad_url(c, text);
    *ret_bytes += c->copied;
    return rc;
}
