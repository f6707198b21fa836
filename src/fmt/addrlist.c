/* Address lists (RFC 5322 §3.4, §4.4).
 *
 * address-list = address *("," address)        empty elements are skipped
 * address      = mailbox / group
 * mailbox      = [phrase] "<" [route ":"] addr-spec ">" / addr-spec
 * group        = phrase ":" [mailbox-list] ";"
 * addr-spec    = local-part "@" domain
 *
 * An element is read word by word until the byte that decides what it is; the words are kept both as the
 * phrase (joined by spaces) and as the local part that they would be (joined by dots only). */
#include "fmt/addrlist.h"

#include "fmt/lex.h"

struct addr_parser {
    struct lex lex;
    struct arena *arena;
    struct buf word, phrase, local, host, route, comment;
    size_t name_len; /* the phrase without the words that make up local */
    bool in_group;
    struct address *first, **tail;
};

static str copy(struct addr_parser *p, str s)
{
    return s.n ? arena_str(p->arena, s) : S("");
}

static str copy_or_none(struct addr_parser *p, str s)
{
    return s.n ? arena_str(p->arena, s) : STR_NONE;
}

static void add(struct addr_parser *p, struct address addr)
{
    struct address *entry = arena_make(p->arena, struct address);
    if (!entry || arena_exhausted(p->arena))
        return;
    *entry = addr;
    *p->tail = entry;
    p->tail = &entry->next;
}

static void add_mailbox(struct addr_parser *p, str name)
{
    add(p, (struct address){.name = copy_or_none(p, name),
                            .route = copy_or_none(p, buf_str(&p->route)),
                            .mailbox = copy(p, buf_str(&p->local)),
                            .host = copy(p, buf_str(&p->host))});
}

/* Appends a word to the phrase and to the local part. A word that no dot joins to the one before begins a new
 * local part: what lies in front of it is a name. */
static void add_word(struct addr_parser *p, str word)
{
    bool joined = p->local.n && word.n && (p->local.p[p->local.n - 1] == '.' || word.p[0] == '.');
    if (!joined) {
        p->name_len = p->phrase.n;
        buf_reset(&p->local);
    }
    buf_puts(&p->local, word);
    if (p->phrase.n)
        buf_putc(&p->phrase, ' ');
    buf_puts(&p->phrase, word);
}

/* A word at the cursor: atoms with dots, or a quoted string. False when there is none. */
static bool parse_word(struct addr_parser *p)
{
    buf_reset(&p->word);
    if (!lex_dot_run(&p->lex, &p->word) && !lex_quoted(&p->lex, &p->word))
        return false;
    add_word(p, buf_str(&p->word));
    return true;
}

/* domain = dot-atom / domain-literal / obs-domain, appended to out */
static void parse_domain(struct addr_parser *p, struct buf *out)
{
    lex_cfws(&p->lex);
    if (lex_domain_literal(&p->lex, out))
        return;
    while (lex_dot_run(&p->lex, out)) {
        size_t end = p->lex.i;
        lex_cfws(&p->lex);
        if (lex_peek(&p->lex) != '.' && out->n && out->p[out->n - 1] != '.') {
            p->lex.i = end;
            return;
        }
    }
}

/* obs-route = "@" domain *("," "@" domain) ":" */
static void parse_route(struct addr_parser *p)
{
    for (;;) {
        lex_cfws(&p->lex);
        int c = lex_peek(&p->lex);
        if (c == '@') {
            p->lex.i++;
            if (p->route.n)
                buf_putc(&p->route, ',');
            buf_putc(&p->route, '@');
            parse_domain(p, &p->route);
        } else if (c == ',') {
            p->lex.i++;
        } else {
            p->lex.i += c == ':';
            return;
        }
    }
}

/* angle-addr = "<" [obs-route] addr-spec ">", with the cursor on "<" and `name` in front of it */
static void parse_angle(struct addr_parser *p, str name)
{
    p->lex.i++;
    buf_reset(&p->local);
    buf_reset(&p->host);
    lex_cfws(&p->lex);
    if (lex_peek(&p->lex) == '@')
        parse_route(p);
    for (int c;;) {
        lex_cfws(&p->lex);
        c = lex_peek(&p->lex);
        if (lex_dot_run(&p->lex, &p->local) || lex_quoted(&p->lex, &p->local))
            continue;
        if (c < 0 || c == ',' || c == ';')
            break;
        p->lex.i++;
        if (c == '>')
            break;
        if (c == '@') {
            buf_reset(&p->host);
            parse_domain(p, &p->host);
        }
    }
    add_mailbox(p, name);
}

/* The cursor is behind the "@" of a bare address. "user@host <user@host>" uses the first as the name of the
 * second. */
static void parse_bare(struct addr_parser *p)
{
    parse_domain(p, &p->host);
    lex_cfws(&p->lex);
    if (lex_peek(&p->lex) == '<') {
        buf_putc(&p->phrase, '@');
        buf_puts(&p->phrase, buf_str(&p->host));
        parse_angle(p, buf_str(&p->phrase));
        return;
    }
    str name = str_sub(buf_str(&p->phrase), 0, p->name_len);
    add_mailbox(p, name.n ? name : buf_str(&p->comment));
}

static void begin_group(struct addr_parser *p)
{
    if (p->in_group) /* groups do not nest; a stray colon is dropped with the words before it */
        return;
    p->in_group = true;
    add(p, (struct address){.mailbox = copy(p, buf_str(&p->phrase))});
}

static void end_group(struct addr_parser *p)
{
    if (p->in_group)
        add(p, (struct address){0});
    p->in_group = false;
}

/* Words that nothing but a separator follows: one is a mailbox without a domain, several (or a
 * quoted string that holds several) are a name without a mailbox. */
static void end_words(struct addr_parser *p)
{
    if (p->phrase.n == 0)
        return;
    if (str_chr(buf_str(&p->phrase), ' ') < 0) {
        add_mailbox(p, buf_str(&p->comment));
        return;
    }
    buf_reset(&p->local);
    add_mailbox(p, buf_str(&p->phrase));
}

static void reset_element(struct addr_parser *p)
{
    buf_reset(&p->phrase);
    buf_reset(&p->local);
    buf_reset(&p->host);
    buf_reset(&p->route);
    buf_reset(&p->comment);
    p->name_len = 0;
}

/* One element with the separator behind it. */
static void parse_element(struct addr_parser *p)
{
    reset_element(p);
    for (;;) {
        lex_cfws(&p->lex);
        int c = lex_peek(&p->lex);
        if (c < 0 || c == ',' || c == ';') {
            end_words(p);
            if (c == ';')
                end_group(p);
            p->lex.i += c >= 0;
            return;
        }
        if (parse_word(p))
            continue;
        if (c == '<') {
            parse_angle(p, buf_str(&p->phrase));
            return;
        }
        p->lex.i++;
        if (c == '@') {
            parse_bare(p);
            return;
        }
        if (c == ':') {
            begin_group(p);
            return;
        }
    }
}

struct address *addrlist_parse(str value, struct arena *a)
{
    struct addr_parser p = {.lex = {.s = value}, .arena = a};
    struct buf *bufs[] = {&p.word, &p.phrase, &p.local, &p.host, &p.route, &p.comment};
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++)
        buf_init(bufs[i], 2 * value.n + 2);
    p.lex.comment = &p.comment;
    p.tail = &p.first;
    while (lex_peek(&p.lex) >= 0 && !arena_exhausted(a))
        parse_element(&p);
    end_group(&p);
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++)
        buf_deinit(bufs[i]);
    return p.first;
}
