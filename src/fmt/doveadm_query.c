#include "fmt/doveadm_query.h"

#include "base/buf.h"
#include "base/num.h"
#include "fmt/date.h"
#include "fmt/imap_match.h"
#include "fmt/imapstring.h"

enum { DEPTH_MAX = 20, TEXT_MAX = 1 << 20 };

struct parser {
    const struct doveadm_query *q;
    struct arena *a;
    struct err *e;
    size_t at;
    unsigned depth;
};

struct key { /* what was parsed */
    str text;
    bool bound; /* to mailboxes that it names */
    bool never; /* it finds nothing in this mailbox */
};

static enum rc parse_key(struct parser *p, struct key *ret);

static str word_at(const struct parser *p)
{
    return p->at < p->q->n ? str_c(p->q->words[p->at]) : STR_NONE;
}

static bool take_word(struct parser *p, str word)
{
    if (p->at == p->q->n || !str_ieq(word_at(p), word))
        return false;
    p->at++;
    return true;
}

static enum rc take_argument(struct parser *p, str key, str *ret)
{
    if (p->at == p->q->n)
        return err_set(p->e, RC_INVALID, 0, "", "Missing parameter for " STR_FMT, STR_ARG(key));
    *ret = word_at(p);
    p->at++;
    return RC_OK;
}

/* --- queries --- */

/* "(k1 k2)", or "OR k1 OR k2 k3". */
static str join(struct parser *p, const struct key *v, size_t n, bool any)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(TEXT_MAX);
    if (!any)
        buf_putc(&out, '(');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_putc(&out, ' ');
        if (any && i + 1 < n)
            buf_puts(&out, S("OR "));
        buf_puts(&out, v[i].text);
    }
    if (!any)
        buf_putc(&out, ')');
    return out.overflow ? STR_NONE : arena_str(p->a, buf_str(&out));
}

/* Up to ")" or the end. */
static enum rc parse_query(struct parser *p, struct key *ret)
{
    struct key *v = arena_array(p->a, p->q->n + 1, sizeof *v);
    size_t n = 0;
    bool any = false;
    struct key all = {.bound = true, .never = true}, one = {0}; /* of whom these are true */
    if (!v || ++p->depth > DEPTH_MAX)
        return err_set(p->e, RC_LIMIT, 0, "", "The query is too long");
    while (p->at < p->q->n && !str_eq(word_at(p), S(")"))) {
        if (take_word(p, S("AND")))
            continue;
        if (take_word(p, S("OR"))) {
            any = true;
            continue;
        }
        enum rc rc = parse_key(p, &v[n]);
        if (rc != RC_OK)
            return rc;
        all.bound &= v[n].bound;
        all.never &= v[n].never;
        one.bound |= v[n].bound;
        one.never |= v[n++].never;
    }
    p->depth--;
    *ret = n == 0 ? one : any ? all : one;
    ret->text = n ? join(p, v, n, any && n > 1) : S("ALL");
    return ret->text.p ? RC_OK : err_set(p->e, RC_LIMIT, 0, "", "The query is too long");
}

/* --- arguments --- */

static enum rc bad_argument(struct parser *p, str key, str argument)
{
    return err_set(p->e, RC_INVALID, 0, "", "Invalid parameter for " STR_FMT ": " STR_FMT, STR_ARG(key),
                   STR_ARG(argument));
}

/* "3 days", "1w": a number and the beginning of a unit's name. */
static bool parse_interval(str text, int64_t *ret_seconds)
{
    static const struct {
        const char *unit;
        int64_t seconds;
    } units[] = {{"seconds", 1},  {"secs", 1},     {"minutes", 60},  {"mins", 60},
                 {"hours", 3600}, {"days", 86400}, {"weeks", 604800}};
    size_t digits = 0;
    uint32_t number;
    while (digits < text.n && ascii_digit(text.p[digits]))
        digits++;
    str unit = str_trim(str_from(text, digits));
    if (unit.n == 0 || num_parse_u32(str_sub(text, 0, digits), INT32_MAX, &number) != RC_OK)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (str_istarts(str_c(units[i].unit), unit)) {
            *ret_seconds = number * units[i].seconds;
            return true;
        }
    }
    return false;
}

/* A day, "2026-07-01" or "1-Jul-2026"; false: it is none. */
static bool parse_day(str text, int64_t *ret_day)
{
    AUTO(buf_deinit) struct buf whole = BUF_INIT(64);
    struct date d;
    if (date_parse_imap_day(text, ret_day) == RC_OK)
        return true;
    buf_printf(&whole, STR_FMT "T00:00:00Z", STR_ARG(text));
    if (text.n != 10 || date_parse_internet(buf_str(&whole), &d) != RC_OK)
        return false;
    *ret_day = date_day(d);
    return true;
}

static enum rc put_day(struct parser *p, str key, int64_t day, struct key *ret)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(64);
    date_format_imap_day(&out, day);
    ret->text = arena_printf(p->a, STR_FMT " " STR_FMT, STR_ARG(key), STR_ARG(buf_str(&out)));
    return RC_OK;
}

/* A moment: only INTERNALDATE is known to the second (RFC 5032). */
static enum rc put_moment(struct parser *p, str key, int64_t seconds, struct key *ret)
{
    int64_t age = p->q->now - seconds;
    bool before = str_ieq(key, S("BEFORE"));
    if (!before && !str_ieq(key, S("SINCE")))
        return err_set(p->e, RC_INVALID, 0, "", STR_FMT " needs a day", STR_ARG(key));
    if (age + before <= 0 || age >= UINT32_MAX) /* not yet, or before there was mail */
        ret->text = before == (age <= 0) ? S("ALL") : S("NOT ALL");
    else
        ret->text = arena_printf(p->a, "%s %lld", before ? "OLDER" : "YOUNGER", (long long)(age + before));
    return RC_OK;
}

static enum rc parse_date(struct parser *p, str key, struct key *ret)
{
    int64_t day, interval;
    uint64_t seconds;
    str text;
    enum rc rc = take_argument(p, key, &text);
    if (rc != RC_OK)
        return rc;
    if (parse_day(text, &day))
        return put_day(p, key, day, ret);
    if (num_parse_u64(text, INT64_MAX, &seconds) == RC_OK)
        return put_moment(p, key, (int64_t)seconds, ret);
    if (parse_interval(text, &interval))
        return put_moment(p, key, p->q->now - interval, ret);
    return bad_argument(p, key, text);
}

static enum rc parse_age(struct parser *p, str key, struct key *ret)
{
    int64_t seconds;
    uint32_t number;
    str text;
    enum rc rc = take_argument(p, key, &text);
    if (rc != RC_OK)
        return rc;
    if (num_parse_u32(text, INT32_MAX, &number) == RC_OK)
        seconds = number;
    else if (!parse_interval(text, &seconds) || seconds > UINT32_MAX)
        return bad_argument(p, key, text);
    ret->text = arena_printf(p->a, STR_FMT " %lld", STR_ARG(key), (long long)(seconds ? seconds : 1));
    return RC_OK;
}

static enum rc parse_size(struct parser *p, str key, struct key *ret)
{
    uint64_t bytes;
    str text;
    enum rc rc = take_argument(p, key, &text);
    if (rc != RC_OK)
        return rc;
    if (num_parse_size(text, &bytes) != RC_OK || bytes > INT64_MAX)
        return bad_argument(p, key, text);
    ret->text = arena_printf(p->a, STR_FMT " %llu", STR_ARG(key), (unsigned long long)bytes);
    return RC_OK;
}

/* The key and `strings` strings. */
static enum rc parse_strings(struct parser *p, str key, unsigned strings, struct key *ret)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(TEXT_MAX);
    buf_puts(&out, key);
    for (unsigned i = 0; i < strings; i++) {
        str text;
        enum rc rc = take_argument(p, key, &text);
        if (rc != RC_OK)
            return rc;
        buf_putc(&out, ' ');
        imapstring_put(&out, text);
    }
    ret->text = out.overflow ? STR_NONE : arena_str(p->a, buf_str(&out));
    return RC_OK;
}

static bool is_set(str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!ascii_digit(text.p[i]) && !memchr("*:,", text.p[i], 3))
            return false;
    return text.n > 0 && (ascii_digit(text.p[0]) || text.p[0] == '*');
}

static bool is_number(str text)
{
    uint64_t number;
    return num_parse_u64(text, INT64_MAX, &number) == RC_OK;
}

static bool is_word(str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!ascii_alnum(text.p[i]) && !memchr("$-_.+", text.p[i], 5))
            return false;
    return text.n > 0;
}

/* A set, a number, an id or a keyword, which stands as it is. */
static enum rc parse_plain(struct parser *p, str key, struct key *ret)
{
    str text, imap = str_ieq(key, S("GUID")) ? S("EMAILID") : key;
    enum rc rc = take_argument(p, key, &text);
    if (rc != RC_OK)
        return rc;
    bool fits = str_ieq(key, S("UID"))      ? is_set(text)
                : str_ieq(key, S("MODSEQ")) ? is_number(text)
                                            : is_word(text);
    if (!fits)
        return bad_argument(p, key, text);
    ret->text = arena_printf(p->a, STR_FMT " " STR_FMT, STR_ARG(imap), STR_ARG(text));
    return RC_OK;
}

/* --- keys --- */

static enum rc parse_mailbox(struct parser *p, str key, struct key *ret)
{
    str text;
    enum rc rc = take_argument(p, key, &text);
    if (rc != RC_OK)
        return rc;
    bool fits = str_ieq(key, S("MAILBOX")) ? imap_match(text, p->q->mailbox, p->q->separator)
                                           : str_ieq(text, p->q->guid);
    *ret = (struct key){.text = fits ? S("ALL") : S("NOT ALL"), .bound = true, .never = !fits};
    return RC_OK;
}

enum kind { ALONE, STRING, TWO_STRINGS, PLAIN, DATE, AGE, SIZE, OF_MAILBOX };

static const struct {
    str word;
    enum kind kind;
} keys[] = {
    {S("ALL"), ALONE},
    {S("ANSWERED"), ALONE},
    {S("DELETED"), ALONE},
    {S("DRAFT"), ALONE},
    {S("FLAGGED"), ALONE},
    {S("NEW"), ALONE},
    {S("OLD"), ALONE},
    {S("RECENT"), ALONE},
    {S("SEEN"), ALONE},
    {S("UNANSWERED"), ALONE},
    {S("UNDELETED"), ALONE},
    {S("UNDRAFT"), ALONE},
    {S("UNFLAGGED"), ALONE},
    {S("UNSEEN"), ALONE},
    {S("BCC"), STRING},
    {S("BODY"), STRING},
    {S("CC"), STRING},
    {S("FROM"), STRING},
    {S("SUBJECT"), STRING},
    {S("TEXT"), STRING},
    {S("TO"), STRING},
    {S("HEADER"), TWO_STRINGS},
    {S("KEYWORD"), PLAIN},
    {S("UNKEYWORD"), PLAIN},
    {S("UID"), PLAIN},
    {S("GUID"), PLAIN},
    {S("MODSEQ"), PLAIN},
    {S("BEFORE"), DATE},
    {S("ON"), DATE},
    {S("SINCE"), DATE},
    {S("SENTBEFORE"), DATE},
    {S("SENTON"), DATE},
    {S("SENTSINCE"), DATE},
    {S("SAVEDBEFORE"), DATE},
    {S("SAVEDON"), DATE},
    {S("SAVEDSINCE"), DATE},
    {S("OLDER"), AGE},
    {S("YOUNGER"), AGE},
    {S("LARGER"), SIZE},
    {S("SMALLER"), SIZE},
    {S("MAILBOX"), OF_MAILBOX},
    {S("MAILBOX-GUID"), OF_MAILBOX},
};

static enum rc parse_of_kind(struct parser *p, str key, enum kind kind, struct key *ret)
{
    switch (kind) {
    case ALONE:
        ret->text = key;
        return RC_OK;
    case STRING:
        return parse_strings(p, key, 1, ret);
    case TWO_STRINGS:
        return parse_strings(p, key, 2, ret);
    case PLAIN:
        return parse_plain(p, key, ret);
    case DATE:
        return parse_date(p, key, ret);
    case AGE:
        return parse_age(p, key, ret);
    case SIZE:
        return parse_size(p, key, ret);
    case OF_MAILBOX:
        break;
    }
    return parse_mailbox(p, key, ret);
}

static enum rc parse_not(struct parser *p, struct key *ret)
{
    struct key inner = {0};
    if (p->at == p->q->n || ++p->depth > DEPTH_MAX)
        return err_set(p->e, RC_INVALID, 0, "", "Missing parameter for NOT");
    enum rc rc = parse_key(p, &inner);
    p->depth--;
    if (rc == RC_OK)
        ret->text = arena_printf(p->a, "NOT (" STR_FMT ")", STR_ARG(inner.text));
    return rc;
}

static enum rc parse_key(struct parser *p, struct key *ret)
{
    str word = word_at(p);
    p->at++;
    *ret = (struct key){0};
    if (str_eq(word, S("("))) {
        enum rc rc = parse_query(p, ret);
        if (rc == RC_OK && !take_word(p, S(")")))
            rc = err_set(p->e, RC_INVALID, 0, "", "Missing ')'");
        return rc;
    }
    if (str_ieq(word, S("NOT")))
        return parse_not(p, ret);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (str_ieq(word, keys[i].word))
            return parse_of_kind(p, keys[i].word, keys[i].kind, ret);
    if (!is_set(word))
        return err_set(p->e, RC_INVALID, 0, "", "Unknown argument " STR_FMT, STR_ARG(word));
    ret->text = word;
    return RC_OK;
}

enum rc doveadm_query_format(const struct doveadm_query *q, struct arena *a, struct doveadm_program *ret,
                             struct err *e)
{
    struct parser p = {.q = q, .a = a, .e = e};
    struct key k;
    if (q->n > DOVEADM_WORDS_MAX)
        return err_set(e, RC_LIMIT, 0, "", "The query is too long");
    enum rc rc = parse_query(&p, &k);
    if (rc == RC_OK && p.at < q->n)
        rc = err_set(e, RC_INVALID, 0, "", "Unexpected ')'");
    if (rc == RC_OK && arena_exhausted(a))
        rc = err_set(e, RC_LIMIT, 0, "", "The query is too long");
    if (rc != RC_OK)
        return rc;
    *ret = (struct doveadm_program){.text = k.text, .bound = k.bound, .never = k.never};
    return RC_OK;
}
