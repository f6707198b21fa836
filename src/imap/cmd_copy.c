/* COPY, MOVE and their UID forms (RFC 9051 §6.4.7, §6.4.8; RFC 6851), with COPYUID (RFC 4315 §3). All
 * messages are copied or none; MOVE tells COPYUID before the EXPUNGEs (RFC 6851 §4.3), which the dispatcher's
 * announcement brings. */
#include "imap/command.h"
#include "imap/mail_log.h"
#include "imap/message_limit.h"
#include "imap/notify.h"

enum {
    COPYUID_MAX = 64 * 1024
}; /* a longer list is not told: clients may not read such a line (RFC 9051 §4) */

static void copied_deinit(struct box_copied *c)
{
    uidset_deinit(&c->from);
    uidset_deinit(&c->to);
}

/* copy = "COPY" SP sequence-set SP mailbox */
static enum rc parse(struct imap_session *s, struct imap_lex *lex, struct uidset *ret_uids, str *ret_mailbox)
{
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_parse_set(s, lex, s->command->flags & CMD_UID, ret_uids);
    if (rc == RC_OK)
        rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_mailbox(lex, ret_mailbox);
    return rc == RC_OK ? imap_eol(lex) : rc;
}

/* resp-code-copy = "COPYUID" SP nz-number SP uid-set SP uid-set; STR_NONE when nothing was copied. */
static str copyuid(struct arena *a, const struct box_copied *copied)
{
    if (copied->uidvalidity == 0)
        return STR_NONE;
    AUTO(buf_deinit) struct buf code = BUF_INIT(COPYUID_MAX);
    buf_puts(&code, S("COPYUID "));
    buf_put_u64(&code, copied->uidvalidity);
    buf_putc(&code, ' ');
    uidset_format(&copied->from, &code);
    buf_putc(&code, ' ');
    uidset_format(&copied->to, &code);
    return code.overflow ? STR_NONE : arena_str(a, buf_str(&code));
}

static void count_trashed(struct imap_session *s, str dest, uint32_t n)
{
    enum special_use use = USE_NONE;
    struct err e = {0};
    if (n > 0 && store_special_use(s->store, dest, &use, &e) == RC_OK && use == USE_TRASH)
        s->done.trashed += n;
}

/* box_copy, and what the log is told. */
static enum rc transfer(struct imap_session *s, const struct uidset *uids, str dest, bool move,
                        struct box_copied *ret, struct err *e)
{
    static const struct uidset none;
    AUTO(mail_log_deinit) struct mail_log log;
    imap_log_expunge(s, &log, move ? uids : &none);
    enum rc rc = box_copy(s->box, uids, dest, move, ret, e);
    if (rc != RC_OK)
        return rc;
    count_trashed(s, dest, uidset_count(&ret->to));
    str what = arena_printf(s->arena, "copy from %s", s->box_name);
    imap_log_new(s, MAIL_LOG_COPY, what.p ? what.p : "copy", dest, &ret->to);
    mail_log_tell(&log, "expunge");
    return RC_OK;
}

static enum rc copy(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re, bool move)
{
    AUTO(uidset_deinit) struct uidset uids = {0};
    AUTO(copied_deinit) struct box_copied copied = {0};
    str dest;
    enum rc rc = parse(s, lex, &uids, &dest);
    if (rc != RC_OK)
        return rc;
    if (move && box_read_only(s->box)) {
        re->code = S("READ-ONLY");
        return err_set(&re->err, RC_PERM, 0, "", "The mailbox was opened read-only.");
    }
    uid32 lowest = move ? message_limit_cut(s, &uids) : message_limit_lowest(s, &uids, true);
    if (lowest && !move)
        return message_limit_refuse(s, lowest, re);
    rc = transfer(s, &uids, dest, move, &copied, &re->err);
    if (rc == RC_GONE)
        re->code = S("TRYCREATE"); /* RFC 9051 §6.4.7 */
    if (rc != RC_OK)
        return rc;
    str code = copyuid(s->arena, &copied);
    if (copied.uidvalidity != 0) {
        notify_own_messages(s, dest, &copied.to);
        imap_changed(s, dest);
    }
    if (!move) {
        re->code = code;
        return RC_OK;
    }
    re->expunged = true;
    if (code.n)
        imap_reply_untagged(s, "OK", code.p, "Moved.");
    message_limit_tell(s, lowest, re);
    if (copied.uidvalidity != 0)
        imap_changed(s, str_c(s->box_name));
    return RC_OK;
}

enum rc imap_cmd_copy(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    return copy(s, lex, re, false);
}

enum rc imap_cmd_move(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    return copy(s, lex, re, true);
}
