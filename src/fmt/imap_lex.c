/* imap_lex: the lexical rules of IMAP commands (RFC 9051 §9), one function a rule, over text that imap_reader
 * gathered. Leniencies, each seen in clients: more than one space between arguments, spaces at the end of a
 * command, raw UTF-8 in quoted strings, "]" in atoms where RFC 3501 allows it. */
#include "fmt/imap_lex.h"

#include "base/num.h"
#include "base/utf8.h"
#include "fmt/date.h"
#include "fmt/mutf7.h"

void imap_lex_init(struct imap_lex *lex, str text, struct arena *arena)
{
    *lex = (struct imap_lex){.text = text, .arena = arena};
}

static enum rc fail(struct imap_lex *lex, enum rc rc, size_t at, const char *what)
{
    lex->expected = what;
    lex->expected_at = at;
    return rc;
}

enum rc imap_expect(struct imap_lex *lex, const char *what)
{
    return fail(lex, RC_INVALID, lex->at, what);
}

enum rc imap_fail(struct imap_lex *lex, enum rc rc, const char *what)
{
    return fail(lex, rc, lex->at, what);
}

/* --- character classes --- */

/* ATOM-CHAR = any CHAR except "(" ")" "{" SP CTL "%" "*" DQUOTE "\" "]" */
bool imap_is_atom_char(char c)
{
    return c > ' ' && c < 0x7f && !memchr("(){%*\"\\]", c, 8);
}

bool imap_is_astring_char(char c)
{
    return imap_is_atom_char(c) || c == ']';
}

static bool is_list_char(char c)
{
    return imap_is_astring_char(c) || c == '%' || c == '*';
}

static bool is_tag_char(char c)
{
    return imap_is_astring_char(c) && c != '+';
}

static bool is_set_char(char c)
{
    return ascii_digit(c) || c == '*' || c == ':' || c == ',';
}

static str take_while(struct imap_lex *lex, bool (*is)(char))
{
    size_t from = lex->at;
    while (lex->at < lex->text.n && is(lex->text.p[lex->at]))
        lex->at++;
    return str_sub(lex->text, from, lex->at - from);
}

static enum rc take_some(struct imap_lex *lex, bool (*is)(char), const char *what, str *ret)
{
    str s = take_while(lex, is);
    if (s.n == 0)
        return imap_expect(lex, what);
    *ret = s;
    return RC_OK;
}

/* --- looking and choosing --- */

char imap_peek(const struct imap_lex *lex)
{
    return lex->at < lex->text.n ? lex->text.p[lex->at] : '\0';
}

bool imap_at_end(const struct imap_lex *lex)
{
    return lex->at == lex->text.n;
}

str imap_rest(const struct imap_lex *lex)
{
    return str_from(lex->text, lex->at);
}

bool imap_take(struct imap_lex *lex, char c)
{
    if (imap_at_end(lex) || lex->text.p[lex->at] != c)
        return false;
    lex->at++;
    return true;
}

bool imap_take_word(struct imap_lex *lex, str word)
{
    size_t from = lex->at;
    if (str_ieq(take_while(lex, imap_is_atom_char), word))
        return true;
    lex->at = from;
    return false;
}

/* --- single rules --- */

enum rc imap_char(struct imap_lex *lex, char c)
{
    static const char *const names[] = {"(", ")", "[", "]", "<", ">", ".", "\""};
    if (imap_take(lex, c))
        return RC_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i][0] == c)
            return imap_expect(lex, names[i]);
    return imap_expect(lex, "another character");
}

enum rc imap_sp(struct imap_lex *lex)
{
    if (!imap_take(lex, ' '))
        return imap_expect(lex, "a space");
    while (imap_take(lex, ' ')) {
    }
    return RC_OK;
}

enum rc imap_eol(struct imap_lex *lex)
{
    size_t at = lex->at;
    while (imap_take(lex, ' ')) {
    }
    return imap_at_end(lex) ? RC_OK : fail(lex, RC_INVALID, at, "the end of the command");
}

/* tag = 1*<any ASTRING-CHAR except "+"> */
enum rc imap_tag(struct imap_lex *lex, str *ret)
{
    return take_some(lex, is_tag_char, "a tag", ret);
}

enum rc imap_atom(struct imap_lex *lex, str *ret)
{
    return take_some(lex, imap_is_atom_char, "an atom", ret);
}

/* quoted = DQUOTE *QUOTED-CHAR DQUOTE
 * QUOTED-CHAR = <any TEXT-CHAR except quoted-specials> / "\" quoted-specials / UTF8-2 / UTF8-3 / UTF8-4 */
enum rc imap_quoted(struct imap_lex *lex, str *ret)
{
    size_t begin = lex->at;
    if (!imap_take(lex, '"'))
        return imap_expect(lex, "a quoted string");
    const str text = lex->text;
    size_t from = lex->at, at = from, escapes = 0;
    for (; at < text.n && text.p[at] != '"'; at++) {
        char c = text.p[at];
        if (c == '\0' || c == '\r' || c == '\n')
            break;
        if (c != '\\')
            continue;
        escapes++;
        lex->at = ++at;
        if (imap_peek(lex) != '"' && imap_peek(lex) != '\\')
            return imap_expect(lex, "\" or \\ after a backslash");
    }
    lex->at = at;
    if (imap_peek(lex) != '"')
        return fail(lex, RC_INVALID, begin, "a quoted string with its closing quote");
    str raw = str_sub(text, from, lex->at++ - from);
    if (lex->utf8_only && !utf8_valid(raw))
        return fail(lex, RC_INVALID, begin, "a quoted string in UTF-8");
    if (escapes == 0) {
        *ret = raw;
        return RC_OK;
    }
    char *p = arena_alloc(lex->arena, raw.n);
    if (!p)
        return fail(lex, RC_LIMIT, begin, "a shorter command");
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        if (raw.p[i] == '\\')
            i++;
        p[n++] = raw.p[i];
    }
    *ret = str_mem(p, n);
    return RC_OK;
}

/* "{" number64 ["+"] "}" CRLF. With CRLF it is the announcement and ret its number. */
static enum rc literal_head(struct imap_lex *lex, uint64_t *ret)
{
    size_t begin = lex->at;
    uint64_t n;
    if (!imap_take(lex, '{') || imap_number64(lex, &n))
        return fail(lex, RC_INVALID, begin, "a literal");
    (void)imap_take(lex, '+');
    if (!imap_take(lex, '}') || !imap_take(lex, '\r') || !imap_take(lex, '\n'))
        return fail(lex, RC_INVALID, begin, "a literal");
    *ret = n;
    return RC_OK;
}

/* literal = "{" number64 ["+"] "}" CRLF *CHAR8, where CHAR8 is any byte but NUL; in a literal8, behind the
 * "~", that, too */
static enum rc literal(struct imap_lex *lex, bool nuls, str *ret)
{
    size_t begin = lex->at;
    uint64_t n;
    enum rc rc = literal_head(lex, &n);
    if (rc)
        return rc;
    str bytes = str_sub(imap_rest(lex), 0, (size_t)n);
    if (bytes.n < n)
        return fail(lex, RC_INVALID, begin, "all bytes of the literal");
    if (!nuls && str_chr(bytes, '\0') >= 0)
        return fail(lex, RC_INVALID, begin, "a literal without NUL");
    lex->at += bytes.n;
    *ret = bytes;
    return RC_OK;
}

enum rc imap_literal_mark(struct imap_lex *lex)
{
    uint64_t n;
    (void)imap_take(lex, '~');
    enum rc rc = literal_head(lex, &n);
    if (rc)
        return rc;
    return imap_at_end(lex) ? RC_OK : imap_expect(lex, "the end of the announcement");
}

enum rc imap_string(struct imap_lex *lex, str *ret)
{
    if (imap_peek(lex) == '"')
        return imap_quoted(lex, ret);
    if (imap_peek(lex) == '{')
        return literal(lex, false, ret);
    return imap_expect(lex, "a string");
}

static enum rc atom_or_string(struct imap_lex *lex, bool (*is)(char), const char *what, str *ret)
{
    if (imap_peek(lex) == '"' || imap_peek(lex) == '{')
        return imap_string(lex, ret);
    return take_some(lex, is, what, ret);
}

enum rc imap_astring(struct imap_lex *lex, str *ret)
{
    return atom_or_string(lex, imap_is_astring_char, "an atom or string", ret);
}

enum rc imap_nstring(struct imap_lex *lex, str *ret)
{
    if (imap_take_word(lex, S("NIL"))) {
        *ret = STR_NONE;
        return RC_OK;
    }
    return imap_string(lex, ret);
}

enum rc imap_nstring8(struct imap_lex *lex, str *ret)
{
    return imap_take(lex, '~') ? literal(lex, true, ret) : imap_nstring(lex, ret);
}

/* --- mailbox names --- */

/* Characters that no name has (RFC 9755 §3): controls, and the separators of lines and paragraphs. s is
 * UTF-8.
 */
static bool has_control(str s)
{
    uint32_t c;
    for (; s.n > 0; s = str_from(s, utf8_decode(s, &c)))
        if (utf8_decode(s, &c) && (c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029))
            return true;
    return false;
}

/* Modified UTF-7 (RFC 3501 §5.1.3), else UTF-8 as RFC 9051 §5.1 would send it. */
static enum rc mailbox_decode(struct imap_lex *lex, size_t begin, str raw, str *ret)
{
    if (raw.n > IMAP_MAILBOX_MAX)
        return fail(lex, RC_LIMIT, begin, "a shorter mailbox name");
    if (str_ieq(raw, S("INBOX"))) {
        *ret = S("INBOX");
        return RC_OK;
    }
    AUTO(buf_deinit) struct buf name = BUF_INIT(2 * IMAP_MAILBOX_MAX);
    if (lex->utf8_names || !utf8_is_ascii(raw)) {
        if (!utf8_valid(raw) || has_control(raw))
            return fail(lex, RC_INVALID, begin,
                        lex->utf8_names ? "a mailbox name in UTF-8" : "a mailbox name in modified UTF-7");
        buf_puts(&name, raw);
    } else if (mutf7_decode(raw, &name)) {
        return fail(lex, RC_INVALID, begin, "a mailbox name in modified UTF-7");
    }
    str copy = arena_str(lex->arena, buf_str(&name));
    if (arena_exhausted(lex->arena))
        return fail(lex, RC_LIMIT, begin, "a shorter command");
    *ret = copy;
    return RC_OK;
}

enum rc imap_mailbox(struct imap_lex *lex, str *ret)
{
    size_t begin = lex->at;
    str raw;
    enum rc rc = atom_or_string(lex, imap_is_astring_char, "a mailbox name", &raw);
    return rc ? rc : mailbox_decode(lex, begin, raw, ret);
}

/* list-mailbox = 1*list-char / string */
enum rc imap_list_mailbox(struct imap_lex *lex, str *ret)
{
    size_t begin = lex->at;
    str raw;
    enum rc rc = atom_or_string(lex, is_list_char, "a mailbox pattern", &raw);
    return rc ? rc : mailbox_decode(lex, begin, raw, ret);
}

/* --- numbers, sets, dates --- */

static enum rc number(struct imap_lex *lex, uint64_t max, uint64_t *ret)
{
    size_t begin = lex->at;
    str digits;
    enum rc rc = take_some(lex, ascii_digit, "a number", &digits);
    if (rc)
        return rc;
    if (num_parse_u64(digits, max, ret))
        return fail(lex, RC_INVALID, begin, "a number in its range");
    return RC_OK;
}

enum rc imap_number(struct imap_lex *lex, uint32_t *ret)
{
    uint64_t n;
    enum rc rc = number(lex, UINT32_MAX, &n);
    if (rc == RC_OK)
        *ret = (uint32_t)n;
    return rc;
}

enum rc imap_nz_number(struct imap_lex *lex, uint32_t *ret)
{
    size_t begin = lex->at;
    uint32_t n;
    enum rc rc = imap_number(lex, &n);
    if (rc)
        return rc;
    if (n == 0)
        return fail(lex, RC_INVALID, begin, "a number above 0");
    *ret = n;
    return RC_OK;
}

enum rc imap_number64(struct imap_lex *lex, uint64_t *ret)
{
    return number(lex, INT64_MAX, ret);
}

enum rc imap_set_text(struct imap_lex *lex, str *ret)
{
    if (imap_peek(lex) == '$') {
        *ret = str_sub(lex->text, lex->at++, 1);
        return RC_OK;
    }
    return take_some(lex, is_set_char, "a set of message numbers", ret);
}

enum rc imap_date(struct imap_lex *lex, int64_t *ret_days)
{
    size_t begin = lex->at;
    str text;
    enum rc rc = imap_astring(lex, &text);
    if (rc || date_parse_imap_day(text, ret_days))
        return fail(lex, RC_INVALID, begin, "a date such as 1-Feb-1994");
    return RC_OK;
}

enum rc imap_date_time(struct imap_lex *lex, int64_t *ret_seconds)
{
    size_t begin = lex->at;
    str text;
    struct date when;
    enum rc rc = imap_quoted(lex, &text);
    if (rc || date_parse_imap(text, &when))
        return fail(lex, RC_INVALID, begin, "a date and time such as \"17-Jul-1996 02:44:25 -0700\"");
    *ret_seconds = when.seconds;
    return RC_OK;
}

/* --- flags and lists --- */

/* flag = "\" atom / atom */
enum rc imap_flag(struct imap_lex *lex, str *ret)
{
    size_t begin = lex->at;
    str name;
    (void)imap_take(lex, '\\');
    if (take_some(lex, imap_is_atom_char, "a flag", &name))
        return fail(lex, RC_INVALID, begin, "a flag");
    *ret = str_sub(lex->text, begin, lex->at - begin);
    return RC_OK;
}

enum rc imap_flag_list(struct imap_lex *lex, const str **ret, size_t *ret_n)
{
    str *names = NULL;
    size_t n = 0;
    enum rc rc = imap_list_begin(lex);
    while (rc == RC_OK && imap_peek(lex) != ')') {
        if (n == IMAP_FLAGS_MAX)
            return fail(lex, RC_LIMIT, lex->at, "fewer flags");
        if ((n == 0 || n >= 8) && (n & (n - 1)) == 0) /* arena_grow doubles from 8 */
            names = arena_grow(lex->arena, names, n, sizeof *names);
        if (!names)
            return fail(lex, RC_LIMIT, lex->at, "a shorter command");
        if (n > 0)
            rc = imap_sp(lex);
        if (rc == RC_OK)
            rc = imap_flag(lex, &names[n++]);
    }
    if (rc == RC_OK)
        rc = imap_list_end(lex);
    if (rc)
        return rc;
    *ret = names;
    *ret_n = n;
    return RC_OK;
}

enum rc imap_list_begin(struct imap_lex *lex)
{
    if (lex->depth == IMAP_NESTING_MAX)
        return fail(lex, RC_LIMIT, lex->at, "fewer nested parentheses");
    enum rc rc = imap_char(lex, '(');
    if (rc == RC_OK)
        lex->depth++;
    return rc;
}

enum rc imap_list_end(struct imap_lex *lex)
{
    enum rc rc = imap_char(lex, ')');
    if (rc == RC_OK && lex->depth > 0)
        lex->depth--;
    return rc;
}

enum rc imap_list_of(struct imap_lex *lex, enum rc (*one)(struct imap_lex *lex, void *ctx), void *ctx)
{
    enum rc rc = imap_list_begin(lex);
    while (rc == RC_OK) {
        rc = one(lex, ctx);
        if (rc != RC_OK || imap_peek(lex) == ')')
            break;
        rc = imap_sp(lex);
    }
    return rc == RC_OK ? imap_list_end(lex) : rc;
}
