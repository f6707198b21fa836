/* Addresses in a header, replaced where they stand (header_rewrite.h).
 *
 * address-list = [address] *("," [address])
 * address      = mailbox / group
 * group        = phrase ":" [address-list] ";"
 * mailbox      = addr-spec / [phrase] "<" [route ":"] [addr-spec] ">"
 * addr-spec    = word ["@" (dot-atom / domain-literal)]     without a domain: to be completed
 * route        = 1*(["," ] "@" domain)
 *
 * A word is a run of atext and dots, or a quoted string; a phrase is any number of them. Which words are no
 * address, such as "a..b", mailaddr_parse says. */
#include "fmt/header_rewrite.h"

#include "fmt/header.h"
#include "fmt/lex.h"
#include "fmt/mailaddr.h"

enum token { T_END, T_ATOM, T_QUOTED, T_LITERAL, T_SPECIAL, T_BROKEN };

struct tok {
    enum token kind;
    int c;             /* of T_SPECIAL */
    size_t start, end; /* in the field's value */
    bool apart;        /* white space or a comment stands in front */
};

struct parser {
    str value;
    size_t at;
    struct tok t; /* the one under the cursor */
    bool in_group;
    const struct header_completion *completion;
    struct header_addresses *list;
    struct header_address proto; /* of the field's addresses */
    size_t offset;               /* of the value in the header */
    struct arena *arena;
    bool limit;
};

/* --- tokens --- */

static bool is_control(char c)
{
    return ((unsigned char)c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f;
}

/* The end of what begins at `at` and ends with `close`, with quoted pairs; 0: it has none. Comments nest. */
static size_t closing(str s, size_t at, char open, char close)
{
    size_t depth = 0;
    for (; at < s.n; at++) {
        char c = s.p[at];
        if (is_control(c))
            return 0;
        if (c == '\\' && close != ']')
            at++;
        else if (c == close && (open == close ? depth++ > 0 : --depth == 0))
            return at + 1;
        else if (c == open && open != close)
            depth++;
    }
    return 0;
}

/* false: a comment without end */
static bool skip_cfws(struct parser *p)
{
    while (p->at < p->value.n) {
        char c = p->value.p[p->at];
        if (c == '(') {
            size_t end = closing(p->value, p->at, '(', ')');
            if (end == 0)
                return false;
            p->at = end;
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            p->at++;
        } else {
            break;
        }
    }
    return true;
}

static bool is_word_byte(char c)
{
    return c == '.' || lex_is_atext((unsigned char)c);
}

static enum token kind_of(char c)
{
    return c == '"' ? T_QUOTED : c == '[' ? T_LITERAL : is_word_byte(c) ? T_ATOM : T_SPECIAL;
}

static void advance(struct parser *p)
{
    size_t before = p->at, end = 0;
    bool fine = skip_cfws(p);
    p->t = (struct tok){.kind = T_END, .start = p->at, .end = p->at, .apart = p->at > before};
    if (!fine)
        p->t.kind = T_BROKEN;
    if (!fine || p->at == p->value.n)
        return;
    char c = p->value.p[p->at];
    p->t.kind = kind_of(c);
    p->t.c = c;
    if (p->t.kind == T_QUOTED)
        end = closing(p->value, p->at, '"', '"');
    else if (p->t.kind == T_LITERAL)
        end = closing(p->value, p->at, '[', ']');
    else if (p->t.kind == T_SPECIAL)
        end = strchr("<>@,;:", c) && c ? p->at + 1 : 0;
    else
        for (end = p->at; end < p->value.n && is_word_byte(p->value.p[end]);)
            end++;
    if (end == 0)
        p->t.kind = T_BROKEN;
    p->at = p->t.end = end ? end : p->value.n;
}

static bool is_word(const struct tok *t)
{
    return t->kind == T_ATOM || t->kind == T_QUOTED;
}

static bool at_special(const struct parser *p, char c)
{
    return p->t.kind == T_SPECIAL && p->t.c == c;
}

static bool at_element_end(const struct parser *p)
{
    return p->t.kind == T_END || at_special(p, ',') || (p->in_group && at_special(p, ';'));
}

/* --- results --- */

/* The address of a text, completed; empty when it is none, or has no domain and gets none. */
static str read_address(const struct parser *p, str text, bool has_domain, bool *ret_completed)
{
    const struct header_completion *c = p->completion;
    struct mailaddr addr;
    *ret_completed = !has_domain;
    if (!has_domain && c->origin.n == 0)
        return STR_NONE;
    if (!has_domain)
        text = arena_printf(p->arena, STR_FMT "@" STR_FMT, STR_ARG(text), STR_ARG(c->origin));
    if (mailaddr_parse(text, p->arena, &addr) != RC_OK)
        return STR_NONE;
    if (c->parent_domain.n > 0 && !addr.literal && str_chr(addr.domain, '.') < 0) {
        addr.domain =
            arena_printf(p->arena, STR_FMT "." STR_FMT, STR_ARG(addr.domain), STR_ARG(c->parent_domain));
        *ret_completed = true;
    }
    str address = mailaddr_str(p->arena, &addr);
    return address.n <= MAILADDR_MAX ? address : STR_NONE;
}

static void add(struct parser *p, size_t start, size_t end, bool has_domain)
{
    struct header_addresses *l = p->list;
    struct header_address one = p->proto;
    bool is_completed;
    one.address = read_address(p, str_sub(p->value, start, end - start), has_domain, &is_completed);
    if (one.address.n == 0)
        return;
    if (is_completed)
        one.to = one.address;
    one.start = p->offset + start;
    one.end = p->offset + end;
    p->limit |= l->n == HEADER_REWRITE_ADDRESSES_MAX;
    if (l->n == l->room && !p->limit) {
        struct header_address *grown = arena_grow(p->arena, l->v, l->n, sizeof *grown);
        l->room = grown ? (l->n < 4 ? 8 : 2 * l->n) : l->room;
        l->v = grown ? grown : l->v;
    }
    if (l->n < l->room && !p->limit)
        l->v[l->n++] = one; /* else the arena is exhausted, which is asked in the end */
}

/* --- the grammar; each returns false where it is not kept --- */

/* The cursor is behind the first word. What has white space inside is read and left alone. */
static bool parse_addr_spec(struct parser *p, const struct tok *local)
{
    if (!at_special(p, '@')) {
        add(p, local->start, local->end, false);
        return true;
    }
    bool apart = p->t.apart;
    advance(p);
    struct tok domain = p->t;
    if (domain.kind != T_ATOM && domain.kind != T_LITERAL)
        return false;
    advance(p);
    if (!apart && !domain.apart)
        add(p, local->start, domain.end, true);
    return true;
}

static bool parse_route(struct parser *p)
{
    while (at_special(p, '@') || at_special(p, ',')) {
        bool is_domain = at_special(p, '@');
        advance(p);
        if (is_domain && p->t.kind != T_ATOM && p->t.kind != T_LITERAL)
            return false;
        if (is_domain)
            advance(p);
    }
    if (!at_special(p, ':'))
        return false;
    advance(p);
    return true;
}

static bool parse_angle(struct parser *p)
{
    advance(p);
    if (at_special(p, '@') && !parse_route(p))
        return false;
    struct tok local = p->t;
    if (is_word(&local)) {
        advance(p);
        if (!parse_addr_spec(p, &local))
            return false;
    }
    if (!at_special(p, '>'))
        return false;
    advance(p);
    return at_element_end(p);
}

/* One element of the list, or the beginning of a group. */
static bool parse_element(struct parser *p)
{
    struct tok first = p->t;
    if (at_special(p, '<'))
        return parse_angle(p);
    if (!is_word(&first))
        return false;
    advance(p);
    if (at_special(p, '@') || at_element_end(p))
        return parse_addr_spec(p, &first) && at_element_end(p);
    while (is_word(&p->t))
        advance(p);
    if (at_special(p, '<'))
        return parse_angle(p);
    if (!at_special(p, ':') || p->in_group)
        return false;
    p->in_group = true;
    advance(p);
    return true;
}

static bool parse_list(struct parser *p)
{
    advance(p);
    while (p->t.kind != T_END) {
        if (at_special(p, ',')) {
            advance(p);
        } else if (p->in_group && at_special(p, ';')) {
            p->in_group = false;
            advance(p);
            if (!at_element_end(p))
                return false;
        } else if (!parse_element(p)) {
            return false;
        }
    }
    return !p->in_group;
}

/* --- fields --- */

enum field_kind { OTHER, OF_SENDER, OF_RECIPIENT, SIGNATURE };

/* Those that Postfix rewrites. */
static enum field_kind field_kind(str name)
{
    static const struct {
        const char *name;
        enum field_kind kind;
    } fields[] = {
        {"From", OF_SENDER},
        {"Sender", OF_SENDER},
        {"Reply-To", OF_SENDER},
        {"Errors-To", OF_SENDER},
        {"Return-Receipt-To", OF_SENDER},
        {"Disposition-Notification-To", OF_SENDER},
        {"Mail-Followup-To", OF_SENDER},
        {"Resent-From", OF_SENDER},
        {"Resent-Sender", OF_SENDER},
        {"To", OF_RECIPIENT},
        {"Cc", OF_RECIPIENT},
        {"Bcc", OF_RECIPIENT},
        {"Apparently-To", OF_RECIPIENT},
        {"Resent-To", OF_RECIPIENT},
        {"Resent-Cc", OF_RECIPIENT},
        {"Resent-Bcc", OF_RECIPIENT},
        {"Resent-Reply-To", OF_RECIPIENT},
        {"DKIM-Signature", SIGNATURE},
        {"ARC-Message-Signature", SIGNATURE},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (str_ieq(name, str_c(fields[i].name)))
            return fields[i].kind;
    return OTHER;
}

/* RFC 5322 §3.6.8; whatever else there is begins the body. */
static bool is_field(const struct header_field *f)
{
    for (size_t i = 0; i < f->name.n; i++)
        if (f->name.p[i] <= ' ' || f->name.p[i] >= 0x7f)
            return false;
    return f->name.n > 0;
}

static void scan_field(struct parser *p, str raw, const struct header_field *f, bool recipient)
{
    size_t before = p->list->n;
    p->value = f->value;
    p->at = 0;
    p->in_group = false;
    p->offset = (size_t)(f->value.p - raw.p);
    p->proto = (struct header_address){.recipient = recipient, .field_start = f->start, .field_end = f->end};
    if (!parse_list(p))
        p->list->n = before;
}

enum rc header_rewrite_scan(str raw, const struct header_completion *c, struct arena *a,
                            struct header_addresses *ret)
{
    struct header_addresses list = {.v = NULL};
    struct parser p = {.completion = c, .list = &list, .arena = a};
    struct header_iter it = header_iter(raw);
    struct header_field f;
    while (!p.limit && !arena_exhausted(a) && header_next(&it, &f) && is_field(&f)) {
        enum field_kind kind = field_kind(f.name);
        list.is_signed |= kind == SIGNATURE;
        if (kind == OF_SENDER || kind == OF_RECIPIENT)
            scan_field(&p, raw, &f, kind == OF_RECIPIENT);
    }
    if (p.limit || arena_exhausted(a))
        return RC_LIMIT;
    *ret = list;
    return RC_OK;
}

/* --- writing --- */

static size_t longest_line(str s)
{
    size_t longest = 0;
    while (s.n > 0) {
        ptrdiff_t lf = str_chr(s, '\n');
        size_t n = lf < 0 ? s.n : (size_t)lf;
        longest = n > longest ? n : longest;
        s = str_from(s, n + (lf >= 0));
    }
    return longest;
}

/* The field of list->v[i], with all that is written in it; returns the next one's first. */
static size_t put_field(struct buf *out, str raw, const struct header_addresses *list, size_t i)
{
    size_t start = list->v[i].field_start, end = list->v[i].field_end, at = start, before = out->n;
    for (; i < list->n && list->v[i].field_start == start; i++) {
        const struct header_address *one = &list->v[i];
        if (!one->to.p)
            continue;
        buf_puts(out, str_sub(raw, at, one->start - at));
        buf_puts(out, one->to);
        at = one->end;
    }
    buf_puts(out, str_sub(raw, at, end - at));
    size_t longest = out->overflow ? 0 : longest_line(str_from(buf_str(out), before));
    if (longest > HEADER_REWRITE_LINE_MAX) {
        buf_truncate(out, before);
        buf_puts(out, str_sub(raw, start, end - start));
    }
    return i;
}

void header_rewrite_put(struct buf *out, str raw, const struct header_addresses *list)
{
    size_t at = 0;
    for (size_t i = 0; i < list->n;) {
        buf_puts(out, str_sub(raw, at, list->v[i].field_start - at));
        at = list->v[i].field_end;
        i = put_field(out, raw, list, i);
    }
    buf_puts(out, str_from(raw, at));
}
