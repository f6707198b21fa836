/* Lines about messages of an open mailbox. */
#include "store/mail_log.h"

#include "base/log.h"
#include "fmt/header.h"

enum {
    LINES_MAX = 16 << 20,
    FLAGS_MAX = 8192,
    OF_CONTENT = MAIL_LOG_MSGID | MAIL_LOG_SIZE | MAIL_LOG_FROM | MAIL_LOG_SUBJECT
};

void mail_log_init(struct mail_log *l, const struct mail_log_terms *terms)
{
    *l = (struct mail_log){.fields = terms->fields, .lines = BUF_INIT(LINES_MAX)};
}

void mail_log_deinit(struct mail_log *l)
{
    buf_deinit(&l->lines);
}

/* In Dovecot's order. */
static void put_flags(const struct box *b, const struct box_msg *msg, struct buf *out)
{
    static const struct {
        unsigned flag;
        const char *name;
    } names[] = {{FLAG_ANSWERED, "\\Answered"},
                 {FLAG_FLAGGED, "\\Flagged"},
                 {FLAG_DELETED, "\\Deleted"},
                 {FLAG_SEEN, "\\Seen"},
                 {FLAG_DRAFT, "\\Draft"}};
    const str *keywords;
    size_t n = box_keywords(b, &keywords);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (msg->flags & names[i].flag)
            buf_printf(out, "%s%s", out->n ? " " : "", names[i].name);
    if (box_is_recent(b, msg->uid))
        buf_printf(out, "%s\\Recent", out->n ? " " : "");
    for (size_t i = 0; i < n; i++)
        if (msg->keywords & UINT64_C(1) << i)
            buf_printf(out, "%s" STR_FMT, out->n ? " " : "", STR_ARG(keywords[i]));
}

static str value_of(str header, str name)
{
    struct header_field f;
    return header_find(header, name, 0, &f) ? f.value : S("");
}

static void note_one(struct mail_log *l, struct box *b, str name, const struct box_msg *msg)
{
    AUTO(buf_deinit) struct buf flags = BUF_INIT(FLAGS_MAX);
    struct box_content content = {0};
    struct err e = {0};
    bool opened = l->fields & OF_CONTENT && box_content_open(b, msg->uid, &content, &e) == RC_OK;
    str header = opened ? str_sub(content.raw, 0, header_size(content.raw)) : S("");
    put_flags(b, msg, &flags);
    const struct mail_log_message m = {.uid = msg->uid,
                                       .msgid = value_of(header, S("Message-ID")),
                                       .from = value_of(header, S("From")),
                                       .subject = value_of(header, S("Subject")),
                                       .size = content.raw.n,
                                       .vsize = msg->size,
                                       .flags = buf_str(&flags)};
    size_t before = l->lines.n;
    mail_log_put(l->fields, name, &m, &l->lines);
    buf_putc(&l->lines, '\n');
    if (l->lines.overflow) {
        buf_truncate(&l->lines, before);
        l->left_out++;
    }
    if (opened)
        box_content_close(&content);
}

void mail_log_note(struct mail_log *l, struct box *b, str name, const struct uidset *uids)
{
    struct box_query *q = NULL;
    struct box_msg msg;
    struct err e = {0};
    enum rc rc = box_query_open(b, uids, 0, &q, &e);
    while (rc == RC_OK && (rc = box_query_next(q, &msg, &e)) == RC_OK)
        note_one(l, b, name, &msg);
    if (rc != RC_GONE)
        log_warn("mail_log_events: " STR_FMT ": %s", STR_ARG(name), err_text(&e));
    box_query_close(q);
}

void mail_log_tell(const struct mail_log *l, const char *what)
{
    for (str rest = str_mem(l->lines.p, l->lines.n); rest.n > 0;) {
        str line = str_take(&rest, '\n');
        log_info("%s: " STR_FMT, what, STR_ARG(line));
    }
    if (l->left_out)
        log_info("%s: %zu more messages", what, l->left_out);
}
