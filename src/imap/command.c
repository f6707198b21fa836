/* command: which commands there are, when each is legal, and the life of one from its text to its tagged
 * reply (RFC 9051 §2.2, §6). */
#include "imap/command.h"

#include "imap/announce.h"
#include "imap/notify.h"
#include "imap/progress.h"
#include "imap/shared.h"

/* Sorted by verb. */
static const struct imap_command COMMANDS[] = {
    {S("APPEND"), imap_cmd_append, IMAP_ANY, CMD_BOX, "RFC 9051 §6.3.12", imap_append_streams},
    {S("AUTHENTICATE"), NULL, IMAP_NEVER, 0, "RFC 9051 §6.2.2", NULL},
    {S("CANCELUPDATE"), imap_cmd_cancelupdate, IMAP_SELECTED, 0, "RFC 5267 §4.3.5", NULL},
    {S("CAPABILITY"), imap_cmd_capability, IMAP_ANY, 0, "RFC 9051 §6.1.1", NULL},
    {S("CHECK"), imap_cmd_noop, IMAP_SELECTED, 0, "RFC 3501 §6.4.1", NULL},
    {S("CLOSE"), imap_cmd_close, IMAP_SELECTED, CMD_QUIET, "RFC 9051 §6.4.1", NULL},
    {S("COMPRESS"), imap_cmd_compress, IMAP_ANY, 0, "RFC 4978 §3", NULL},
    {S("COPY"), imap_cmd_copy, IMAP_SELECTED, CMD_NAMES_SEQS | CMD_SET_BOX, "RFC 9051 §6.4.7", NULL},
    {S("CREATE"), imap_cmd_create, IMAP_ANY, CMD_BOX, "RFC 9051 §6.3.4", NULL},
    {S("DELETE"), imap_cmd_delete, IMAP_ANY, CMD_BOX, "RFC 9051 §6.3.5", NULL},
    {S("DELETEACL"), imap_cmd_deleteacl, IMAP_ANY, CMD_BOX, "RFC 4314 §3.2", NULL},
    {S("ENABLE"), imap_cmd_enable, IMAP_ANY, 0, "RFC 5161 §3.1", NULL},
    {S("ESEARCH"), imap_cmd_esearch, IMAP_ANY, CMD_UID | CMD_OF_SELECTED, "RFC 7377 §2", NULL},
    {S("EXAMINE"), imap_cmd_examine, IMAP_ANY, CMD_QUIET | CMD_BOX, "RFC 9051 §6.3.3", NULL},
    {S("EXPUNGE"), imap_cmd_expunge, IMAP_SELECTED, CMD_TELLS, "RFC 9051 §6.4.3", NULL},
    {S("FETCH"), imap_cmd_fetch, IMAP_SELECTED, CMD_USES_SEQS | CMD_NAMES_SEQS, "RFC 9051 §6.4.5", NULL},
    {S("GETACL"), imap_cmd_getacl, IMAP_ANY, CMD_BOX, "RFC 4314 §3.3", NULL},
    {S("GETMETADATA"), imap_cmd_getmetadata, IMAP_ANY, CMD_BOX, "RFC 5464 §4.2", NULL},
    {S("GETQUOTA"), imap_cmd_getquota, IMAP_ANY, 0, "RFC 9208 §4.1.1", NULL},
    {S("GETQUOTAROOT"), imap_cmd_getquotaroot, IMAP_ANY, CMD_BOX, "RFC 9208 §4.1.2", NULL},
    {S("ID"), imap_cmd_id, IMAP_ANY, 0, "RFC 2971 §3.1", NULL},
    {S("IDLE"), imap_cmd_idle, IMAP_ANY, CMD_OF_SELECTED, "RFC 2177 §3", NULL},
    {S("LANGUAGE"), imap_cmd_language, IMAP_ANY, 0, "RFC 5255 §3.2", NULL},
    {S("LIST"), imap_cmd_list, IMAP_ANY, 0, "RFC 9051 §6.3.9", NULL},
    {S("LISTRIGHTS"), imap_cmd_listrights, IMAP_ANY, CMD_BOX, "RFC 4314 §3.4", NULL},
    {S("LOGIN"), NULL, IMAP_NEVER, 0, "RFC 9051 §6.2.3", NULL},
    {S("LOGOUT"), imap_cmd_logout, IMAP_ANY, CMD_QUIET, "RFC 9051 §6.1.3", NULL},
    {S("LSUB"), imap_cmd_lsub, IMAP_ANY, 0, "RFC 3501 §6.3.9", NULL},
    {S("MOVE"), imap_cmd_move, IMAP_SELECTED, CMD_NAMES_SEQS | CMD_TELLS | CMD_SET_BOX, "RFC 9051 §6.4.8",
     NULL},
    {S("MYRIGHTS"), imap_cmd_myrights, IMAP_ANY, CMD_BOX, "RFC 4314 §3.5", NULL},
    {S("NAMESPACE"), imap_cmd_namespace, IMAP_ANY, 0, "RFC 2342 §5", NULL},
    {S("NOOP"), imap_cmd_noop, IMAP_ANY, CMD_OF_SELECTED, "RFC 9051 §6.1.2", NULL},
    {S("NOTIFY"), imap_cmd_notify, IMAP_ANY, CMD_TELLS | CMD_QUIET, "RFC 5465 §3.1", NULL},
    {S("RENAME"), imap_cmd_rename, IMAP_ANY, CMD_TWO_BOXES, "RFC 9051 §6.3.6", NULL},
    {S("REPLACE"), imap_cmd_replace, IMAP_SELECTED, CMD_NAMES_SEQS | CMD_TELLS | CMD_SET_BOX, "RFC 8508 §3.2",
     imap_replace_streams},
    {S("SEARCH"), imap_cmd_search, IMAP_SELECTED, CMD_USES_SEQS | CMD_NAMES_SEQS, "RFC 9051 §6.4.4", NULL},
    {S("SELECT"), imap_cmd_select, IMAP_ANY, CMD_QUIET | CMD_BOX, "RFC 9051 §6.3.2", NULL},
    {S("SETACL"), imap_cmd_setacl, IMAP_ANY, CMD_BOX, "RFC 4314 §3.1", NULL},
    {S("SETMETADATA"), imap_cmd_setmetadata, IMAP_ANY, CMD_BOX, "RFC 5464 §4.3", NULL},
    {S("SORT"), imap_cmd_sort, IMAP_SELECTED, CMD_USES_SEQS | CMD_NAMES_SEQS | CMD_WHOLE, "RFC 5256 §3",
     NULL},
    {S("STARTTLS"), NULL, IMAP_NEVER, 0, "RFC 9051 §6.2.1", NULL},
    {S("STATUS"), imap_cmd_status, IMAP_ANY, CMD_BOX, "RFC 9051 §6.3.11", NULL},
    {S("STORE"), imap_cmd_store, IMAP_SELECTED, CMD_USES_SEQS | CMD_NAMES_SEQS, "RFC 9051 §6.4.6", NULL},
    {S("SUBSCRIBE"), imap_cmd_subscribe, IMAP_ANY, 0, "RFC 9051 §6.3.7", NULL},
    {S("THREAD"), imap_cmd_thread, IMAP_SELECTED, CMD_USES_SEQS | CMD_NAMES_SEQS | CMD_WHOLE, "RFC 5256 §3",
     NULL},
    {S("UID COPY"), imap_cmd_copy, IMAP_SELECTED, CMD_UID | CMD_SET_BOX, "RFC 9051 §6.4.9", NULL},
    {S("UID EXPUNGE"), imap_cmd_expunge, IMAP_SELECTED, CMD_UID | CMD_TELLS, "RFC 4315 §2.1", NULL},
    {S("UID FETCH"), imap_cmd_fetch, IMAP_SELECTED, CMD_UID, "RFC 9051 §6.4.9", NULL},
    {S("UID MOVE"), imap_cmd_move, IMAP_SELECTED, CMD_UID | CMD_TELLS | CMD_SET_BOX, "RFC 6851 §3.2", NULL},
    {S("UID REPLACE"), imap_cmd_replace, IMAP_SELECTED, CMD_UID | CMD_TELLS | CMD_SET_BOX, "RFC 8508 §3.3",
     imap_replace_streams},
    {S("UID SEARCH"), imap_cmd_search, IMAP_SELECTED, CMD_UID, "RFC 9051 §6.4.9", NULL},
    {S("UID SORT"), imap_cmd_sort, IMAP_SELECTED, CMD_UID | CMD_WHOLE, "RFC 5256 §3", NULL},
    {S("UID STORE"), imap_cmd_store, IMAP_SELECTED, CMD_UID, "RFC 9051 §6.4.9", NULL},
    {S("UID THREAD"), imap_cmd_thread, IMAP_SELECTED, CMD_UID | CMD_WHOLE, "RFC 5256 §3", NULL},
    {S("UIDBATCHES"), imap_cmd_uidbatches, IMAP_SELECTED, 0, "RFC 10022 §3.1", NULL},
    {S("UNAUTHENTICATE"), imap_cmd_unauthenticate, IMAP_ANY, CMD_QUIET, "RFC 8437 §3", NULL},
    {S("UNSELECT"), imap_cmd_unselect, IMAP_SELECTED, CMD_QUIET, "RFC 3691 §2", NULL},
    {S("UNSUBSCRIBE"), imap_cmd_unsubscribe, IMAP_ANY, 0, "RFC 9051 §6.3.8", NULL},
};

const struct imap_command *imap_command_find(str verb)
{
    size_t lo = 0, hi = sizeof COMMANDS / sizeof *COMMANDS;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = str_icmp(verb, COMMANDS[mid].verb);
        if (order == 0)
            return &COMMANDS[mid];
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

/* A client that sends nothing but nonsense is no mail program. */
static void count_bad(struct imap_session *s)
{
    if (++s->bad_in_row >= s->limits.bad_max && !s->closing)
        imap_reply_bye(s, "Too many bad commands.");
}

static void refuse_bad(struct imap_session *s, const char *text)
{
    imap_reply_refused(s, "BAD", "", text);
    count_bad(s);
}

/* command = tag SP verb ..., where "UID" and the word behind it are one verb. Sets s->tag when there is one,
 * and leaves the cursor behind the verb. */
static enum rc head_parse(struct imap_session *s, struct imap_lex *lex, str *ret_verb)
{
    str tag, verb, second;
    enum rc rc;
    imap_lex_begin(s, buf_str(&s->reader.text), lex);
    if ((rc = imap_tag(lex, &tag)))
        return rc;
    s->tag = arena_str(s->arena, tag);
    if ((rc = imap_sp(lex)) || (rc = imap_atom(lex, &verb)))
        return rc;
    if (str_ieq(verb, S("UID"))) {
        if ((rc = imap_sp(lex)) || (rc = imap_atom(lex, &second)))
            return rc;
        verb = arena_printf(s->arena, "UID " STR_FMT, STR_ARG(second));
    }
    *ret_verb = verb;
    return RC_OK;
}

/* Why the command cannot run now, or NULL. */
static const char *objection(const struct imap_session *s, const struct imap_command *c)
{
    if (!c)
        return "Unknown command.";
    if (c->states == IMAP_NEVER)
        return "That is done: this session is logged in.";
    bool selected = s->box || shared_is_selected(s);
    if (!(c->states & (selected ? IMAP_SELECTED : IMAP_AUTH)))
        return selected ? "Not while a mailbox is selected." : "Select a mailbox first.";
    return NULL;
}

static void execute(struct imap_session *s, const struct imap_command *c, struct imap_lex *lex)
{
    struct imap_reply re = {0};
    s->command = c;
    imap_progress_begin(s);
    enum rc rc = c->run(s, lex, &re);
    if (rc)
        imap_reader_refuse(&s->reader); /* what is left of a literal that was to be streamed */
    if (s->lost)
        return;
    if (rc != RC_INVALID && s->box && !(c->flags & CMD_QUIET))
        imap_announce(s, c->flags & CMD_USES_SEQS ? BOX_SYNC_NO_EXPUNGE : 0);
    if (rc == RC_OK && re.expunged && s->box && (s->enabled & IMAP_QRESYNC))
        re.code = arena_printf(s->arena, "HIGHESTMODSEQ %llu",
                               (unsigned long long)box_status(s->box)->highestmodseq);
    imap_reply_tagged(s, rc, &re, lex);
    notify_catch_up(s);
    imap_bye_if_stale(s);
    if (rc == RC_OK && re.compress && (stream_flush(s->io) || stream_start_deflate(s->io)))
        s->closing = s->lost = true;
    if (rc == RC_INVALID)
        count_bad(s);
    else
        s->bad_in_row = 0;
}

void imap_command_run(struct imap_session *s)
{
    struct imap_lex lex;
    str verb;
    if (head_parse(s, &lex, &verb)) {
        refuse_bad(s,
                   s->tag.n ? "A command must follow the tag." : "A line begins with a tag and a command.");
        return;
    }
    const struct imap_command *c = imap_command_find(verb);
    const char *why = objection(s, c);
    if (why) {
        refuse_bad(s, why);
    } else if ((c->flags & CMD_NAMES_SEQS) && (s->enabled & IMAP_UIDONLY)) {
        imap_reply_refused(s, "BAD", "UIDREQUIRED", "Use the UID form.");
        count_bad(s);
    } else if (!shared_run(s, c, lex, false)) {
        execute(s, c, &lex);
    }
}

void imap_command_resume_idle(struct imap_session *s, str tag)
{
    static const struct imap_command idle = {S("IDLE"), imap_idle_go_on, IMAP_ANY, 0, "RFC 2177 §3", NULL};
    struct imap_lex lex;
    imap_lex_init(&lex, STR_NONE, s->arena);
    s->tag = arena_str(s->arena, tag);
    execute(s, &idle, &lex);
}

/* The client waits, or goes on sending: a literal past 4 GB is not waited for. */
static void literal_refuse(struct imap_session *s)
{
    imap_reply_refused(s, "NO", "LIMIT", "The literal is too large.");
    if (s->reader.literal.nonsync && s->reader.literal.size > UINT32_MAX)
        imap_reply_bye(s, "The literal is too large to skip.");
    imap_reader_refuse(&s->reader);
    count_bad(s);
}

void imap_command_literal(struct imap_session *s)
{
    struct imap_lex lex;
    str verb;
    const struct imap_command *c = head_parse(s, &lex, &verb) ? NULL : imap_command_find(verb);
    bool streams = c && c->streams && !objection(s, c) && c->streams(lex);
    if (streams && shared_run(s, c, lex, true))
        return;
    if (streams)
        execute(s, c, &lex);
    else if (imap_reader_gather(&s->reader))
        literal_refuse(s);
    else if (!s->reader.literal.nonsync && imap_reply_continue(s, "OK"))
        s->closing = true;
}

void imap_command_too_long(struct imap_session *s)
{
    struct imap_lex lex;
    str verb;
    (void)!head_parse(s, &lex, &verb); /* for its tag */
    refuse_bad(s, "The command is too long.");
}
