/* imap_search: reads search keys after RFC 9051 §9; see imap_search.h. One table says what each key is;
 * recursion is bounded by IMAP_NESTING_MAX, which counts parentheses as well as NOT, OR and FUZZY. */
#include "fmt/imap_search.h"

#include "base/utf8.h"
#include "fmt/charset.h"

struct search_parser {
    struct imap_lex *lex;
    str charset; /* STR_NONE: UTF-8 */
    size_t nodes;
    bool fuzzy; /* within FUZZY */
};

enum argument {
    ARG_NONE,
    ARG_KEY,
    ARG_FUZZY_KEY,
    ARG_TWO_KEYS,
    ARG_TEXT,
    ARG_FIELD_TEXT,
    ARG_KEYWORD,
    ARG_DATE,
    ARG_SIZE,
    ARG_SET,
    ARG_SECONDS,
    ARG_MODSEQ,
    ARG_UID_BELOW, /* a UID: those that are lower */
    ARG_UID_ABOVE
};

struct key_row {
    str name;
    enum search_key key;
    enum argument argument;
    enum search_flag flag;
    bool negated;
    const char *field; /* HEADER of the shorthands */
};

static const struct key_row key_rows[] = {
    {S("ALL"), SEARCH_AND, ARG_NONE},
    {S("ANSWERED"), SEARCH_FLAG, ARG_NONE, .flag = SEARCH_FLAG_ANSWERED},
    {S("BCC"), SEARCH_HEADER, ARG_TEXT, .field = "Bcc"},
    {S("BEFORE"), SEARCH_BEFORE, ARG_DATE},
    {S("BODY"), SEARCH_BODY, ARG_TEXT},
    {S("CC"), SEARCH_HEADER, ARG_TEXT, .field = "Cc"},
    {S("DELETED"), SEARCH_FLAG, ARG_NONE, .flag = SEARCH_FLAG_DELETED},
    {S("DRAFT"), SEARCH_FLAG, ARG_NONE, .flag = SEARCH_FLAG_DRAFT},
    {S("EMAILID"), SEARCH_EMAILID, ARG_KEYWORD},
    {S("FLAGGED"), SEARCH_FLAG, ARG_NONE, .flag = SEARCH_FLAG_FLAGGED},
    {S("FROM"), SEARCH_HEADER, ARG_TEXT, .field = "From"},
    {S("FUZZY"), SEARCH_AND, ARG_FUZZY_KEY},
    {S("HEADER"), SEARCH_HEADER, ARG_FIELD_TEXT},
    {S("KEYWORD"), SEARCH_KEYWORD, ARG_KEYWORD},
    {S("LARGER"), SEARCH_LARGER, ARG_SIZE},
    {S("MODSEQ"), SEARCH_MODSEQ, ARG_MODSEQ},
    {S("NEW"), SEARCH_AND, ARG_NONE}, /* its two children are added by hand */
    {S("NOT"), SEARCH_AND, ARG_KEY, .negated = true},
    {S("OLD"), SEARCH_RECENT, ARG_NONE, .negated = true},
    {S("OLDER"), SEARCH_OLDER, ARG_SECONDS},
    {S("ON"), SEARCH_ON, ARG_DATE},
    {S("OR"), SEARCH_OR, ARG_TWO_KEYS},
    {S("RECENT"), SEARCH_RECENT, ARG_NONE},
    {S("SAVEDATESUPPORTED"), SEARCH_AND, ARG_NONE}, /* RFC 8514 §4.3: every mailbox keeps save dates */
    {S("SAVEDBEFORE"), SEARCH_SAVEDBEFORE, ARG_DATE},
    {S("SAVEDON"), SEARCH_SAVEDON, ARG_DATE},
    {S("SAVEDSINCE"), SEARCH_SAVEDSINCE, ARG_DATE},
    {S("SEEN"), SEARCH_FLAG, ARG_NONE, .flag = SEARCH_FLAG_SEEN},
    {S("SENTBEFORE"), SEARCH_SENTBEFORE, ARG_DATE},
    {S("SENTON"), SEARCH_SENTON, ARG_DATE},
    {S("SENTSINCE"), SEARCH_SENTSINCE, ARG_DATE},
    {S("SINCE"), SEARCH_SINCE, ARG_DATE},
    {S("SMALLER"), SEARCH_SMALLER, ARG_SIZE},
    {S("SUBJECT"), SEARCH_HEADER, ARG_TEXT, .field = "Subject"},
    {S("TEXT"), SEARCH_TEXT, ARG_TEXT},
    {S("THREADID"), SEARCH_THREADID, ARG_KEYWORD},
    {S("TO"), SEARCH_HEADER, ARG_TEXT, .field = "To"},
    {S("UID"), SEARCH_UID_SET, ARG_SET},
    {S("UIDAFTER"), SEARCH_UID_SET, ARG_UID_ABOVE},
    {S("UIDBEFORE"), SEARCH_UID_SET, ARG_UID_BELOW},
    {S("UNANSWERED"), SEARCH_FLAG, ARG_NONE, .flag = SEARCH_FLAG_ANSWERED, .negated = true},
    {S("UNDELETED"), SEARCH_FLAG, ARG_NONE, .flag = SEARCH_FLAG_DELETED, .negated = true},
    {S("UNDRAFT"), SEARCH_FLAG, ARG_NONE, .flag = SEARCH_FLAG_DRAFT, .negated = true},
    {S("UNFLAGGED"), SEARCH_FLAG, ARG_NONE, .flag = SEARCH_FLAG_FLAGGED, .negated = true},
    {S("UNKEYWORD"), SEARCH_KEYWORD, ARG_KEYWORD, .negated = true},
    {S("UNSEEN"), SEARCH_FLAG, ARG_NONE, .flag = SEARCH_FLAG_SEEN, .negated = true},
    {S("YOUNGER"), SEARCH_YOUNGER, ARG_SECONDS},
};

static enum rc parse_key(struct search_parser *p, struct search_node **ret);

static struct search_node *node_new(struct search_parser *p, enum search_key key)
{
    struct search_node *node = NULL;
    if (p->nodes < SEARCH_NODES_MAX)
        node = arena_make(p->lex->arena, struct search_node);
    if (node) {
        p->nodes++;
        node->key = key;
        node->fuzzy = p->fuzzy;
    }
    return node;
}

/* One level deeper for NOT, OR and FUZZY, as imap_list_begin counts for parentheses. */
static enum rc parse_nested_key(struct search_parser *p, struct search_node **ret)
{
    if (p->lex->depth == IMAP_NESTING_MAX)
        return RC_LIMIT;
    enum rc rc = imap_sp(p->lex);
    p->lex->depth++;
    if (rc == RC_OK)
        rc = parse_key(p, ret);
    p->lex->depth--;
    return rc;
}

/* RFC 6203 §7 */
static enum rc parse_fuzzy_key(struct search_parser *p, struct search_node *node)
{
    bool within = p->fuzzy;
    node->fuzzy = p->fuzzy = true;
    enum rc rc = parse_nested_key(p, &node->child);
    p->fuzzy = within;
    return rc;
}

/* astring, in the command's charset. */
static enum rc parse_text(struct search_parser *p, str *ret)
{
    str raw;
    enum rc rc = imap_sp(p->lex);
    if (rc == RC_OK)
        rc = imap_astring(p->lex, &raw);
    if (rc != RC_OK)
        return rc;
    if (raw.n > SEARCH_TEXT_MAX)
        return RC_LIMIT;
    if (!p->charset.p) {
        if (!utf8_valid(raw))
            return imap_expect(p->lex, "text in UTF-8 or a CHARSET");
        *ret = raw;
        return RC_OK;
    }
    AUTO(buf_deinit) struct buf utf8 = BUF_INIT(4 * SEARCH_TEXT_MAX);
    charset_to_utf8(&utf8, p->charset, raw);
    *ret = arena_str(p->lex->arena, buf_str(&utf8));
    return utf8.overflow || !ret->p ? RC_LIMIT : RC_OK;
}

static enum rc parse_number(struct search_parser *p, int64_t *ret)
{
    uint64_t bytes;
    enum rc rc = imap_number64(p->lex, &bytes);
    if (rc == RC_OK)
        *ret = (int64_t)bytes;
    return rc;
}

static enum rc parse_seconds(struct search_parser *p, int64_t *ret)
{
    uint32_t seconds;
    enum rc rc = imap_nz_number(p->lex, &seconds);
    if (rc == RC_OK)
        *ret = seconds;
    return rc;
}

/* search-modseq = "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer. All flags of a message
 * share one modification sequence, so the entry says nothing (RFC 7162 §3.1.5). */
static enum rc parse_modseq(struct search_parser *p, int64_t *ret)
{
    str entry;
    enum rc rc = RC_OK;
    if (imap_peek(p->lex) == '"') {
        rc = imap_quoted(p->lex, &entry);
        if (rc == RC_OK && !str_istarts(entry, S("/flags/")))
            rc = imap_expect(p->lex, "an entry below /flags/");
        if (rc == RC_OK)
            rc = imap_sp(p->lex);
        if (rc == RC_OK && !imap_take_word(p->lex, S("all")) && !imap_take_word(p->lex, S("priv")) &&
            !imap_take_word(p->lex, S("shared")))
            rc = imap_expect(p->lex, "all, priv or shared");
        if (rc == RC_OK)
            rc = imap_sp(p->lex);
    }
    return rc == RC_OK ? parse_number(p, ret) : rc;
}

/* "UIDAFTER" SP uniqueid / "UIDBEFORE" SP uniqueid (RFC 9738 §3.2): a set, or nothing at all */
static enum rc parse_uid_side(struct search_parser *p, bool above, struct search_node *node)
{
    uint32_t uid;
    enum rc rc = imap_nz_number(p->lex, &uid);
    if (rc != RC_OK)
        return rc;
    if (uid == (above ? UINT32_MAX : 1)) {
        node->key = SEARCH_AND;
        node->negated = true;
        return RC_OK;
    }
    node->text = above ? arena_printf(p->lex->arena, "%u:%u", uid + 1, UINT32_MAX)
                       : arena_printf(p->lex->arena, "1:%u", uid - 1);
    return node->text.p ? RC_OK : RC_LIMIT;
}

static enum rc parse_argument(struct search_parser *p, enum argument argument, struct search_node *node)
{
    enum rc rc;
    switch (argument) {
    case ARG_NONE:
        return RC_OK;
    case ARG_KEY:
        return parse_nested_key(p, &node->child);
    case ARG_FUZZY_KEY:
        return parse_fuzzy_key(p, node);
    case ARG_TWO_KEYS:
        rc = parse_nested_key(p, &node->child);
        return rc == RC_OK ? parse_nested_key(p, &node->child->next) : rc;
    case ARG_TEXT:
        return parse_text(p, &node->text);
    case ARG_FIELD_TEXT:
        rc = parse_text(p, &node->field);
        return rc == RC_OK ? parse_text(p, &node->text) : rc;
    default:
        break;
    }
    rc = imap_sp(p->lex);
    if (rc != RC_OK)
        return rc;
    switch (argument) {
    case ARG_KEYWORD:
        return imap_atom(p->lex, &node->text);
    case ARG_DATE:
        return imap_date(p->lex, &node->number);
    case ARG_SIZE:
        return parse_number(p, &node->number);
    case ARG_SECONDS:
        return parse_seconds(p, &node->number);
    case ARG_MODSEQ:
        return parse_modseq(p, &node->number);
    case ARG_UID_BELOW:
    case ARG_UID_ABOVE:
        return parse_uid_side(p, argument == ARG_UID_ABOVE, node);
    default:
        return imap_set_text(p->lex, &node->text);
    }
}

/* NEW: recent and not seen (RFC 3501 §6.4.4). */
static enum rc add_new_children(struct search_parser *p, struct search_node *node)
{
    struct search_node *recent = node_new(p, SEARCH_RECENT), *seen = node_new(p, SEARCH_FLAG);
    if (!recent || !seen)
        return RC_LIMIT;
    seen->flag = SEARCH_FLAG_SEEN;
    seen->negated = true;
    recent->next = seen;
    node->child = recent;
    return RC_OK;
}

static enum rc parse_named_key(struct search_parser *p, struct search_node *node)
{
    for (size_t i = 0; i < sizeof key_rows / sizeof *key_rows; i++) {
        const struct key_row *row = &key_rows[i];
        if (!imap_take_word(p->lex, row->name))
            continue;
        node->key = row->key;
        node->flag = row->flag;
        node->negated = row->negated;
        node->field = str_c(row->field);
        return str_eq(row->name, S("NEW")) ? add_new_children(p, node)
                                           : parse_argument(p, row->argument, node);
    }
    return imap_expect(p->lex, "a search key");
}

/* search-key *(SP search-key), up to a ")" or the end; they become the children of *node. */
static enum rc parse_keys(struct search_parser *p, struct search_node *node)
{
    struct search_node **tail = &node->child;
    for (;;) {
        enum rc rc = parse_key(p, tail);
        if (rc != RC_OK)
            return rc;
        tail = &(*tail)->next;
        if (imap_peek(p->lex) != ' ')
            return RC_OK;
        rc = imap_sp(p->lex);
        if (rc != RC_OK || imap_at_end(p->lex)) /* spaces at the end are forgiven */
            return rc;
    }
}

static enum rc parse_list(struct search_parser *p, struct search_node *node)
{
    enum rc rc = imap_list_begin(p->lex);
    if (rc == RC_OK)
        rc = parse_keys(p, node);
    return rc == RC_OK ? imap_list_end(p->lex) : rc;
}

/* search-key = a key of the table with its arguments / sequence-set / "(" search-key *(SP search-key) ")" */
static enum rc parse_key(struct search_parser *p, struct search_node **ret)
{
    struct search_node *node = node_new(p, SEARCH_AND);
    if (!node)
        return RC_LIMIT;
    char c = imap_peek(p->lex);
    enum rc rc;
    if (c == '(') {
        rc = parse_list(p, node);
    } else if (ascii_digit(c) || c == '*' || c == '$') {
        node->key = SEARCH_SEQ_SET;
        rc = imap_set_text(p->lex, &node->text);
    } else {
        rc = parse_named_key(p, node);
    }
    if (rc == RC_OK)
        *ret = node;
    return rc;
}

/* charset SP; charset = atom / quoted */
static enum rc parse_charset(struct search_parser *p)
{
    str name;
    enum rc rc = imap_astring(p->lex, &name);
    if (rc == RC_OK)
        rc = imap_sp(p->lex);
    if (rc != RC_OK)
        return rc;
    if (p->lex->utf8_only && !str_ieq(name, S("UTF-8")))
        return imap_expect(p->lex, "UTF-8, as it was enabled");
    if (str_ieq(name, S("UTF-8")) || str_ieq(name, S("US-ASCII")))
        return RC_OK;
    if (!charset_is_known(name))
        return RC_PERM;
    p->charset = name;
    return RC_OK;
}

static enum rc parse_program(struct search_parser *p, struct search_node **ret)
{
    struct search_node *root = node_new(p, SEARCH_AND);
    if (!root)
        return RC_LIMIT;
    enum rc rc = parse_keys(p, root);
    if (rc == RC_OK)
        *ret = root;
    return rc;
}

/* ["CHARSET" SP charset SP] search-key *(SP search-key) */
enum rc imap_search_parse(struct imap_lex *lex, struct search_node **ret)
{
    struct search_parser p = {.lex = lex};
    enum rc rc = RC_OK;
    if (imap_take_word(lex, S("CHARSET"))) {
        rc = lex->utf8_only ? imap_expect(lex, "no CHARSET, since UTF8=ACCEPT is enabled") : imap_sp(lex);
        if (rc == RC_OK)
            rc = parse_charset(&p);
    }
    return rc == RC_OK ? parse_program(&p, ret) : rc;
}

enum rc imap_search_parse_sorted(struct imap_lex *lex, struct search_node **ret)
{
    struct search_parser p = {.lex = lex};
    enum rc rc = parse_charset(&p);
    return rc == RC_OK ? parse_program(&p, ret) : rc;
}

bool imap_search_is_fuzzy(const struct search_node *node)
{
    for (; node; node = node->next)
        if (node->fuzzy || imap_search_is_fuzzy(node->child))
            return true;
    return false;
}
