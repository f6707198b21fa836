/* The life of a POP3 session: opening INBOX, the loop over commands, and the log line at the end (session.h).
 */
#include "pop3/session.h"

#include "base/log.h"
#include "fmt/log_fields.h"
#include "pop3/capability.h"

enum { BAD_IN_ROW_MAX = 20 };

struct pop3_message *pop3_find(struct pop3_session *s, uint32_t number)
{
    if (number <= s->n && !s->messages[number - 1].deleted)
        return &s->messages[number - 1];
    stream_printf(s->io, "-ERR There is no message %u.\r\n", number);
    return NULL;
}

size_t pop3_count(const struct pop3_session *s, uint64_t *ret_size)
{
    size_t n = 0;
    uint64_t size = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->messages[i].deleted)
            continue;
        n++;
        size += s->messages[i].size;
    }
    *ret_size = size;
    return n;
}

void pop3_store_failed(struct pop3_session *s, const char *what, const struct err *e)
{
    log_error("%s: %s", what, err_text(e));
    stream_write(s->io, S("-ERR [SYS/TEMP] The mailbox cannot be read now, try again later.\r\n"));
}

/* Fills the table of messages from the box. */
static enum rc load_messages(struct pop3_session *s, struct err *e)
{
    size_t room = uidset_count(box_view(s->box));
    s->messages = calloc(room ? room : 1, sizeof *s->messages);
    must(s->messages);
    struct box_query *q;
    enum rc rc = box_query_open(s->box, box_view(s->box), 0, &q, e);
    if (rc != RC_OK)
        return rc;
    struct box_msg m;
    while (s->n < room && (rc = box_query_next(q, &m, e)) == RC_OK)
        s->messages[s->n++] = (struct pop3_message){.uid = m.uid, .size = m.size};
    box_query_close(q);
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc open_maildrop(struct pop3_session *s, struct err *e)
{
    enum rc rc = box_open(s->start->store, S("INBOX"), false, &s->box, e);
    return rc == RC_OK ? load_messages(s, e) : rc;
}

static void cmd_noop(struct pop3_session *s, const struct pop3_cmd *cmd)
{
    stream_write(s->io, S("+OK\r\n"));
}

static void cmd_capa(struct pop3_session *s, const struct pop3_cmd *cmd)
{
    pop3_capability_write(s->io, NULL);
}

/* What is legal in the TRANSACTION state (RFC 1939 §5). */
static pop3_handler *const commands[POP3_VERB_COUNT] = {
    [POP3_CAPA] = cmd_capa,      [POP3_DELE] = pop3_cmd_dele, [POP3_LIST] = pop3_cmd_list,
    [POP3_NOOP] = cmd_noop,      [POP3_QUIT] = pop3_cmd_quit, [POP3_RETR] = pop3_cmd_retr,
    [POP3_RSET] = pop3_cmd_rset, [POP3_STAT] = pop3_cmd_stat, [POP3_TOP] = pop3_cmd_top,
    [POP3_UIDL] = pop3_cmd_uidl,
};

static void bad(struct pop3_session *s, const char *text)
{
    stream_printf(s->io, "-ERR %s\r\n", text);
    if (++s->bad_in_row < BAD_IN_ROW_MAX)
        return;
    stream_write(s->io, S("-ERR Too many invalid commands.\r\n"));
    s->closing = "Too many invalid commands";
}

static void run_line(struct pop3_session *s, str line)
{
    struct pop3_cmd cmd;
    enum rc rc = pop3_cmd_parse(line, &cmd);
    if (rc == RC_INVALID) {
        bad(s, "Wrong arguments.");
    } else if (rc != RC_OK) {
        bad(s, "Unknown command.");
    } else if (!commands[cmd.verb]) {
        bad(s, "Already logged in.");
    } else {
        s->bad_in_row = 0;
        commands[cmd.verb](s, &cmd);
    }
}

/* Replies to pipelined commands leave together (RFC 2449 §6.8): as long as whole lines wait, nothing is
 * flushed. */
static bool line_waits(struct pop3_session *s)
{
    str input;
    return stream_buffered(s->io) > 0 && stream_read(s->io, &input) == RC_OK && str_chr(input, '\n') >= 0;
}

static void read_one(struct pop3_session *s)
{
    str line;
    enum line_end end;
    stream_set_deadline(s->io, clock_mono() + s->start->timeout_ms);
    enum rc rc = line_waits(s) ? RC_OK : stream_flush(s->io);
    if (rc == RC_OK)
        rc = stream_read_line(s->io, POP3_LINE_MAX, &line, &end);
    if (rc == RC_OK)
        run_line(s, line);
    else if (rc == RC_LIMIT)
        bad(s, "The line is too long.");
    else /* autologout is silent and deletes nothing (RFC 1939 §3) */
        s->closing = rc == RC_TEMP ? "Inactivity" : "Connection closed";
}

static void put_counts(const struct pop3_session *s, struct buf *out)
{
    const struct stream_traffic t = stream_traffic(s->io);
    uint64_t size = 0;
    struct err e = {0};
    for (size_t i = 0; i < s->n; i++)
        size += s->messages[i].size;
    const struct log_value values[LOG_POP3_FIELDS] = {[LOG_POP3_INPUT].number = t.in,
                                                      [LOG_POP3_OUTPUT].number = t.out,
                                                      [LOG_POP3_TOP_COUNT].number = s->top.n,
                                                      [LOG_POP3_TOP_BYTES].number = s->top.bytes,
                                                      [LOG_POP3_RETR_COUNT].number = s->retr.n,
                                                      [LOG_POP3_RETR_BYTES].number = s->retr.bytes,
                                                      [LOG_POP3_DELETED_COUNT].number = s->expunged,
                                                      [LOG_POP3_DELETED_BYTES].number = s->expunged_bytes,
                                                      [LOG_POP3_MESSAGE_COUNT].number = s->n,
                                                      [LOG_POP3_MESSAGE_BYTES].number = size};
    struct log_fields f = {.kind = LOG_FIELDS_POP3, .values = values};
    log_fields_name(&f, s->start->account);
    f.users[LOG_SESSION] = s->start->session_id;
    f.users[LOG_RIP] = s->start->client;
    if (log_fields_put(&f, s->start->logout_format, out, &e) != RC_OK)
        log_error("pop3_logout_format: %s", err_text(&e));
}

/* "Disconnected: Logged out top=0/0, retr=1/433, del=0/6, size=5082", as Dovecot has it */
static void log_end(const struct pop3_session *s)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(1000);
    put_counts(s, &text);
    log_info("Disconnected: %s%s%s", s->closing, text.n ? " " : "", buf_cstr(&text));
}

int pop3_session(const struct pop3_start *start)
{
    struct pop3_session s = {.start = start, .io = start->stream};
    struct err e = {0};
    if (open_maildrop(&s, &e) != RC_OK) {
        pop3_store_failed(&s, "INBOX", &e);
        s.status = 1;
        s.closing = "Mailbox not available";
    } else {
        stream_write(s.io, S("+OK Logged in.\r\n"));
    }
    while (!s.closing)
        read_one(&s);
    if (stream_flush(s.io) != RC_OK)
        s.closing = "Connection closed";
    log_end(&s);
    free(s.messages);
    if (s.box)
        box_close(s.box);
    return s.status;
}
