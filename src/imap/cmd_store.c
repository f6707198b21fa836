/* STORE and UID STORE (RFC 9051 §6.4.6, §6.4.9): changes flags of a set of messages in one durable commit,
 * then tells the new flags of each unless .SILENT. Keywords that are new to the mailbox are announced before
 * the first message that has them. With CONDSTORE each message's new modification sequence is told, also
 * after .SILENT, and UNCHANGEDSINCE leaves alone what others changed (RFC 7162 §3.1.3). */
#include "imap/announce.h"
#include "imap/command.h"
#include "imap/context.h"
#include "imap/flags.h"
#include "imap/mail_log.h"
#include "imap/message_limit.h"
#include "imap/resync.h"

enum { MODIFIED_MAX = 512 * 1024 };

struct store_args {
    struct uidset uids;
    struct flag_change change;
    bool silent;
};

static void args_deinit(struct store_args *args)
{
    uidset_deinit(&args->uids);
}

/* ["+" / "-"] "FLAGS" [".SILENT"] */
static enum rc parse_operation(struct imap_lex *lex, struct store_args *args)
{
    static const struct {
        str word;
        enum flag_op op;
        bool silent;
    } words[] = {
        {S("FLAGS"), FLAGS_REPLACE, false}, {S("FLAGS.SILENT"), FLAGS_REPLACE, true},
        {S("+FLAGS"), FLAGS_ADD, false},    {S("+FLAGS.SILENT"), FLAGS_ADD, true},
        {S("-FLAGS"), FLAGS_REMOVE, false}, {S("-FLAGS.SILENT"), FLAGS_REMOVE, true},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (imap_take_word(lex, words[i].word)) {
            args->change.op = words[i].op;
            args->silent = words[i].silent;
            return RC_OK;
        }
    }
    return imap_expect(lex, "FLAGS, +FLAGS or -FLAGS");
}

/* flag *(SP flag), the form without parentheses */
static enum rc parse_bare_flags(struct imap_lex *lex, const str **ret, size_t *ret_n)
{
    str *names = arena_array(lex->arena, IMAP_FLAGS_MAX, sizeof *names);
    size_t n = 0;
    if (!names)
        return RC_LIMIT;
    do {
        if (n == IMAP_FLAGS_MAX)
            return RC_LIMIT;
        enum rc rc = imap_flag(lex, &names[n++]);
        if (rc != RC_OK)
            return rc;
    } while (imap_peek(lex) == ' ' && imap_sp(lex) == RC_OK && !imap_at_end(lex));
    *ret = names;
    *ret_n = n;
    return RC_OK;
}

static enum rc parse_flags(struct imap_lex *lex, struct flag_change *change)
{
    const str *names;
    size_t n;
    enum rc rc = imap_peek(lex) == '(' ? imap_flag_list(lex, &names, &n) : parse_bare_flags(lex, &names, &n);
    if (rc == RC_OK)
        rc = imap_eol(lex);
    if (rc != RC_OK)
        return rc;
    rc = imap_flags_parse(lex->arena, names, n, &change->flags, &change->keywords, &change->n_keywords);
    if (change->op != FLAGS_REMOVE)
        change->flags &= ~(unsigned)FLAG_PASSED;
    return rc == RC_INVALID ? imap_expect(lex, "flags that exist") : rc;
}

/* ["(" "UNCHANGEDSINCE" SP mod-sequence-valzer ")" SP] */
static enum rc parse_modifier(struct imap_lex *lex, struct store_args *args)
{
    if (imap_peek(lex) != '(')
        return RC_OK;
    enum rc rc = imap_list_begin(lex);
    if (rc == RC_OK && !imap_take_word(lex, S("UNCHANGEDSINCE")))
        rc = imap_expect(lex, "UNCHANGEDSINCE");
    if (rc == RC_OK)
        rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_number64(lex, &args->change.unchanged_since);
    if (rc == RC_OK)
        rc = imap_list_end(lex);
    return rc == RC_OK ? imap_sp(lex) : rc;
}

/* store = "STORE" SP sequence-set [SP store-modifiers] SP store-att-flags */
static enum rc parse(struct imap_session *s, struct imap_lex *lex, struct store_args *args)
{
    enum rc rc = imap_sp(lex);
    args->change.unchanged_since = UINT64_MAX;
    if (rc == RC_OK)
        rc = imap_parse_set(s, lex, s->command->flags & CMD_UID, &args->uids);
    if (rc == RC_OK)
        rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = parse_modifier(lex, args);
    if (rc == RC_OK)
        rc = parse_operation(lex, args);
    if (rc == RC_OK)
        rc = imap_sp(lex);
    return rc == RC_OK ? parse_flags(lex, &args->change) : rc;
}

static enum rc tell(struct imap_session *s, const struct store_args *args, struct err *e)
{
    bool condstore = s->enabled & IMAP_CONDSTORE;
    unsigned what = (args->silent ? 0 : TOLD_FLAGS) | (condstore ? TOLD_UID | TOLD_MODSEQ : 0) |
                    (s->command->flags & CMD_UID ? TOLD_UID : 0);
    const str *names;
    if (args->silent && !condstore)
        return RC_OK;
    if (box_keywords(s->box, &names) > s->keywords_told)
        imap_announce_keywords(s);
    return imap_announce_messages(s, &args->uids, what, e);
}

/* "MODIFIED 7,9": what failed the test of UNCHANGEDSINCE, by number or UID as the command named it. A list
 * that is too long for a line becomes its span: a message too many is only asked for once more. */
static str modified(struct imap_session *s, const struct uidset *failed)
{
    AUTO(uidset_deinit) struct uidset numbers = {0};
    AUTO(buf_deinit) struct buf code = BUF_INIT(MODIFIED_MAX);
    const struct uidset *view = box_view(s->box);
    bool uid = s->command->flags & CMD_UID;
    if (failed->n == 0)
        return STR_NONE;
    for (size_t i = 0; i < failed->n && !uid; i++) {
        uid32 last = failed->r[i].last;
        for (uid32 u = failed->r[i].first; u; u = u < last ? u + 1 : 0)
            uidset_add(&numbers, uidset_rank(view, u), uidset_rank(view, u));
    }
    const struct uidset *told = uid ? failed : &numbers;
    buf_puts(&code, S("MODIFIED "));
    uidset_format(told, &code);
    if (code.overflow)
        return arena_printf(s->arena, "MODIFIED %u:%u", told->r[0].first, uidset_max(told));
    return arena_str(s->arena, buf_str(&code));
}

/* Counts for the log what was not marked to be deleted before. */
static enum rc change(struct imap_session *s, const struct store_args *args, struct uidset *failed,
                      struct err *e)
{
    AUTO(uidset_deinit) struct uidset fresh = {0};
    enum rc rc = RC_OK;
    if (args->change.op != FLAGS_REMOVE && args->change.flags & FLAG_DELETED)
        rc = box_find_flags(s->box, &args->uids, FLAG_DELETED, 0, true, &fresh, e);
    if (rc == RC_OK)
        rc = imap_change_flags(s, &args->uids, &args->change, failed, e);
    if (rc != RC_OK)
        return rc;
    uidset_subtract(&fresh, failed);
    s->done.deleted += uidset_count(&fresh);
    return RC_OK;
}

enum rc imap_cmd_store(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    AUTO(args_deinit) struct store_args args = {0};
    AUTO(uidset_deinit) struct uidset failed = {0};
    enum rc rc = parse(s, lex, &args);
    if (rc != RC_OK)
        return rc;
    if (box_read_only(s->box)) {
        re->code = S("READ-ONLY");
        return err_set(&re->err, RC_PERM, 0, "", "The mailbox was opened read-only.");
    }
    if (args.change.unchanged_since != UINT64_MAX)
        imap_condstore_enable(s);
    uid32 lowest = message_limit_cut(s, &args.uids);
    rc = change(s, &args, &failed, &re->err);
    if (rc != RC_OK)
        return rc;
    imap_changed(s, str_c(s->box_name));
    uidset_subtract(&args.uids, &failed);
    context_touch(s, &args.uids);
    re->code = modified(s, &failed);
    if (re->code.n)
        re->text = "Some messages were changed by others.";
    message_limit_tell(s, lowest, re);
    return tell(s, &args, &re->err);
}
