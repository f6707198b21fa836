/* append_message: see append_message.h. The text of the command up to a literal is forgotten once that
 * streams, so the lexer begins anew behind each, and what is needed later lies in the arena. */
#include "imap/append_message.h"

#include "imap/catenate.h"
#include "imap/flags.h"

struct taking {
    struct imap_session *s;
    struct imap_lex *lex;
    struct append *ap;
    struct imap_reply *re;
    uint64_t bytes;   /* of the message so far */
    bool header_over; /* what comes is its body */
    bool line_begun;  /* of the header, with other bytes than CR */
};

bool append_message_streams(str text)
{
    ptrdiff_t brace = str_rchr(text, '{');
    str before = str_sub(text, 0, brace < 0 ? 0 : (size_t)brace);
    return !str_iends(before, S("(URL ")) && !str_iends(before, S(" URL "));
}

/* append-opts = [SP flag-list] [SP date-time], and the space behind them */
static enum rc options_take(struct imap_lex *lex, struct append_message *ret)
{
    struct append_message m = {.internal_date = clock_seconds()};
    const str *names = NULL;
    size_t n = 0;
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK && imap_peek(lex) == '(' && (rc = imap_flag_list(lex, &names, &n)) == RC_OK)
        rc = imap_sp(lex);
    if (rc == RC_OK && imap_peek(lex) == '"' && (rc = imap_date_time(lex, &m.internal_date)) == RC_OK)
        rc = imap_sp(lex);
    if (rc != RC_OK)
        return rc;
    rc = imap_flags_parse(lex->arena, names, n, &m.flags, &m.keywords, &m.n_keywords);
    if (rc != RC_OK)
        return rc == RC_INVALID ? imap_expect(lex, "flags that can be set") : rc;
    m.flags &= ~(unsigned)FLAG_PASSED;
    str *keywords = arena_array(lex->arena, m.n_keywords + 1, sizeof *keywords);
    for (size_t i = 0; keywords && i < m.n_keywords; i++)
        keywords[i] = arena_str(lex->arena, m.keywords[i]);
    m.keywords = keywords;
    if (arena_exhausted(lex->arena))
        return imap_fail(lex, RC_LIMIT, "a shorter command");
    *ret = m;
    return RC_OK;
}

/* The text behind a streamed literal, up to the next one that streams or to the end of the command. */
static enum rc text_take(struct taking *t)
{
    struct imap_reader *r = &t->s->reader;
    enum imap_event ev;
    enum rc rc;
    while ((rc = imap_read_event(t->s, &ev)) == RC_OK && ev == IMAP_READ_LITERAL &&
           !append_message_streams(buf_str(&r->text))) {
        if (imap_reader_gather(r) != RC_OK)
            return err_set(&t->re->err, RC_LIMIT, 0, "", "The URL is too long.");
        if (!r->literal.nonsync && (rc = imap_reply_continue(t->s, "OK")) != RC_OK)
            return rc;
    }
    if (rc != RC_OK)
        return rc;
    imap_lex_begin(t->s, buf_str(&r->text), t->lex);
    return ev == IMAP_READ_TOO_LONG ? imap_expect(t->lex, "the end of the command") : RC_OK;
}

/* --- its bytes --- */

static bool has_8bit_in_header(struct taking *t, str bytes)
{
    for (size_t i = 0; i < bytes.n && !t->header_over; i++) {
        if (bytes.p[i] & 0x80)
            return true;
        t->header_over = bytes.p[i] == '\n' && !t->line_begun;
        t->line_begun = bytes.p[i] != '\n' && (t->line_begun || bytes.p[i] != '\r');
    }
    return false;
}

static enum rc bytes_put(void *ctx, str bytes)
{
    struct taking *t = ctx;
    if (imap_headers_are_ascii(t->s) && has_8bit_in_header(t, bytes))
        return err_set(&t->re->err, RC_PERM, 0, "", "A header with 8-bit bytes needs ENABLE UTF8=ACCEPT.");
    return append_write(t->ap, bytes, &t->re->err);
}

/* --- a literal --- */

static enum rc refuse_empty(struct taking *t) /* RFC 3502 §6.3.11 */
{
    return err_set(&t->re->err, RC_PERM, 0, "", "A message cannot be empty.");
}

static enum rc check_size(struct taking *t)
{
    const struct imap_literal *l = &t->s->reader.literal;
    uint64_t max = t->s->start->append_max;
    if (t->bytes <= max && l->size <= max - t->bytes)
        return RC_OK;
    if (l->nonsync && l->size > UINT32_MAX)
        imap_reply_bye(t->s, "The message is too large to skip.");
    return err_set(&t->re->err, RC_LIMIT, 0, "5.3.4", "The message is larger than the limit of %llu bytes.",
                   (unsigned long long)max);
}

/* NUL is allowed in literal8 alone, and not kept there either: BODY[] could not tell it (RFC 3516 §4.3). */
static enum rc refuse_nul(struct taking *t)
{
    if (!t->s->reader.literal.binary)
        return err_set(&t->re->err, RC_INVALID, 0, "", "A message cannot hold NUL bytes.");
    t->re->code = S("UNKNOWN-CTE");
    return err_set(&t->re->err, RC_PERM, 0, "", "A message with NUL bytes is not taken; encode it.");
}

static enum rc bytes_take(struct taking *t)
{
    enum imap_event ev;
    enum rc rc;
    while ((rc = imap_read_event(t->s, &ev)) == RC_OK && ev == IMAP_READ_CHUNK) {
        if (str_chr(t->s->reader.chunk, '\0') >= 0)
            return refuse_nul(t);
        if ((rc = bytes_put(t, t->s->reader.chunk)) != RC_OK)
            return rc;
    }
    return rc; /* the streamed literal is complete */
}

/* literal / literal8, whose announcement ends the text; `whole`: it is the message */
static enum rc literal_take(struct taking *t, bool whole)
{
    struct imap_reader *r = &t->s->reader;
    enum rc rc = imap_literal_mark(t->lex);
    if (rc == RC_OK)
        rc = whole && r->literal.size == 0 ? refuse_empty(t) : check_size(t);
    if (rc == RC_OK) /* at least half of what is announced stays: a line may be its end alone */
        rc = append_room(t->ap, (r->literal.size + 1) / 2, &t->re->err);
    if (rc != RC_OK)
        return rc;
    bool nonsync = r->literal.nonsync;
    t->bytes += r->literal.size;
    imap_reader_stream(r);
    if (!nonsync)
        rc = imap_reply_continue(t->s, "OK");
    if (rc == RC_OK)
        rc = bytes_take(t);
    return rc == RC_OK ? text_take(t) : rc;
}

/* "(" literal8 ")" behind "UTF8" SP (RFC 6855 §4), which says nothing that the header does not */
static enum rc utf8_literal_take(struct taking *t, bool whole)
{
    enum rc rc = imap_sp(t->lex);
    if (rc == RC_OK)
        rc = imap_list_begin(t->lex);
    if (rc == RC_OK && imap_peek(t->lex) != '~')
        rc = imap_expect(t->lex, "a literal8");
    if (rc == RC_OK)
        rc = literal_take(t, whole);
    return rc == RC_OK ? imap_list_end(t->lex) : rc;
}

/* --- CATENATE --- */

/* cat-part = "TEXT" SP literal / "URL" SP astring / "UTF8" SP "(" literal8 ")" */
static enum rc part_take(struct taking *t, struct catenate *c)
{
    str url;
    enum rc rc;
    if (imap_take_word(t->lex, S("TEXT")))
        return (rc = imap_sp(t->lex)) == RC_OK ? literal_take(t, false) : rc;
    if (imap_take_word(t->lex, S("UTF8")))
        return utf8_literal_take(t, false);
    if (!imap_take_word(t->lex, S("URL")))
        return imap_expect(t->lex, "TEXT or URL");
    if ((rc = imap_sp(t->lex)) != RC_OK || (rc = imap_astring(t->lex, &url)) != RC_OK)
        return rc;
    rc = catenate_url(c, url, &t->bytes, t->re);
    return rc == RC_OK ? append_room(t->ap, 0, &t->re->err) : rc;
}

/* "(" cat-part *(SP cat-part) ")" */
static enum rc parts_take(struct taking *t)
{
    struct catenate *c = catenate_new(t->s, bytes_put, t);
    enum rc rc = imap_list_begin(t->lex);
    while (rc == RC_OK) {
        rc = part_take(t, c);
        if (rc != RC_OK || imap_peek(t->lex) == ')')
            break;
        rc = imap_sp(t->lex);
    }
    catenate_free(c);
    return rc == RC_OK ? imap_list_end(t->lex) : rc;
}

/* --- the message --- */

/* append-data = literal / literal8 / "CATENATE" SP "(" cat-part *(SP cat-part) ")" / "UTF8" SP "(" literal8
 * ")" */
static enum rc data_take(struct taking *t)
{
    enum rc rc;
    if (imap_take_word(t->lex, S("CATENATE")))
        return (rc = imap_sp(t->lex)) == RC_OK ? parts_take(t) : rc;
    if (imap_take_word(t->lex, S("UTF8")))
        return utf8_literal_take(t, true);
    return literal_take(t, true);
}

enum rc append_message_take(struct imap_session *s, struct imap_lex *lex, struct append *ap,
                            struct imap_reply *re)
{
    struct taking t = {.s = s, .lex = lex, .ap = ap, .re = re};
    struct append_message m;
    enum rc rc = options_take(lex, &m);
    if (rc == RC_OK)
        rc = data_take(&t);
    if (rc == RC_OK && t.bytes == 0)
        rc = refuse_empty(&t);
    return rc == RC_OK ? append_finish(ap, &m, &re->err) : rc;
}
