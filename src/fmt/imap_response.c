/* imap_response: the responses that malle's own clients need (RFC 9051 §9 "response"). Servers are forgiven
 * what does no harm: items that nobody asked for, flags that are no atoms, a resp-text that is missing. */
#include "fmt/imap_response.h"

#include "base/num.h"

/* --- the head --- */

/* resp-text = ["[" resp-text-code "]" SP] [text] */
static void take_text(struct imap_lex *lex, struct imap_response *r)
{
    (void)imap_take(lex, ' ');
    str rest = imap_rest(lex);
    ptrdiff_t end = rest.n && rest.p[0] == '[' ? str_chr(rest, ']') : -1;
    if (end > 0) {
        r->code = str_sub(rest, 1, (size_t)end - 1);
        rest = str_from(rest, (size_t)end + 1);
    }
    r->text = str_trim(rest);
    lex->at = lex->text.n;
}

static enum imap_condition condition_of(str word)
{
    static const struct {
        str word;
        enum imap_condition condition;
    } rows[] = {{S("OK"), IMAP_SAYS_OK},
                {S("NO"), IMAP_SAYS_NO},
                {S("BAD"), IMAP_SAYS_BAD},
                {S("BYE"), IMAP_SAYS_BYE},
                {S("PREAUTH"), IMAP_SAYS_PREAUTH}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_ieq(word, rows[i].word))
            return rows[i].condition;
    return IMAP_SAYS_DATA;
}

/* [number SP] word */
static enum rc take_word(struct imap_lex *lex, struct imap_response *r)
{
    enum rc rc = RC_OK;
    if (ascii_digit(imap_peek(lex)) && ((rc = imap_number(lex, &r->number)) || (rc = imap_sp(lex))))
        return rc;
    if ((rc = imap_atom(lex, &r->word)))
        return rc;
    r->condition = condition_of(r->word);
    return RC_OK;
}

/* response = "+" [SP resp-text] / ("*" / tag) SP (resp-cond-state / data) */
enum rc imap_response_parse(struct imap_lex *lex, struct imap_response *ret)
{
    struct imap_response r = {0};
    enum rc rc = RC_OK;
    if (imap_take(lex, '+')) {
        r.condition = IMAP_SAYS_CONTINUE;
    } else {
        if (!imap_take(lex, '*'))
            rc = imap_tag(lex, &r.tag);
        if (rc == RC_OK)
            rc = imap_sp(lex);
        if (rc == RC_OK)
            rc = take_word(lex, &r);
    }
    if (rc == RC_OK && r.tag.n && (r.condition == IMAP_SAYS_DATA || r.number))
        rc = imap_expect(lex, "OK, NO or BAD");
    if (rc)
        return rc;
    if (r.condition != IMAP_SAYS_DATA)
        take_text(lex, &r);
    *ret = r;
    return RC_OK;
}

bool imap_capability_has(str words, str name)
{
    for (str word; (word = str_word(&words)).n;)
        if (str_ieq(word, name))
            return true;
    return false;
}

/* --- what is skipped --- */

static bool ends_value(char c)
{
    return c == '\0' || c == ' ' || c == '(' || c == ')' || c == '"' || c == '\r' || c == '\n';
}

static enum rc skip_value(struct imap_lex *lex);

static enum rc skip_list(struct imap_lex *lex)
{
    enum rc rc = imap_list_begin(lex);
    while (rc == RC_OK && imap_peek(lex) != ')') {
        rc = skip_value(lex);
        while (rc == RC_OK && imap_take(lex, ' ')) {
        }
    }
    return rc ? rc : imap_list_end(lex);
}

/* A list, a string, or whatever stands up to the next space. */
static enum rc skip_value(struct imap_lex *lex)
{
    str ignored;
    if (imap_peek(lex) == '(')
        return skip_list(lex);
    if (imap_peek(lex) == '"' || imap_peek(lex) == '{')
        return imap_string(lex, &ignored);
    size_t from = lex->at;
    while (!ends_value(imap_peek(lex)))
        lex->at++;
    return lex->at > from ? RC_OK : imap_expect(lex, "a value");
}

/* --- LIST --- */

static void note_attribute(struct imap_listed *l, str name)
{
    static const str no_use[] = {S("\\Marked"),        S("\\Unmarked"),    S("\\HasChildren"),
                                 S("\\HasNoChildren"), S("\\NoInferiors"), S("\\Subscribed"),
                                 S("\\Remote"),        S("\\Noselect"),    S("\\NonExistent")};
    l->subscribed |= str_ieq(name, S("\\Subscribed"));
    l->selectable &= !str_ieq(name, S("\\Noselect")) && !str_ieq(name, S("\\NonExistent"));
    for (size_t i = 0; i < sizeof no_use / sizeof *no_use; i++)
        if (str_ieq(name, no_use[i]))
            return;
    l->use = name;
}

/* mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox
 *                [SP mbox-list-extended] */
enum rc imap_response_list(struct imap_lex *lex, struct imap_listed *ret)
{
    struct imap_listed l = {.selectable = true};
    const str *flags;
    size_t n;
    str separator;
    enum rc rc;
    if ((rc = imap_sp(lex)) || (rc = imap_flag_list(lex, &flags, &n)) || (rc = imap_sp(lex)) ||
        (rc = imap_nstring(lex, &separator)) || (rc = imap_sp(lex)) || (rc = imap_mailbox(lex, &l.name)))
        return rc;
    for (size_t i = 0; i < n; i++)
        note_attribute(&l, flags[i]);
    l.separator = separator.n ? separator.p[0] : '\0';
    *ret = l;
    return RC_OK;
}

/* namespace-response = "NAMESPACE" SP namespace SP namespace SP namespace
 * namespace = nil / "(" 1*("(" string SP (DQUOTE QUOTED-CHAR DQUOTE / nil) ... ")") ")" */
enum rc imap_response_namespace(struct imap_lex *lex, str *ret_prefix)
{
    str prefix;
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK && imap_take_word(lex, S("NIL"))) {
        *ret_prefix = S("");
        return RC_OK;
    }
    if (rc || (rc = imap_list_begin(lex)) || (rc = imap_list_begin(lex)) || (rc = imap_string(lex, &prefix)))
        return rc;
    *ret_prefix = prefix;
    return RC_OK;
}

/* --- STATUS --- */

static const str counted[IMAP_COUNTED] = {S("MESSAGES"),    S("RECENT"),        S("UNSEEN"), S("UIDNEXT"),
                                          S("UIDVALIDITY"), S("HIGHESTMODSEQ"), S("SIZE")};

str imap_counted_name(enum imap_counted which)
{
    return counted[which];
}

/* "(" objectid ")" */
static enum rc take_id(struct imap_lex *lex, str *ret)
{
    enum rc rc = imap_list_begin(lex);
    if (rc || (rc = imap_atom(lex, ret)))
        return rc;
    return imap_list_end(lex);
}

static enum rc take_count(struct imap_lex *lex, struct imap_counts *c)
{
    if (imap_take_word(lex, S("MAILBOXID"))) {
        enum rc rc = imap_sp(lex);
        return rc ? rc : take_id(lex, &c->id);
    }
    for (size_t i = 0; i < IMAP_COUNTED; i++) {
        if (!imap_take_word(lex, counted[i]))
            continue;
        enum rc rc = imap_sp(lex);
        return rc ? rc : imap_number64(lex, &c->v[i]);
    }
    enum rc rc = skip_value(lex);
    if (rc == RC_OK)
        rc = imap_sp(lex);
    return rc ? rc : skip_value(lex);
}

/* mailbox SP "(" [status-att-list] ")" */
enum rc imap_response_status(struct imap_lex *lex, struct imap_counts *ret)
{
    struct imap_counts c = {0};
    enum rc rc;
    if ((rc = imap_sp(lex)) || (rc = imap_mailbox(lex, &c.mailbox)) || (rc = imap_sp(lex)) ||
        (rc = imap_list_begin(lex)))
        return rc;
    while (rc == RC_OK && imap_peek(lex) != ')') {
        rc = take_count(lex, &c);
        while (rc == RC_OK && imap_take(lex, ' ')) {
        }
    }
    if (rc || (rc = imap_list_end(lex)))
        return rc;
    *ret = c;
    return RC_OK;
}

/* --- ESEARCH --- */

/* esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data) */
enum rc imap_response_esearch(struct imap_lex *lex, struct imap_found *ret)
{
    struct imap_found f = {0};
    enum rc rc = RC_OK;
    while (rc == RC_OK && imap_take(lex, ' ')) {
        if (imap_peek(lex) == '(') {
            rc = skip_list(lex);
        } else if (imap_take_word(lex, S("COUNT"))) {
            rc = imap_sp(lex);
            rc = rc ? rc : imap_number(lex, &f.count);
        } else if (imap_take_word(lex, S("ALL"))) {
            rc = imap_sp(lex);
            rc = rc ? rc : imap_set_text(lex, &f.all);
        } else {
            rc = skip_value(lex);
        }
    }
    if (rc)
        return rc;
    *ret = f;
    return RC_OK;
}

/* --- FETCH --- */

/* Flags of other servers may hold what no atom may. */
static enum rc take_flags(struct imap_lex *lex, struct imap_fetched *f)
{
    str *v = NULL;
    size_t n = 0;
    enum rc rc = imap_list_begin(lex);
    while (rc == RC_OK && imap_peek(lex) != ')') {
        size_t from = lex->at;
        if (n == IMAP_FLAGS_MAX)
            return imap_fail(lex, RC_LIMIT, "fewer flags");
        if ((n == 0 || n >= 8) && (n & (n - 1)) == 0) /* arena_grow doubles from 8 */
            v = arena_grow(lex->arena, v, n, sizeof *v);
        if (!v)
            return imap_fail(lex, RC_LIMIT, "a shorter response");
        if ((rc = skip_value(lex)) == RC_OK)
            v[n++] = str_sub(lex->text, from, lex->at - from);
        (void)imap_take(lex, ' ');
    }
    if (rc || (rc = imap_list_end(lex)))
        return rc;
    f->flags = v;
    f->n_flags = n;
    f->has_flags = true;
    return RC_OK;
}

/* "BODY[HEADER.FIELDS (DATE)]<0>": the section may hold spaces; none ends in the middle of a string. */
static enum rc skip_section(struct imap_lex *lex)
{
    while (!imap_take(lex, ']')) {
        str ignored;
        char c = imap_peek(lex);
        enum rc rc = RC_OK;
        if (c == '"' || c == '{')
            rc = imap_string(lex, &ignored);
        else if (c == '\0' || c == '\r' || c == '\n')
            rc = imap_expect(lex, "the end of a section");
        else
            lex->at++;
        if (rc)
            return rc;
    }
    while (!ends_value(imap_peek(lex)))
        lex->at++;
    return RC_OK;
}

/* "(" number ")" */
static enum rc take_modseq(struct imap_lex *lex, uint64_t *ret)
{
    enum rc rc = imap_list_begin(lex);
    if (rc || (rc = imap_number64(lex, ret)))
        return rc;
    return imap_list_end(lex);
}

static enum rc take_saved(struct imap_lex *lex, struct imap_fetched *f)
{
    if (imap_take_word(lex, S("NIL")))
        return RC_OK;
    f->has_saved = true;
    return imap_date_time(lex, &f->saved);
}

/* A value that is kept as it was sent. */
static enum rc take_whole(struct imap_lex *lex, str *ret)
{
    size_t from = lex->at;
    enum rc rc = skip_value(lex);
    *ret = str_sub(lex->text, from, lex->at - from);
    return rc;
}

/* The value of an item without a section. */
static enum rc take_value(struct imap_lex *lex, str name, struct imap_fetched *f)
{
    if (str_ieq(name, S("UID")))
        return imap_nz_number(lex, &f->uid);
    if (str_ieq(name, S("RFC822.SIZE")))
        return imap_number64(lex, &f->size);
    if (str_ieq(name, S("FLAGS")))
        return take_flags(lex, f);
    if (str_ieq(name, S("MODSEQ")))
        return take_modseq(lex, &f->modseq);
    if (str_ieq(name, S("SAVEDATE")))
        return take_saved(lex, f);
    if (str_ieq(name, S("EMAILID")))
        return take_id(lex, &f->email_id);
    if (str_ieq(name, S("ENVELOPE")))
        return take_whole(lex, &f->envelope);
    if (str_ieq(name, S("BODYSTRUCTURE")))
        return take_whole(lex, &f->bodystructure);
    if (str_ieq(name, S("BODY")))
        return take_whole(lex, &f->short_structure);
    if (!str_ieq(name, S("INTERNALDATE")))
        return skip_value(lex);
    f->has_date = true;
    return imap_date_time(lex, &f->date);
}

static enum rc take_item(struct imap_lex *lex, struct imap_fetched *f)
{
    size_t from = lex->at;
    enum rc rc;
    while (!ends_value(imap_peek(lex)) && imap_peek(lex) != '[')
        lex->at++;
    str name = str_sub(lex->text, from, lex->at - from);
    bool is_section = imap_take(lex, '[');
    if ((is_section && (rc = skip_section(lex))) || (rc = imap_sp(lex)))
        return rc;
    return is_section ? imap_nstring(lex, &f->body) : take_value(lex, name, f);
}

/* msg-att = "(" (msg-att-dynamic / msg-att-static) *(SP ...) ")" */
enum rc imap_response_fetch(struct imap_lex *lex, struct imap_fetched *ret)
{
    struct imap_fetched f = {0};
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_list_begin(lex);
    while (rc == RC_OK && imap_peek(lex) != ')') {
        rc = take_item(lex, &f);
        while (rc == RC_OK && imap_take(lex, ' ')) {
        }
    }
    if (rc || (rc = imap_list_end(lex)))
        return rc;
    *ret = f;
    return RC_OK;
}
