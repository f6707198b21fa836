/* FETCH and UID FETCH (RFC 9051 §6.4.5, §6.4.9; RFC 3501 §6.4.5).
 *
 * What the index has is sent as it is stored; the message is opened for sections only. Sections that are not
 * peeked at set \Seen, in one commit for the whole set and before anything is sent. Messages that were
 * expunged under way are left out (RFC 2180 §4.1.3); only when none was left does the command end with NO
 * [EXPUNGEISSUED]. Clients that did not enable UTF-8 get surrogates, and are told of which messages (RFC 6858
 * §3). A large mailbox makes 100,000 lines: nothing on that path formats through printf. */
#include "base/log.h"
#include "fmt/date.h"
#include "fmt/surrogate.h"
#include "imap/announce.h"
#include "imap/command.h"
#include "imap/context.h"
#include "imap/fetch.h"
#include "imap/fetch_binary.h"
#include "imap/fetch_surrogate.h"
#include "imap/flags.h"
#include "imap/mail_log.h"
#include "imap/message_limit.h"
#include "imap/resync.h"

enum { DOWNGRADED_MAX = 64 * 1024 }; /* a longer list is not told */

#define LAST_SECOND INT64_C(253402300799) /* 31-Dec-9999 23:59:59 */

struct fetch_run {
    struct imap_session *s;
    const struct imap_fetch *fetch;
    struct uidset newly_seen; /* what this command marked: their new flags are told */
    struct uidset named;      /* UID form: the UIDs as the client named them */
    struct uidset uids;       /* of the view */
    struct uidset replaced;   /* by surrogates */
    uint32_t given;
    bool surrogates;       /* are wanted */
    bool parts;            /* more than the header is asked */
    bool common;           /* of the messages only header fields are asked that the store keeps */
    bool unknown_encoding; /* of a part that BINARY asked for */
};

/* VANISHED needs UIDs and QRESYNC (RFC 7162 §3.2.6), PARTIAL needs UIDs (RFC 9394 §3.3). */
static const char *objection(const struct imap_session *s, const struct imap_fetch *fetch)
{
    bool uid = s->command->flags & CMD_UID;
    if (fetch->vanished && (!uid || !(s->enabled & IMAP_QRESYNC)))
        return "VANISHED belongs to UID FETCH, after ENABLE QRESYNC.";
    return fetch->partial.given && !uid ? "PARTIAL belongs to UID FETCH." : NULL;
}

/* UIDFETCH responses have the UID in front already (RFC 9586 §3.3). */
static unsigned implied_uid(const struct imap_session *s)
{
    return s->enabled & IMAP_UIDONLY ? 0 : FETCH_UID;
}

/* fetch = "FETCH" SP sequence-set SP (macro / fetch-att / list) [fetch-modifiers] */
static enum rc parse(struct fetch_run *r, struct imap_lex *lex, struct imap_fetch *ret, struct err *e)
{
    struct imap_session *s = r->s;
    bool uid = s->command->flags & CMD_UID;
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = uid ? imap_parse_uids(s, lex, &r->named) : imap_parse_set(s, lex, false, &r->uids);
    if (rc == RC_OK)
        rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_fetch_parse(lex, ret);
    if (rc == RC_OK)
        rc = imap_fetch_modifiers(lex, ret);
    if (rc == RC_OK)
        rc = imap_eol(lex);
    if (rc != RC_OK)
        return rc;
    const char *why = objection(s, ret);
    if (why)
        return err_set(e, RC_INVALID, 0, "", "%s", why);
    if (uid) { /* RFC 9051 §6.4.9: always told in the UID form */
        ret->items |= implied_uid(s);
        uidset_copy(&r->uids, &r->named);
        uidset_intersect(&r->uids, box_view(s->box));
    }
    return RC_OK;
}

/* Leaves of *uids the places that PARTIAL names. */
static void take_partial(struct uidset *uids, const struct imap_partial *p)
{
    uint32_t count = uidset_count(uids), first = p->first, last = p->last < count ? p->last : count;
    if (first > count) {
        uidset_clear(uids);
        return;
    }
    uid32 from = uidset_select(uids, p->from_end ? count + 1 - last : first);
    uid32 to = uidset_select(uids, p->from_end ? count + 1 - first : last);
    uidset_intersect(uids, &(struct uidset){.r = &(struct uidrange){from, to}, .n = 1});
}

/* CHANGEDSINCE, VANISHED, PARTIAL and the item MODSEQ. A PARTIAL of too many messages is refused (RFC 9738
 * §3.1). */
static enum rc apply_modifiers(struct fetch_run *r, struct imap_fetch *fetch, struct imap_reply *re)
{
    AUTO(uidset_deinit) struct uidset changed = {0};
    struct imap_session *s = r->s;
    struct err *e = &re->err;
    enum rc rc = RC_OK;
    if (fetch->partial.given &&
        message_limit_passed(s, fetch->partial.last - fetch->partial.first + UINT64_C(1), false))
        return message_limit_refuse(s, 0, re);
    if (fetch->has_since)
        fetch->items |= FETCH_MODSEQ;
    if (fetch->items & FETCH_MODSEQ)
        imap_condstore_enable(s);
    if (fetch->vanished)
        rc = imap_tell_vanished(s, fetch->since, &r->named, e);
    if (rc == RC_OK && fetch->has_since) {
        rc = box_changed_since(s->box, fetch->since, &changed, e);
        uidset_intersect(&r->uids, &changed);
    }
    if (rc == RC_OK && fetch->partial.given)
        take_partial(&r->uids, &fetch->partial);
    return rc;
}

static enum rc find_unseen(struct box *b, const struct uidset *uids, struct uidset *ret, struct err *e)
{
    struct box_query *q;
    struct box_msg msg;
    enum rc rc = box_query_open(b, uids, 0, &q, e);
    if (rc != RC_OK)
        return rc;
    while ((rc = box_query_next(q, &msg, e)) == RC_OK)
        if (!(msg.flags & FLAG_SEEN))
            uidset_add(ret, msg.uid, msg.uid);
    box_query_close(q);
    return rc == RC_GONE ? RC_OK : rc;
}

/* A disk that takes no change must not keep anyone from reading: then the messages stay unseen. */
static void mark_seen(struct fetch_run *r, const struct uidset *uids)
{
    static const struct flag_change seen = {
        .op = FLAGS_ADD, .flags = FLAG_SEEN, .unchanged_since = UINT64_MAX};
    struct imap_session *s = r->s;
    struct err e = {0};
    enum rc rc = find_unseen(s->box, uids, &r->newly_seen, &e);
    if (rc == RC_OK && r->newly_seen.n == 0)
        return;
    if (rc == RC_OK)
        rc = imap_change_flags(s, &r->newly_seen, &seen, NULL, &e);
    if (rc == RC_OK) {
        context_touch(s, &r->newly_seen);
        imap_changed(s, str_c(s->box_name));
    } else {
        log_warn("FETCH could not set \\Seen: %s", err_text(&e));
        uidset_clear(&r->newly_seen);
    }
}

/* --- one response line --- */

/* Item names with the separator in front; the first one's is the list's parenthesis. */
static void put_name(struct buf *out, char *sep, str name)
{
    buf_putc(out, *sep);
    buf_puts(out, name);
    buf_putc(out, ' ');
    *sep = ' ';
}

/* date-time, in UTC: the zone in which the message arrived is not kept. A file's time may lie outside of the
 * calendar. */
static void put_date(struct buf *out, int64_t seconds)
{
    if (seconds < 0)
        seconds = 0;
    if (seconds > LAST_SECOND)
        seconds = LAST_SECOND;
    buf_putc(out, '"');
    date_format_imap(out, (struct date){.seconds = seconds});
    buf_putc(out, '"');
}

static void put_small_items(struct fetch_run *r, unsigned items, const struct box_msg *msg, char *sep)
{
    struct buf *out = &r->s->out;
    if (items & FETCH_UID) {
        put_name(out, sep, S("UID"));
        buf_put_u64(out, msg->uid);
    }
    if (items & FETCH_FLAGS) {
        put_name(out, sep, S("FLAGS"));
        imap_flags_put(r->s, msg);
    }
    if (items & FETCH_INTERNALDATE) {
        put_name(out, sep, S("INTERNALDATE"));
        put_date(out, msg->internal_date);
    }
    if (items & FETCH_SIZE) {
        put_name(out, sep, S("RFC822.SIZE"));
        buf_put_u64(out, msg->size);
    }
    if (items & FETCH_MODSEQ) {
        put_name(out, sep, S("MODSEQ"));
        buf_putc(out, '(');
        buf_put_u64(out, msg->modseq);
        buf_putc(out, ')');
    }
    if (items & FETCH_SAVEDATE) {
        put_name(out, sep, S("SAVEDATE"));
        put_date(out, msg->save_date);
    }
}

/* RFC 8474 §5: conversations have no ids here, so THREADID is NIL. */
static void put_ids(struct fetch_run *r, unsigned items, const struct box_msg *msg, char *sep)
{
    struct buf *out = &r->s->out;
    if (items & FETCH_EMAILID) {
        put_name(out, sep, S("EMAILID"));
        buf_putc(out, '(');
        buf_puts(out, msg->email_id);
        buf_putc(out, ')');
    }
    if (items & FETCH_THREADID) {
        put_name(out, sep, S("THREADID"));
        buf_puts(out, S("NIL"));
    }
}

static void put_cached_items(struct fetch_run *r, unsigned items, const struct box_msg *msg, char *sep)
{
    const struct {
        enum fetch_item item;
        str name, text;
    } cached[] = {
        {FETCH_ENVELOPE, S("ENVELOPE"), msg->envelope},
        {FETCH_BODY, S("BODY"), msg->body},
        {FETCH_BODYSTRUCTURE, S("BODYSTRUCTURE"), msg->bodystructure},
    };
    for (size_t i = 0; i < sizeof cached / sizeof *cached; i++) {
        if (!(items & cached[i].item))
            continue;
        put_name(&r->s->out, sep, cached[i].name);
        if (uidset_has(&r->replaced, msg->uid))
            fetch_text_put(r->s, r->s->reading, cached[i].item, cached[i].text);
        else
            fetch_put(r->s, cached[i].text);
    }
}

static enum rc put_section(struct fetch_run *r, const struct box_msg *msg, const struct fetch_section *sec)
{
    struct imap_session *s = r->s;
    if (r->common && msg->header.p && !uidset_has(&r->replaced, msg->uid))
        return fetch_common_put(s, s->reading, sec, msg->header);
    if (sec->form == FETCH_FORM_STORED)
        return fetch_section_put(s, s->reading, sec);
    enum rc rc = fetch_binary_put(s, s->reading, sec);
    r->unknown_encoding = r->unknown_encoding || rc == RC_PERM;
    return rc == RC_PERM ? RC_OK : rc;
}

/* "* 12 FETCH (FLAGS (\Seen) UID 4827313 BODY[TEXT] {342}..." RC_GONE: the client is gone. */
static enum rc put_line(struct fetch_run *r, const struct box_msg *msg)
{
    struct buf *out = &r->s->out;
    unsigned items = r->fetch->items;
    char sep = '(';
    enum rc rc = RC_OK;
    if (r->newly_seen.n && uidset_has(&r->newly_seen, msg->uid)) { /* RFC 9051 §6.4.5, RFC 7162 §3.1 */
        bool condstore = r->s->enabled & IMAP_CONDSTORE;
        items |= FETCH_FLAGS | (condstore ? implied_uid(r->s) | FETCH_MODSEQ : 0);
    }
    imap_announce_begin(r->s, msg);
    put_small_items(r, items, msg, &sep);
    put_ids(r, items, msg, &sep);
    put_cached_items(r, items, msg, &sep);
    if (items & FETCH_PREVIEW) {
        put_name(out, &sep, S("PREVIEW"));
        fetch_preview_put(r->s, r->s->reading);
    }
    for (const struct fetch_section *sec = r->fetch->sections; sec && rc == RC_OK; sec = sec->next) {
        put_name(out, &sep, sec->echo);
        rc = put_section(r, msg, sec);
    }
    buf_puts(out, S(")\r\n"));
    if (out->n > FETCH_OUT_MAX)
        imap_send(r->s);
    return rc;
}

/* --- the command --- */

static bool asks_common_fields(const struct imap_fetch *fetch)
{
    const struct fetch_section *sec = fetch->sections;
    while (sec && fetch_section_is_common(sec))
        sec = sec->next;
    return fetch->sections && !sec && !(fetch->items & FETCH_PREVIEW);
}

static unsigned wanted_columns(const struct fetch_run *r)
{
    unsigned items = r->fetch->items;
    return (r->common ? BOX_WANT_HEADER : 0) | (items & FETCH_ENVELOPE ? BOX_WANT_ENVELOPE : 0) |
           (items & FETCH_BODY ? BOX_WANT_BODY : 0) |
           (items & FETCH_BODYSTRUCTURE ? BOX_WANT_BODYSTRUCTURE : 0) |
           (items & FETCH_EMAILID ? BOX_WANT_OBJECT : 0);
}

/* Whether the items that the index has for it are not enough. */
static bool asks_content(const struct fetch_run *r, const struct box_msg *msg)
{
    if ((r->fetch->sections && !(r->common && msg->header.p)) || (r->fetch->items & FETCH_PREVIEW))
        return true;
    return r->surrogates && (surrogate_differs(msg->header) || fetch_text_may_differ(msg->envelope) ||
                             fetch_text_may_differ(msg->body) || fetch_text_may_differ(msg->bodystructure));
}

/* RC_GONE: it was expunged under way. */
static enum rc open_message(struct fetch_run *r, const struct box_msg *msg, struct err *e)
{
    struct fetch_message *m = r->s->reading;
    enum rc rc = fetch_message_open(m, r->s->box, msg->uid, e);
    if (rc == RC_OK && r->surrogates && fetch_message_replace(m, r->parts))
        uidset_add(&r->replaced, msg->uid, msg->uid);
    return rc;
}

static enum rc put_messages(struct fetch_run *r, const struct uidset *uids, struct err *e)
{
    struct box *b = r->s->box;
    struct box_query *q;
    struct box_msg msg;
    bool client_gone = false;
    enum rc rc = box_query_open(b, uids, wanted_columns(r), &q, e);
    if (rc != RC_OK)
        return rc;
    while (!client_gone && (rc = box_query_next(q, &msg, e)) == RC_OK) {
        enum rc opened = asks_content(r, &msg) ? open_message(r, &msg, e) : RC_OK;
        if (opened == RC_GONE)
            continue;
        if (opened != RC_OK) {
            rc = opened;
            break;
        }
        client_gone = put_line(r, &msg) != RC_OK;
        r->given++;
    }
    box_query_close(q);
    imap_send(r->s);
    return rc == RC_GONE ? RC_OK : rc;
}

/* Whether the client is likely to come back for more of the same message. */
static bool reads_slices(const struct imap_fetch *fetch)
{
    for (const struct fetch_section *sec = fetch->sections; sec; sec = sec->next)
        if (sec->partial)
            return true;
    return false;
}

static void run_deinit(struct fetch_run *r)
{
    uidset_deinit(&r->newly_seen);
    uidset_deinit(&r->named);
    uidset_deinit(&r->uids);
    uidset_deinit(&r->replaced);
}

static enum rc give(struct fetch_run *r, struct err *e)
{
    struct imap_session *s = r->s;
    if (!s->reading)
        s->reading = fetch_message_new();
    r->common = asks_common_fields(r->fetch);
    r->surrogates = imap_headers_are_ascii(s);
    r->parts = fetch_shows_parts(r->fetch);
    if (imap_fetch_sets_seen(r->fetch) && !box_read_only(s->box) && (box_rights(s->box) & ACL_S))
        mark_seen(r, &r->uids);
    enum rc rc = put_messages(r, &r->uids, e);
    if (!reads_slices(r->fetch))
        fetch_message_close(s->reading);
    return rc;
}

enum rc fetch_tell(struct imap_session *s, const struct imap_fetch *fetch, const struct uidset *uids,
                   struct err *e)
{
    AUTO(run_deinit) struct fetch_run run = {.s = s, .fetch = fetch};
    uidset_copy(&run.uids, uids);
    return give(&run, e);
}

/* "DOWNGRADED 70,105,108:109" (RFC 6858 §3) */
static str downgraded(const struct fetch_run *r)
{
    AUTO(buf_deinit) struct buf code = BUF_INIT(DOWNGRADED_MAX);
    if (r->replaced.n == 0)
        return STR_NONE;
    buf_puts(&code, S("DOWNGRADED "));
    uidset_format(&r->replaced, &code);
    return code.overflow ? STR_NONE : arena_str(r->s->arena, buf_str(&code));
}

static enum rc verdict(const struct fetch_run *r, struct imap_reply *re)
{
    if (r->given == 0 && r->uids.n > 0) {
        re->code = S("EXPUNGEISSUED");
        return err_set(&re->err, RC_PERM, 0, "", "The messages were expunged in the meantime.");
    }
    if (r->unknown_encoding) {
        re->code = S("UNKNOWN-CTE");
        return err_set(&re->err, RC_PERM, 0, "", "The transfer encoding of a part is not known.");
    }
    re->code = downgraded(r);
    return RC_OK;
}

enum rc imap_cmd_fetch(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    struct imap_fetch fetch;
    AUTO(run_deinit) struct fetch_run run = {.s = s, .fetch = &fetch};
    enum rc rc = parse(&run, lex, &fetch, &re->err);
    if (rc == RC_OK)
        rc = apply_modifiers(&run, &fetch, re);
    if (rc != RC_OK)
        return rc;
    uid32 lowest = message_limit_cut(s, &run.uids);
    rc = give(&run, &re->err);
    if (rc != RC_OK)
        return rc;
    rc = verdict(&run, re);
    message_limit_tell(s, lowest, re);
    return rc;
}
