/* STORE and UID STORE (RFC 9051 §6.4.6, §6.4.9): changes flags of a set of messages in one durable commit,
 * then tells the new flags of each unless .SILENT. Keywords that are new to the mailbox are announced before
 * the first message that has them. */
#include "imap/announce.h"
#include "imap/command.h"
#include "imap/flags.h"

enum { OUT_SEND_AT = 16 * 1024 };

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
    return rc == RC_INVALID ? imap_expect(lex, "flags that exist") : rc;
}

/* store = "STORE" SP sequence-set SP store-att-flags */
static enum rc parse(struct imap_session *s, struct imap_lex *lex, struct store_args *args)
{
    enum rc rc = imap_sp(lex);
    args->change.unchanged_since = UINT64_MAX;
    if (rc == RC_OK)
        rc = imap_parse_set(s, lex, s->command->flags & CMD_UID, &args->uids);
    if (rc == RC_OK)
        rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = parse_operation(lex, args);
    if (rc == RC_OK)
        rc = imap_sp(lex);
    return rc == RC_OK ? parse_flags(lex, &args->change) : rc;
}

static void put_line(struct imap_session *s, const struct box_msg *msg)
{
    struct buf *out = &s->out;
    buf_puts(out, S("* "));
    buf_put_u64(out, msg->seq);
    buf_puts(out, S(" FETCH ("));
    if (s->command->flags & CMD_UID) {
        buf_puts(out, S("UID "));
        buf_put_u64(out, msg->uid);
        buf_putc(out, ' ');
    }
    buf_puts(out, S("FLAGS "));
    imap_flags_put(out, s->box, msg);
    buf_puts(out, S(")\r\n"));
    if (out->n > OUT_SEND_AT)
        imap_send(s);
}

static enum rc tell(struct imap_session *s, const struct uidset *uids, struct err *e)
{
    struct box_query *q;
    struct box_msg msg;
    const str *names;
    if (box_keywords(s->box, &names) > s->keywords_told)
        imap_announce_keywords(s);
    enum rc rc = box_query_open(s->box, uids, 0, &q, e);
    if (rc != RC_OK)
        return rc;
    while ((rc = box_query_next(q, &msg, e)) == RC_OK)
        put_line(s, &msg);
    box_query_close(q);
    imap_send(s);
    return rc == RC_GONE ? RC_OK : rc;
}

enum rc imap_cmd_store(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    AUTO(args_deinit) struct store_args args = {0};
    enum rc rc = parse(s, lex, &args);
    if (rc != RC_OK)
        return rc;
    if (box_read_only(s->box)) {
        re->code = S("READ-ONLY");
        return err_set(&re->err, RC_PERM, 0, "", "The mailbox was opened read-only.");
    }
    rc = box_change_flags(s->box, &args.uids, &args.change, true, NULL, &re->err);
    if (rc != RC_OK)
        return rc;
    imap_changed(s, str_c(s->box_name));
    return args.silent ? RC_OK : tell(s, &args.uids, &re->err);
}
