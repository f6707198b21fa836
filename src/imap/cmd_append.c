/* APPEND (RFC 9051 §6.3.12, RFC 3501 §6.3.11; UIDPLUS RFC 4315 §3). The message goes from the stream to the
 * store piece by piece; what must be refused is refused at its announcement, before the client sends it. */
#include "imap/command.h"
#include "imap/flags.h"

struct append_args {
    str mailbox;
    unsigned flags;
    const str *keywords;
    size_t n_keywords;
    int64_t date;
};

/* append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal: all up to the literal's
 * announcement. */
static enum rc args_parse(struct imap_lex *lex, struct append_args *ret)
{
    struct append_args a = {.date = clock_seconds()};
    const str *names = NULL;
    size_t n = 0;
    enum rc rc;
    if ((rc = imap_sp(lex)) || (rc = imap_mailbox(lex, &a.mailbox)) || (rc = imap_sp(lex)))
        return rc;
    if (imap_peek(lex) == '(' && ((rc = imap_flag_list(lex, &names, &n)) || (rc = imap_sp(lex))))
        return rc;
    if (imap_peek(lex) == '"' && ((rc = imap_date_time(lex, &a.date)) || (rc = imap_sp(lex))))
        return rc;
    if ((rc = imap_flags_parse(lex->arena, names, n, &a.flags, &a.keywords, &a.n_keywords)))
        return rc == RC_INVALID ? imap_expect(lex, "flags that can be set") : rc;
    if ((rc = imap_literal_mark(lex)))
        return rc;
    *ret = a;
    return RC_OK;
}

/* Bad arguments are gathered like any command, unless this is the place of the message: then they are refused
 * there. */
bool imap_append_streams(struct imap_lex lex)
{
    str mailbox;
    return imap_sp(&lex) == RC_OK && imap_mailbox(&lex, &mailbox) == RC_OK && imap_sp(&lex) == RC_OK;
}

/* The text is forgotten once its literal streams. */
static enum rc args_keep(struct imap_session *s, struct append_args *a)
{
    str *keywords = arena_array(s->arena, a->n_keywords + 1, sizeof *keywords);
    for (size_t i = 0; keywords && i < a->n_keywords; i++)
        keywords[i] = arena_str(s->arena, a->keywords[i]);
    a->keywords = keywords;
    return arena_exhausted(s->arena) ? RC_LIMIT : RC_OK;
}

static enum rc check_size(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    const struct imap_literal *l = &s->reader.literal;
    if (l->size == 0)
        return err_set(&re->err, RC_PERM, 0, "", "A message cannot be empty.");
    if (l->size <= s->start->append_max)
        return RC_OK;
    re->code = S("TOOBIG"); /* RFC 7889 §4 */
    if (l->nonsync && l->size > UINT32_MAX)
        imap_reply_bye(s, "The message is too large to skip.");
    return err_set(&re->err, RC_LIMIT, 0, "", "The message is larger than the limit of %llu bytes.",
                   (unsigned long long)s->start->append_max);
}

/* NUL is allowed in literal8 alone, and not kept there either: BODY[] could not tell it (RFC 3516 §4.3). */
static enum rc refuse_nul(struct imap_session *s, struct imap_reply *re)
{
    if (!s->reader.literal.binary)
        return err_set(&re->err, RC_INVALID, 0, "", "A message cannot hold NUL bytes.");
    re->code = S("UNKNOWN-CTE");
    return err_set(&re->err, RC_PERM, 0, "", "A message with NUL bytes is not taken; encode it.");
}

/* The bytes of the literal, then the line end: MULTIAPPEND is not offered. */
static enum rc receive(struct imap_session *s, struct imap_lex *lex, struct append *ap, struct imap_reply *re)
{
    enum imap_event ev;
    enum rc rc;
    while ((rc = imap_read_event(s, &ev)) == RC_OK && ev == IMAP_READ_CHUNK) {
        if (str_chr(s->reader.chunk, '\0') >= 0)
            return refuse_nul(s, re);
        if ((rc = append_write(ap, s->reader.chunk, &re->err)))
            return rc;
    }
    if (rc == RC_OK)
        rc = imap_read_event(s, &ev); /* the streamed literal is complete; now the rest of the line */
    if (rc)
        return rc;
    imap_lex_init(lex, buf_str(&s->reader.text), s->arena);
    return ev == IMAP_READ_COMMAND ? imap_eol(lex) : imap_expect(lex, "the end of the command");
}

static enum rc append_message(struct imap_session *s, struct imap_lex *lex, const struct append_args *a,
                              struct imap_reply *re)
{
    struct append *ap;
    struct append_result result;
    enum rc rc = append_begin(s->store, a->mailbox, &ap, &re->err);
    if (rc) {
        if (rc == RC_GONE)
            re->code = S("TRYCREATE");
        return rc;
    }
    /* at least half of what is announced stays: a line may be its end alone */
    rc = store_quota_check(s->store, a->mailbox, (s->reader.literal.size + 1) / 2, &re->err);
    if (rc) {
        append_abort(&ap);
        return rc;
    }
    bool nonsync = s->reader.literal.nonsync;
    imap_reader_stream(&s->reader);
    if (!nonsync)
        rc = imap_reply_continue(s, "OK");
    if (rc == RC_OK)
        rc = receive(s, lex, ap, re);
    if (rc) {
        append_abort(&ap);
        return rc;
    }
    rc = append_commit(&ap, a->flags, a->keywords, a->n_keywords, a->date, &result, &re->err);
    if (rc)
        return rc;
    re->code = arena_printf(s->arena, "APPENDUID %u %u", result.uidvalidity, result.uid);
    imap_changed(s, a->mailbox);
    return RC_OK;
}

enum rc imap_cmd_append(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    struct append_args args = {0};
    enum rc rc = args_parse(lex, &args);
    if (rc)
        return rc;
    if ((rc = args_keep(s, &args)) || (rc = check_size(s, lex, re)))
        return rc;
    return append_message(s, lex, &args, re);
}
