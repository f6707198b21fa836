/* Which commands are about mailboxes of others, and what becomes of them. */
#include "imap/shared_impl.h"

#include "base/num.h"

/* --- sending a command --- */

/* The bytes of the literal that is announced at the end of the line; *ret_open: where its "}" or "+}" stands.
 */
static uint64_t announced(str line, size_t *ret_open)
{
    uint64_t bytes = 0;
    size_t end = line.n - (str_ends(line, S("+}")) ? 2 : 1), from = end;
    while (from > 0 && ascii_digit(line.p[from - 1]))
        from--;
    must(num_parse_u64(str_sub(line, from, end - from), UINT64_MAX, &bytes) == RC_OK);
    *ret_open = end;
    return bytes;
}

/* The text of a command as it was gathered; its literals follow at once, but for one that `announces` itself
 * at the end. Line ends stand nowhere but in literals and in front of them (fmt/imap_reader.h). */
static void send_text(struct stream *io, str text, bool announces)
{
    ptrdiff_t at;
    stream_set_deadline(io, STREAM_NO_DEADLINE);
    while ((at = str_find(text, S("\r\n"))) >= 0) {
        str line = str_sub(text, 0, (size_t)at);
        size_t end;
        uint64_t bytes = announced(line, &end);
        text = str_from(text, line.n + 2);
        bool last = announces && text.n == 0;
        stream_write(io, str_sub(line, 0, end));
        stream_write(io, last ? S("}\r\n") : S("+}\r\n"));
        stream_write(io, str_sub(text, 0, bytes));
        text = str_from(text, bytes);
    }
    stream_write(io, text);
    if (!announces)
        stream_write(io, S("\r\n"));
}

static struct stream *stream_of(const struct shared_guest *g)
{
    return imap_client_stream(g->client);
}

static void take_selection(struct shared_guest *g, const struct imap_command *c, str name,
                           enum imap_condition said)
{
    bool selects = c->run == imap_cmd_select || c->run == imap_cmd_examine;
    if (said != IMAP_SAYS_OK)
        return;
    if (selects || c->run == imap_cmd_close || c->run == imap_cmd_unselect)
        str_freep(&g->selected);
    if (selects)
        g->selected = str_dup(name);
}

/* --- commands that are no more than passed on --- */

static void pass(struct imap_session *s, struct shared_guest *g, const struct imap_command *c, str name)
{
    struct shared_relay r = {.tag = s->tag, .silent = true};
    send_text(stream_of(g), buf_str(&s->reader.text), false);
    enum rc rc = shared_relay(s, g, &r);
    if (rc == RC_OK)
        take_selection(g, c, name, r.said);
    if (rc == RC_OK && !g->ending)
        return;
    bool ends = rc == RC_OK || g->selected; /* with BYE */
    shared_lose(s, g);
    if (!ends && !s->lost)
        imap_reply_refused(s, "NO", "UNAVAILABLE", "That cannot be done now; try again later.");
}

/* The client says DONE, or whatever it takes for that. */
static enum rc pass_done(struct imap_session *s, struct shared_guest *g)
{
    enum imap_event ev;
    if (imap_read_event(s, &ev) != RC_OK)
        return RC_GONE;
    bool line = ev == IMAP_READ_COMMAND;
    if (!line)
        imap_reader_refuse(&s->reader);
    send_text(stream_of(g), line ? buf_str(&s->reader.text) : STR_NONE, false);
    return RC_OK;
}

/* Waits for one side or the other. */
static enum rc idle_step(struct imap_session *s, struct shared_guest *g, struct shared_relay *r,
                         bool *ret_done)
{
    bool other = stream_buffered(stream_of(g)) > 0;
    stream_set_deadline(s->io, s->idle_end);
    enum rc rc = stream_flush(s->io);
    if (rc == RC_OK && !other)
        rc = stream_wait(s->io, stream_fd(stream_of(g)), &other);
    if (rc == RC_TEMP)
        imap_reply_bye(s, "Disconnected for inactivity.");
    if (rc != RC_OK) {
        s->closing = s->lost = true;
        return rc;
    }
    if (other) {
        rc = shared_relay_some(s, g, r, ret_done);
        if (rc != RC_OK)
            shared_lose(s, g);
        return rc;
    }
    rc = pass_done(s, g);
    if (rc == RC_OK && (rc = shared_relay(s, g, r)) != RC_OK)
        shared_lose(s, g);
    *ret_done = true;
    return rc;
}

static void idle(struct imap_session *s, struct shared_guest *g)
{
    struct shared_relay r = {.tag = s->tag};
    bool done = false;
    s->idle_end = clock_mono() + s->limits.idle_ms;
    send_text(stream_of(g), buf_str(&s->reader.text), false);
    if (stream_flush(stream_of(g)) != RC_OK) {
        shared_lose(s, g);
        return;
    }
    while (!done && idle_step(s, g, &r, &done) == RC_OK)
        ;
}

/* --- commands with messages --- */

/* One literal, once the guest session wants it. *ret_done: it answered instead. */
static enum rc pass_literal(struct imap_session *s, struct shared_guest *g, struct shared_relay *r,
                            bool *ret_done)
{
    enum imap_event ev = IMAP_READ_CHUNK;
    enum rc rc = shared_relay(s, g, r);
    if (rc != RC_OK)
        return rc;
    *ret_done = r->said != IMAP_SAYS_CONTINUE;
    if (*ret_done)
        return RC_OK;
    bool waits = !s->reader.literal.nonsync;
    imap_reader_stream(&s->reader);
    if (waits)
        rc = imap_reply_continue(s, "OK");
    while (rc == RC_OK && (rc = imap_read_event(s, &ev)) == RC_OK && ev == IMAP_READ_CHUNK)
        stream_write(stream_of(g), s->reader.chunk);
    return rc;
}

/* The guest session is asked before each literal, as the client asks. Where it is lost, so is what it took.
 */
static void pass_messages(struct imap_session *s, struct shared_guest *g)
{
    struct shared_relay r = {.tag = s->tag, .continues = true};
    enum imap_event ev = IMAP_READ_LITERAL;
    bool done = false;
    enum rc rc = RC_OK;
    while (rc == RC_OK && !done && ev == IMAP_READ_LITERAL) {
        send_text(stream_of(g), buf_str(&s->reader.text), true);
        rc = pass_literal(s, g, &r, &done);
        if (rc == RC_OK && !done)
            rc = imap_read_event(s, &ev);
    }
    if (rc == RC_OK && done) {
        imap_reader_refuse(&s->reader);
        return;
    }
    if (rc == RC_OK && ev == IMAP_READ_COMMAND) {
        send_text(stream_of(g), buf_str(&s->reader.text), false);
        rc = shared_relay(s, g, &r);
        if (rc == RC_OK)
            return;
    }
    imap_reader_refuse(&s->reader);
    shared_lose(s, g);
    if (!s->lost)
        imap_reply_refused(s, "NO", "UNAVAILABLE", "That cannot be done now; try again later.");
}

/* --- where a command goes --- */

static void refuse(struct imap_session *s, const char *code, const char *text)
{
    imap_reader_refuse(&s->reader);
    imap_reply_refused(s, "NO", code, text);
}

void shared_refuse_unknown(struct imap_session *s)
{
    imap_handler *run = s->command->run;
    bool takes = run == imap_cmd_append || run == imap_cmd_copy || run == imap_cmd_move;
    if (run == imap_cmd_create) /* as in mailboxes of those that exist, and keep theirs to themselves */
        refuse(s, "NOPERM", "That is not permitted");
    else
        refuse(s, takes ? "TRYCREATE" : "NONEXISTENT", "Mailbox does not exist");
}

/* RFC 9051 §6.3.2: what was selected is deselected first; a guest session does so itself. */
static void deselect(struct imap_session *s, str owner)
{
    struct shared_guest *g = shared_selected(s);
    struct err e = {0};
    bool other = g && !str_eq(str_c(g->owner), owner);
    if (!s->box && !other)
        return;
    imap_box_close(s);
    if (other) {
        str_freep(&g->selected);
        buf_puts(imap_client_command(g->client), S("UNSELECT"));
        if (imap_client_run(g->client, NULL, NULL, &e) != RC_OK)
            shared_lose(s, g);
    }
    imap_reply_untagged(s, "OK", "CLOSED", "The previous mailbox is closed.");
}

static void send_to(struct imap_session *s, const struct imap_command *c, str name, bool announces)
{
    str owner = shared_owner(s, name);
    if (c->run == imap_cmd_select || c->run == imap_cmd_examine)
        deselect(s, owner);
    struct shared_guest *g = shared_guest(s, owner);
    if (!g)
        shared_refuse_unknown(s);
    else if (announces)
        pass_messages(s, g);
    else
        pass(s, g, c, name);
}

/* "(" ... ")" SP, in front of the mailbox of GETMETADATA. */
static enum rc skip_options(struct imap_lex *lex)
{
    if (imap_peek(lex) != '(')
        return RC_OK;
    while (!imap_at_end(lex) && !imap_take(lex, ')'))
        lex->at++;
    return imap_sp(lex);
}

struct places { /* of mailboxes in the arguments */
    str first, second;
};

static enum rc places_parse(const struct imap_command *c, struct imap_lex *lex, struct places *ret)
{
    str set;
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK && (c->flags & CMD_SET_BOX) && (rc = imap_set_text(lex, &set)) == RC_OK)
        rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = skip_options(lex);
    if (rc == RC_OK)
        rc = imap_mailbox(lex, &ret->first);
    if (rc == RC_OK && (c->flags & CMD_TWO_BOXES) && (rc = imap_sp(lex)) == RC_OK)
        rc = imap_mailbox(lex, &ret->second);
    return rc;
}

/* RENAME */
static bool route_two(struct imap_session *s, const struct imap_command *c, const struct places *p)
{
    str from = shared_owner(s, p->first), to = shared_owner(s, p->second);
    if (from.n == 0 && to.n == 0)
        return false;
    if (str_eq(from, to))
        send_to(s, c, p->first, false);
    else
        refuse(s, "CANNOT", "Mailboxes stay with their owners.");
    return true;
}

/* COPY, MOVE, REPLACE: from the selected mailbox to another */
static bool route_set(struct imap_session *s, const struct imap_command *c, const struct places *p,
                      struct imap_lex lex, bool announces)
{
    const struct shared_guest *g = shared_selected(s);
    str from = g ? str_c(g->owner) : STR_NONE, to = shared_owner(s, p->first);
    if (str_eq(from, to)) {
        if (g)
            send_to(s, c, p->first, announces);
        return g != NULL;
    }
    if (c->run == imap_cmd_replace)
        refuse(s, "CANNOT", "A message is replaced in mailboxes of one owner.");
    else
        shared_copy(s, &lex);
    return true;
}

static bool route_box(struct imap_session *s, const struct imap_command *c, const struct places *p,
                      bool announces)
{
    if (shared_is_name(s, p->first)) {
        send_to(s, c, p->first, announces);
        return true;
    }
    if (c->run == imap_cmd_select || c->run == imap_cmd_examine)
        deselect(s, STR_NONE);
    return false;
}

/* What is of the selected mailbox. */
static bool route_selected(struct imap_session *s, const struct imap_command *c)
{
    struct shared_guest *g = shared_selected(s);
    if (!g || (c->states != IMAP_SELECTED && !(c->flags & CMD_OF_SELECTED)))
        return false;
    g = shared_guest(s, str_c(g->owner)); /* which knows all that was enabled */
    if (g && c->run == imap_cmd_idle)
        idle(s, g);
    else if (g)
        pass(s, g, c, STR_NONE);
    return true;
}

bool shared_run(struct imap_session *s, const struct imap_command *c, struct imap_lex lex, bool announces)
{
    struct places p = {STR_NONE, STR_NONE};
    struct imap_lex arguments = lex;
    const unsigned named = CMD_BOX | CMD_SET_BOX | CMD_TWO_BOXES;
    if (s->start->shared_prefix.n == 0)
        return false;
    s->command = c;
    if (!(c->flags & named) || places_parse(c, &arguments, &p) != RC_OK)
        return route_selected(s, c); /* which says what is wrong with it */
    if (c->flags & CMD_TWO_BOXES)
        return route_two(s, c, &p);
    if (c->flags & CMD_SET_BOX)
        return route_set(s, c, &p, lex, announces);
    return route_box(s, c, &p, announces);
}
