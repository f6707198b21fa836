/* COPY and MOVE between mailboxes of different owners (RFC 9051 §6.4.7, §6.4.8): the messages are read from
 * the one and appended to the other with one command, so that all are there or none. MOVE removes them only
 * then; if that fails they are in both. */
#include "imap/shared_impl.h"

#include "base/num.h"
#include "fmt/crlf.h"
#include "fmt/date.h"
#include "fmt/imap_out.h"
#include "imap/announce.h"
#include "imap/flags.h"
#include "imap/notify.h"

enum { SET_BYTES = 64 << 10, CODE_BYTES = 2 * SET_BYTES };

struct copying {
    struct imap_session *s;
    struct imap_reply re;
    struct shared_guest *from, *to; /* NULL: this account */
    str set, dest;                  /* messages, as they were named; a mailbox */
    struct uidset uids;             /* those that were read */
    unsigned n;
    struct append *ap;   /* to this account, or ... */
    struct buf *command; /* ... by this one, while it is not complete */
    struct append_result result;
};

struct copied { /* a message */
    const str *flags;
    size_t n_flags;
    int64_t date;
    str text; /* with CRLF */
};

/* --- where they go --- */

static enum rc put_here(struct copying *c, const struct copied *m)
{
    struct append_message how = {.internal_date = m->date};
    struct err *e = &c->re.err;
    enum rc rc = RC_OK;
    if (!c->ap && (rc = append_begin(c->s->store, c->dest, &c->ap, e)) == RC_GONE)
        c->re.code = S("TRYCREATE");
    if (rc == RC_OK)
        rc = imap_flags_parse(c->s->arena, m->flags, m->n_flags, &how.flags, &how.keywords, &how.n_keywords);
    how.flags &= ~(unsigned)FLAG_PASSED;
    if (rc == RC_OK)
        rc = append_write(c->ap, m->text, e);
    return rc == RC_OK ? append_finish(c->ap, &how, e) : rc;
}

static void put_there(struct copying *c, const struct copied *m)
{
    struct buf *out = c->command;
    if (!out) {
        out = c->command = imap_client_command(c->to->client);
        buf_puts(out, S("APPEND "));
        list_write_name(c->s, out, c->dest);
    }
    buf_putc(out, ' ');
    imap_put_flag_list(out, m->flags, m->n_flags);
    buf_puts(out, S(" \""));
    date_format_imap(out, (struct date){.seconds = m->date});
    buf_puts(out, S("\" "));
    imap_client_put_literal(c->to->client, m->text);
}

static enum rc put(struct copying *c, uid32 uid, const struct copied *m)
{
    if (c->n++ == APPEND_MESSAGES_MAX)
        return err_set(&c->re.err, RC_LIMIT, 0, "", "Too many messages for a mailbox of somebody else");
    uidset_add(&c->uids, uid, uid);
    if (!c->to)
        return put_here(c, m);
    put_there(c, m);
    return RC_OK;
}

/* APPENDUID 38505 3955:3957 */
static bool take_appenduid(str text, struct append_result *ret)
{
    str last, validity = str_take(&text, ' ');
    str first = str_take(&text, ':');
    last = text.n > 0 ? text : first;
    return num_parse_u32(validity, UINT32_MAX, &ret->uidvalidity) == RC_OK &&
           num_parse_u32(first, UINT32_MAX, &ret->first) == RC_OK &&
           num_parse_u32(last, UINT32_MAX, &ret->last) == RC_OK;
}

static enum rc finish_here(struct copying *c)
{
    AUTO(uidset_deinit) struct uidset uids = {0};
    enum rc rc = append_commit(&c->ap, &c->result, &c->re.err);
    if (rc != RC_OK)
        return rc;
    uidset_add(&uids, c->result.first, c->result.last);
    notify_own_messages(c->s, c->dest, &uids);
    imap_changed(c->s, c->dest);
    return RC_OK;
}

static enum rc finish_there(struct copying *c)
{
    enum rc rc = imap_client_run(c->to->client, NULL, NULL, &c->re.err);
    if (rc == RC_OK || rc == RC_PERM)
        c->command = NULL;
    if (rc == RC_OK)
        return take_appenduid(imap_client_code_arguments(c->to->client), &c->result) ? RC_OK : RC_TEMP;
    if (rc == RC_PERM)
        c->re.code = arena_str(c->s->arena, imap_client_code(c->to->client));
    else
        rc = err_set(&c->re.err, RC_TEMP, 0, "", "That cannot be done now; try again later.");
    return rc;
}

/* --- where they come from --- */

/* "(\Seen $Forwarded)" of a message of the selected mailbox as names. */
static enum rc flags_of(struct imap_session *s, const struct box_msg *msg, struct copied *ret)
{
    struct imap_lex lex;
    imap_flags_put(s, msg);
    imap_lex_init(&lex, arena_str(s->arena, buf_str(&s->out)), s->arena);
    buf_reset(&s->out);
    return imap_flag_list(&lex, &ret->flags, &ret->n_flags);
}

static enum rc read_own(struct copying *c, const struct box_msg *msg)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(SIZE_MAX / 4);
    struct box_content content;
    struct crlf_state crlf = {0};
    struct copied m = {.date = msg->internal_date};
    enum rc rc = box_content_open(c->s->box, msg->uid, &content, &c->re.err);
    if (rc != RC_OK)
        return rc == RC_GONE ? err_set(&c->re.err, RC_TEMP, 0, "4.2.0", "Some messages are no longer there")
                             : rc;
    crlf_encode(&crlf, &text, content.raw);
    box_content_close(&content);
    m.text = buf_str(&text);
    rc = flags_of(c->s, msg, &m);
    return rc == RC_OK ? put(c, msg->uid, &m) : rc;
}

static enum rc read_all_own(struct copying *c, const struct uidset *uids)
{
    struct box_query *q;
    struct box_msg msg;
    struct err *e = &c->re.err;
    enum rc rc = box_query_open(c->s->box, uids, 0, &q, e), end = RC_OK;
    if (rc != RC_OK)
        return rc;
    while (rc == RC_OK && (end = box_query_next(q, &msg, e)) == RC_OK)
        rc = read_own(c, &msg);
    box_query_close(q);
    return rc != RC_OK || end == RC_GONE ? rc : end;
}

static bool take_fetched(void *ctx, const struct imap_response *r, struct imap_lex *lex, enum rc *ret)
{
    struct copying *c = ctx;
    struct imap_fetched f;
    bool by_uid = str_ieq(r->word, S("UIDFETCH"));
    if (!by_uid && !str_ieq(r->word, S("FETCH")))
        return false;
    *ret = imap_response_fetch(lex, &f);
    uid32 uid = by_uid ? r->number : f.uid;
    if (*ret != RC_OK)
        return true;
    if (uid == 0 || !f.body.p) /* flags that others changed */
        return false;
    const struct copied m = {.flags = f.flags, .n_flags = f.n_flags, .date = f.date, .text = f.body};
    *ret = put(c, uid, &m);
    return true;
}

static enum rc read_all_there(struct copying *c)
{
    struct buf *command = imap_client_command(c->from->client);
    bool uid = c->s->command->flags & CMD_UID;
    struct err said = {0};
    buf_printf(command, "%sFETCH " STR_FMT " (UID FLAGS INTERNALDATE BODY.PEEK[])", uid ? "UID " : "",
               STR_ARG(c->set));
    enum rc rc = shared_ask_client(c->s, c->from, take_fetched, c, &said);
    if (rc == RC_OK && str_eq(imap_client_code(c->from->client), S("MESSAGELIMIT"))) /* all or none */
        return err_set(&c->re.err, RC_LIMIT, 0, "", "Too many messages for a mailbox of somebody else");
    if (rc == RC_PERM && c->re.err.rc == RC_OK)
        c->re.code = arena_str(c->s->arena, imap_client_code(c->from->client));
    if (rc != RC_OK && c->re.err.rc == RC_OK)
        c->re.err = said;
    return rc;
}

/* --- taking them away --- */

/* myrights-data = "MYRIGHTS" SP mailbox SP rights; the letter d among them means t or e (RFC 4314 §2.1.1) */
static bool take_rights(void *ctx, const struct imap_response *r, struct imap_lex *lex, enum rc *ret)
{
    bool *may = ctx;
    str mailbox, letters;
    enum rc rc;
    if (!str_ieq(r->word, S("MYRIGHTS")))
        return false;
    if ((rc = imap_sp(lex)) == RC_OK && (rc = imap_astring(lex, &mailbox)) == RC_OK &&
        (rc = imap_sp(lex)) == RC_OK && (rc = imap_astring(lex, &letters)) == RC_OK)
        *may = str_chr(letters, 't') >= 0 && str_chr(letters, 'e') >= 0;
    *ret = rc;
    return true;
}

/* Before anything is copied (RFC 6851 §3.3). */
static enum rc may_remove(struct copying *c)
{
    bool may = false;
    if (!c->from) {
        if (!box_read_only(c->s->box))
            return RC_OK;
        c->re.code = S("READ-ONLY");
        return err_set(&c->re.err, RC_PERM, 0, "", "The mailbox was opened read-only.");
    }
    struct buf *command = imap_client_command(c->from->client);
    buf_puts(command, S("MYRIGHTS "));
    list_write_name(c->s, command, str_c(c->from->selected));
    enum rc rc = shared_ask_client(c->s, c->from, take_rights, &may, &c->re.err);
    if (rc == RC_OK && !may)
        rc = err_set(&c->re.err, RC_PERM, 0, "5.7.1", "That is not permitted");
    return rc;
}

/* Its responses are those of MOVE. */
static enum rc tell(struct copying *c, const char *form, str uids)
{
    struct shared_relay r = {.tag = S("q"), .hides = true};
    struct stream *io = imap_client_stream(c->from->client);
    AUTO(buf_deinit) struct buf line = BUF_INIT(CODE_BYTES);
    buf_printf(&line, form, STR_ARG(uids));
    stream_write(io, buf_str(&line));
    enum rc rc = shared_relay(c->s, c->from, &r);
    if (rc == RC_OK && r.said != IMAP_SAYS_OK)
        rc = RC_PERM;
    return rc == RC_OK ? RC_OK : err_set(&c->re.err, rc, 0, "", "The messages were copied, but not removed.");
}

static enum rc remove_originals(struct copying *c)
{
    AUTO(buf_deinit) struct buf set = BUF_INIT(SET_BYTES);
    if (!c->from) {
        enum rc rc = box_expunge(c->s->box, &c->uids, true, &c->re.err);
        if (rc == RC_OK)
            imap_changed(c->s, str_c(c->s->box_name));
        return rc;
    }
    uidset_format(&c->uids, &set);
    enum rc rc = tell(c, "q UID STORE " STR_FMT " +FLAGS.SILENT (\\Deleted)\r\n", buf_str(&set));
    return rc == RC_OK ? tell(c, "q UID EXPUNGE " STR_FMT "\r\n", buf_str(&set)) : rc;
}

/* --- the command --- */

static enum rc parse(struct copying *c, struct imap_lex *lex, struct uidset *ret)
{
    struct imap_session *s = c->s;
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK && c->from)
        rc = imap_set_text(lex, &c->set);
    else if (rc == RC_OK)
        rc = imap_parse_set(s, lex, s->command->flags & CMD_UID, ret);
    if (rc == RC_OK)
        rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_mailbox(lex, &c->dest);
    return rc == RC_OK ? imap_eol(lex) : rc;
}

static str copyuid(struct copying *c)
{
    AUTO(buf_deinit) struct buf code = BUF_INIT(CODE_BYTES);
    buf_printf(&code, "COPYUID %u ", c->result.uidvalidity);
    uidset_format(&c->uids, &code);
    buf_printf(&code, c->result.first == c->result.last ? " %u" : " %u:%u", c->result.first, c->result.last);
    return code.overflow ? STR_NONE : arena_str(c->s->arena, buf_str(&code));
}

static enum rc copy(struct copying *c, const struct uidset *uids, bool move)
{
    enum rc rc = move ? may_remove(c) : RC_OK;
    if (rc == RC_OK)
        rc = c->from ? read_all_there(c) : read_all_own(c, uids);
    if (rc == RC_OK && c->n > 0)
        rc = c->to ? finish_there(c) : finish_here(c);
    if (rc != RC_OK || c->n == 0)
        return rc;
    str code = copyuid(c);
    if (!move) {
        c->re.code = code;
        return RC_OK;
    }
    if (code.n > 0) /* RFC 6851 §4.3 */
        imap_reply_untagged(c->s, "OK", code.p, "Moved.");
    return remove_originals(c);
}

void shared_copy(struct imap_session *s, struct imap_lex *lex)
{
    AUTO(uidset_deinit) struct uidset uids = {0};
    struct copying c = {.s = s, .from = shared_selected(s)};
    enum rc rc = parse(&c, lex, &uids);
    str owner = rc == RC_OK ? shared_owner(s, c.dest) : STR_NONE;
    if (owner.n > 0 && !(c.to = shared_guest(s, owner))) {
        shared_refuse_unknown(s);
        return;
    }
    if (rc == RC_OK)
        rc = copy(&c, &uids, s->command->run == imap_cmd_move);
    append_abort(&c.ap);
    if (c.command) /* what it took of the command goes with it */
        shared_lose(s, c.to);
    uidset_deinit(&c.uids);
    if (s->lost)
        return;
    if (s->box && rc != RC_INVALID)
        imap_announce(s, 0);
    imap_reply_tagged(s, rc, &c.re, lex);
}
