/* doveadm fetch: fields of the messages that are found. */
#include "cli/doveadm_message.h"

#include "fmt/crlf.h"
#include "fmt/date.h"
#include "fmt/header.h"
#include "fmt/rfc2047.h"

#include <limits.h>

enum { CELLS_BYTES_MAX = INT_MAX, FIELDS_MAX = 30, TEXT_MAX = 64 << 10 };

enum field {
    USER,
    MAILBOX,
    MAILBOX_GUID,
    SEQ,
    UID,
    GUID,
    FLAGS,
    MODSEQ,
    HDR,
    BODY,
    TEXT,
    SIZE_VIRTUAL,
    DATE_RECEIVED,
    DATE_RECEIVED_UNIX,
    DATE_SENT,
    DATE_SENT_UNIX,
    DATE_SAVED,
    DATE_SAVED_UNIX,
    IMAP_ENVELOPE,
    IMAP_BODY,
    IMAP_BODYSTRUCTURE,
    HDR_FIELD /* "hdr.NAME", "hdr.NAME.utf8" */
};

/* item: what FETCH is asked for. */
static const struct {
    const char *name, *item;
    bool lines;
} fields[] = {
    [USER] = {"user", "", false},
    [MAILBOX] = {"mailbox", "", false},
    [MAILBOX_GUID] = {"mailbox-guid", "", false},
    [SEQ] = {"seq", "", false},
    [UID] = {"uid", "", false},
    [GUID] = {"guid", " EMAILID", false},
    [FLAGS] = {"flags", " FLAGS", false},
    [MODSEQ] = {"modseq", " MODSEQ", false},
    [HDR] = {"hdr", " BODY.PEEK[]", true},
    [BODY] = {"body", " BODY.PEEK[]", true},
    [TEXT] = {"text", " BODY.PEEK[]", true},
    [SIZE_VIRTUAL] = {"size.virtual", " RFC822.SIZE", false},
    [DATE_RECEIVED] = {"date.received", " INTERNALDATE", false},
    [DATE_RECEIVED_UNIX] = {"date.received.unixtime", " INTERNALDATE", false},
    [DATE_SENT] = {"date.sent", " BODY.PEEK[]", false},
    [DATE_SENT_UNIX] = {"date.sent.unixtime", " BODY.PEEK[]", false},
    [DATE_SAVED] = {"date.saved", " SAVEDATE", false},
    [DATE_SAVED_UNIX] = {"date.saved.unixtime", " SAVEDATE", false},
    [IMAP_ENVELOPE] = {"imap.envelope", " ENVELOPE", false},
    [IMAP_BODY] = {"imap.body", " BODY", false},
    [IMAP_BODYSTRUCTURE] = {"imap.bodystructure", " BODYSTRUCTURE", false},
    [HDR_FIELD] = {NULL, " BODY.PEEK[]", false},
};

struct chosen {
    enum field field[FIELDS_MAX];
    char *word[FIELDS_MAX]; /* as it was typed */
    struct doveadm_column column[FIELDS_MAX];
    size_t n;
};

struct taking {
    struct doveadm_work *w;
    const struct message_set *found;
    struct buf message; /* with LF line ends */
};

/* --- which --- */

static int choose(struct chosen *c, str word)
{
    unsigned i = 0;
    if (c->n == FIELDS_MAX)
        return cli_fail_status(EX_USAGE, "Too many fields");
    while (i < HDR_FIELD && !str_eq(word, str_c(fields[i].name)))
        i++;
    if (i == HDR_FIELD && (!str_starts(word, S("hdr.")) || word.n == 4))
        return cli_fail_status(EX_USAGE, "Unknown fetch field: " STR_FMT, STR_ARG(word));
    char *own = str_dup(word);
    c->field[c->n] = (enum field)i;
    c->word[c->n] = own;
    c->column[c->n++] = (struct doveadm_column){.key = own, .title = own, .lines = fields[i].lines};
    return EX_OK;
}

static void chosen_deinit(struct chosen *c)
{
    for (size_t i = 0; i < c->n; i++)
        str_freep(&c->word[i]);
}

/* --- values --- */

static str when(struct arena *a, int64_t seconds)
{
    char text[32];
    time_t t = (time_t)seconds;
    struct tm tm;
    if (!localtime_r(&t, &tm))
        return S("");
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    return arena_str(a, str_c(text));
}

static str number(struct arena *a, uint64_t n)
{
    return arena_printf(a, "%llu", (unsigned long long)n);
}

static str flags_of(struct arena *a, const struct imap_fetched *f)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(TEXT_MAX);
    for (size_t i = 0; i < f->n_flags; i++)
        buf_printf(&out, "%s" STR_FMT, i ? " " : "", STR_ARG(f->flags[i]));
    return arena_str(a, buf_str(&out));
}

/* Here as well as there: "2026-07-17 09:44:25 (+0200)" is in the machine's zone, and tells the one in which
 * it was written. */
static str sent(struct arena *a, str message, bool unix_time)
{
    struct header_field f;
    struct date d = {0};
    if (header_find(message, S("Date"), 0, &f) && date_parse_mail(f.value, &d) != RC_OK)
        d = (struct date){0};
    if (unix_time)
        return number(a, (uint64_t)d.seconds);
    int zone = d.zone_minutes < 0 ? -d.zone_minutes : d.zone_minutes;
    return arena_printf(a, STR_FMT " (%c%02d%02d)", STR_ARG(when(a, d.seconds)),
                        d.zone_minutes < 0 ? '-' : '+', zone / 60, zone % 60);
}

/* "NAME" or "NAME.utf8": all fields of that name, a line each. */
static str header_value(struct arena *a, str message, str name)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(TEXT_MAX);
    struct header_field f;
    bool decoded = str_iends(name, S(".utf8"));
    if (decoded)
        name = str_sub(name, 0, name.n - 5);
    for (size_t i = 0; header_find(message, name, i, &f); i++) {
        if (i)
            buf_putc(&text, '\n');
        if (decoded)
            rfc2047_decode(&text, str_trim(f.value));
        else
            buf_puts(&text, header_unfold(a, f.value));
    }
    return arena_str(a, buf_str(&text));
}

static str without_parentheses(struct arena *a, str s)
{
    return arena_str(a, s.n > 1 && s.p[0] == '(' ? str_sub(s, 1, s.n - 2) : s);
}

static str value_of(const struct taking *t, const struct chosen *c, size_t i, uint32_t seq,
                    const struct imap_fetched *f)
{
    struct arena *a = t->w->a;
    str message = buf_str(&t->message);
    size_t head = header_size(message);
    switch (c->field[i]) {
    case USER:
        return str_c(t->w->user);
    case MAILBOX:
        return arena_str(a, t->found->box->name);
    case MAILBOX_GUID:
        return arena_str(a, t->found->box->id);
    case SEQ:
        return number(a, seq);
    case UID:
        return number(a, f->uid);
    case GUID:
        return arena_str(a, f->email_id);
    case FLAGS:
        return flags_of(a, f);
    case MODSEQ:
        return number(a, f->modseq);
    case HDR:
        return arena_str(a, str_sub(message, 0, head));
    case BODY:
        return arena_str(a, str_from(message, head));
    case TEXT:
        return arena_str(a, message);
    case SIZE_VIRTUAL:
        return number(a, f->size);
    case DATE_RECEIVED:
        return when(a, f->date);
    case DATE_RECEIVED_UNIX:
        return number(a, (uint64_t)f->date);
    case DATE_SENT:
    case DATE_SENT_UNIX:
        return sent(a, message, c->field[i] == DATE_SENT_UNIX);
    case DATE_SAVED:
        return f->has_saved ? when(a, f->saved) : S("");
    case DATE_SAVED_UNIX:
        return number(a, f->has_saved ? (uint64_t)f->saved : 0);
    case IMAP_ENVELOPE:
        return without_parentheses(a, f->envelope);
    case IMAP_BODY:
        return without_parentheses(a, f->short_structure);
    case IMAP_BODYSTRUCTURE:
        return without_parentheses(a, f->bodystructure);
    case HDR_FIELD:
        break;
    }
    return header_value(a, message, str_from(str_c(c->word[i]), 4));
}

/* --- fetching --- */

static enum rc take_message(void *ctx, const struct imap_response *r, struct imap_lex *lex)
{
    struct taking *t = ctx;
    const struct chosen *c = t->w->ctx;
    struct imap_fetched f;
    struct crlf_state ends = {0};
    if (!str_ieq(r->word, S("FETCH")))
        return RC_OK;
    enum rc rc = imap_response_fetch(lex, &f);
    if (rc != RC_OK || !f.uid)
        return rc;
    buf_reset(&t->message);
    crlf_decode(&ends, &t->message, f.body);
    crlf_decode_finish(&ends, &t->message);
    str *cells = doveadm_add_row(&t->w->rows);
    for (size_t i = 0; i < c->n; i++)
        cells[i] = value_of(t, c, i, r->number, &f);
    return arena_exhausted(t->w->a) ? RC_LIMIT : RC_OK;
}

/* Whether no field before it wants the same of FETCH. */
static bool is_first(const struct chosen *c, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(fields[c->field[k]].item, fields[c->field[i]].item) == 0)
            return false;
    return true;
}

static int fetch(struct mail_session *s, const struct message_set *found, void *work)
{
    struct doveadm_work *w = work;
    const struct chosen *c = w->ctx;
    struct taking t = {.w = w, .found = found, .message = BUF_INIT(INT_MAX)};
    struct err e = {0};
    struct buf *out = imap_client_command(s->client);
    buf_puts(out, S("UID FETCH $ (UID"));
    for (size_t i = 0; i < c->n; i++)
        if (is_first(c, i))
            buf_puts(out, str_c(fields[c->field[i]].item));
    buf_putc(out, ')');
    enum rc rc = imap_client_run(s->client, take_message, &t, &e);
    buf_deinit(&t.message);
    return rc == RC_OK ? EX_OK : doveadm_error(EX_TEMPFAIL, w->user, "Fetching failed: %s", err_text(&e));
}

int doveadm_fetch(int argc, char **argv, struct cli *cli)
{
    AUTO(arena_freep) struct arena *a = arena_new(CELLS_BYTES_MAX);
    struct chosen c = {.n = 0};
    struct doveadm_work w = {.cli = cli, .a = a, .rows = {.a = a}, .ctx = &c};
    int status = doveadm_read_words(argc, argv, true, &w);
    str rest = str_c(w.argument);
    for (str word; status == EX_OK && (word = str_word(&rest)).n;)
        status = choose(&c, word);
    if (status == EX_OK && c.n == 0)
        status = cli_fail_status(EX_USAGE, "Empty list of fetch fields");
    w.rows.columns = c.n;
    if (status == EX_OK)
        status = doveadm_each_found(&w, true, false, fetch);
    if (status == EX_OK)
        doveadm_print(DOVEADM_PAGER, c.column, c.n, w.rows.cells, w.rows.n);
    chosen_deinit(&c);
    return status;
}
