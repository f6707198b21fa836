/* Messages of local programs (localmail.h). The fields that are dropped are those that Postfix and Sendmail
 * drop. */
#include "fmt/localmail.h"

#include "base/num.h"
#include "fmt/addrlist.h"
#include "fmt/header.h"
#include "fmt/mailaddr.h"

/* --- reading --- */

/* A byte behind whatever was held back. */
static void put_byte(struct localmail_reader *r, struct buf *out, char c)
{
    if (r->held_dot) {
        r->held_dot = false;
        if (c == '\n') {
            r->ended = true;
            return;
        }
        buf_putc(out, '.');
    } else if (r->dot_ends && !r->in_line && c == '.') {
        r->held_dot = r->in_line = true;
        return;
    }
    buf_putc(out, c);
    r->in_line = c != '\n';
}

void localmail_feed(struct localmail_reader *r, struct buf *out, str in)
{
    for (size_t i = 0; i < in.n && !r->ended; i++) {
        char c = in.p[i];
        if (r->held_cr && c != '\n')
            put_byte(r, out, '\r');
        r->held_cr = c == '\r';
        if (!r->held_cr)
            put_byte(r, out, c);
    }
}

void localmail_finish(struct localmail_reader *r, struct buf *out)
{
    if (r->held_cr && !r->ended)
        put_byte(r, out, '\r');
    r->held_cr = false;
    if (r->in_line && !r->ended)
        put_byte(r, out, '\n'); /* behind a lone dot that is the end as well */
}

/* --- addresses --- */

static void put_address(struct buf *out, const struct address *one, str origin)
{
    struct mailaddr m = {.local = one->mailbox, .domain = one->host.n ? one->host : origin};
    mailaddr_put(out, &m);
}

static enum rc add_address(struct localmail_addresses *list, str address, struct arena *a)
{
    for (size_t i = 0; i < address.n; i++)
        if ((unsigned char)address.p[i] < ' ' || address.p[i] == 0x7f)
            return RC_INVALID; /* it would end a line of SMTP */
    if (list->n == list->cap) {
        str *grown = arena_grow(a, list->v, list->n, sizeof *list->v);
        if (!grown)
            return RC_LIMIT;
        list->v = grown;
        list->cap = list->n < 4 ? 8 : 2 * list->n;
    }
    list->v[list->n] = arena_str(a, address);
    return list->v[list->n++].p ? RC_OK : RC_LIMIT;
}

/* Words that are no address, such as "Undisclosed recipients", are passed over, or RC_INVALID when strict. */
static enum rc add_list(struct localmail_addresses *list, str text, str origin, bool strict, struct arena *a)
{
    AUTO(buf_deinit) struct buf address = BUF_INIT(2 * text.n + origin.n + 8);
    enum rc rc = RC_OK;
    for (const struct address *one = addrlist_parse(text, a); one && rc == RC_OK; one = one->next) {
        if (address_is_group_mark(one))
            continue;
        if (one->mailbox.n == 0) {
            rc = strict ? RC_INVALID : RC_OK;
            continue;
        }
        buf_reset(&address);
        put_address(&address, one, origin);
        rc = add_address(list, buf_str(&address), a);
    }
    return arena_exhausted(a) ? RC_LIMIT : rc;
}

enum rc localmail_add(struct localmail_addresses *list, str text, str origin, struct arena *a)
{
    return add_list(list, text, origin, true, a);
}

/* atext, spaces and bytes above ASCII need no quotes; neither do encoded words (RFC 2047 §2). */
static bool needs_quotes(str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!ascii_alnum(c) && (unsigned char)c < 0x80 && (c == '\0' || !strchr(" !#$%&'*+-/=?^_`{|}~", c)))
            return true;
    }
    return false;
}

static void put_phrase(struct buf *out, str name)
{
    bool quotes = needs_quotes(name);
    if (quotes)
        buf_putc(out, '"');
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (c == '"' || c == '\\')
            buf_putc(out, '\\');
        buf_putc(out, (unsigned char)c < ' ' || c == 0x7f ? ' ' : c);
    }
    if (quotes)
        buf_putc(out, '"');
}

void localmail_put_mailbox(struct buf *out, str name, str address)
{
    if (name.n) {
        put_phrase(out, name);
        buf_puts(out, S(" <"));
    }
    buf_puts(out, address);
    if (name.n)
        buf_putc(out, '>');
}

/* --- the header --- */

static bool is_one_of(str name, const char *const *names)
{
    for (; *names; names++)
        if (str_ieq(name, str_c(*names)))
            return true;
    return false;
}

/* RFC 5322 §3.6.8: printable, no space, no colon */
static bool is_field(const struct header_field *f)
{
    for (size_t i = 0; i < f->name.n; i++)
        if (f->name.p[i] <= ' ' || f->name.p[i] >= 0x7f)
            return false;
    return f->name.n > 0;
}

/* Whether every entry is understood, and some mailbox has no domain. */
static bool lacks_domain(const struct address *list)
{
    bool lacks = false;
    for (; list; list = list->next) {
        if (address_is_group_mark(list))
            continue;
        if (list->mailbox.n == 0)
            return false;
        lacks |= list->host.n == 0;
    }
    return lacks;
}

static void put_list(struct buf *out, const struct address *list, str origin)
{
    bool first = true;
    for (; list; list = list->next) {
        if (address_is_group_mark(list) && list->mailbox.p == NULL) {
            buf_putc(out, ';');
            first = false;
            continue;
        }
        if (!first)
            buf_puts(out, S(",\n"));
        buf_putc(out, ' ');
        first = address_is_group_mark(list);
        if (first) {
            put_phrase(out, list->mailbox);
            buf_putc(out, ':');
            continue;
        }
        AUTO(buf_deinit) struct buf address = BUF_INIT(2 * (list->mailbox.n + list->host.n + origin.n) + 8);
        put_address(&address, list, origin);
        localmail_put_mailbox(out, list->name, buf_str(&address));
    }
    buf_putc(out, '\n');
}

/* A field with addresses, each with a domain (RFC 6409 §8.1 allows it to whoever knows it). */
static bool put_completed(const struct localmail_header *h, const struct header_field *f, struct arena *a,
                          struct buf *out)
{
    static const char *const names[] = {"From",      "Sender",    "Reply-To",      "To", "Cc", "Resent-From",
                                        "Resent-To", "Resent-Cc", "Resent-Sender", NULL};
    const struct address *list = is_one_of(f->name, names) ? addrlist_parse(f->value, a) : NULL;
    if (!lacks_domain(list) || arena_exhausted(a))
        return false;
    buf_puts(out, f->name);
    buf_putc(out, ':');
    put_list(out, list, h->origin);
    return true;
}

static str without_mbox_line(str raw)
{
    if (!str_starts(raw, S("From ")) && !str_starts(raw, S(">From ")))
        return raw;
    (void)str_take(&raw, '\n');
    return raw;
}

enum rc localmail_put_header(const struct localmail_header *h, str raw, struct arena *a, struct buf *out,
                             struct localmail_addresses *recipients, str *ret_body)
{
    static const char *const dropped[] = {"Bcc", "Resent-Bcc", "Return-Path", "Content-Length", NULL};
    static const char *const plain[] = {"To", "Cc", "Bcc", NULL};
    static const char *const resent[] = {"Resent-To", "Resent-Cc", "Resent-Bcc", NULL};
    struct localmail_addresses first = {0}, again = {0};
    struct header_field f;
    enum rc rc = RC_OK;
    bool has_from = false;
    raw = without_mbox_line(raw);
    struct header_iter it = header_iter(raw);
    size_t end = 0;
    while (rc == RC_OK && header_next(&it, &f) && is_field(&f)) {
        end = f.end;
        has_from |= str_ieq(f.name, S("From"));
        if (h->recipients && is_one_of(f.name, plain))
            rc = add_list(&first, f.value, h->origin, false, a);
        else if (h->recipients && is_one_of(f.name, resent))
            rc = add_list(&again, f.value, h->origin, false, a);
        if (!is_one_of(f.name, dropped) && !put_completed(h, &f, a, out))
            buf_puts(out, str_sub(raw, f.start, f.end - f.start));
    }
    const struct localmail_addresses *named = again.n ? &again : &first;
    for (size_t i = 0; i < named->n && rc == RC_OK; i++)
        rc = add_address(recipients, named->v[i], a);
    if (!has_from && h->from.n)
        buf_printf(out, "From: " STR_FMT "\n", STR_ARG(h->from));
    buf_putc(out, '\n');
    *ret_body = str_from(raw, end);
    if (str_starts(*ret_body, S("\n")))
        *ret_body = str_from(*ret_body, 1);
    return out->overflow || arena_exhausted(a) ? RC_LIMIT : rc;
}

/* --- a message that waits --- */

static const str magic = {"malle 1 ", 8};

void localmail_put_command(struct buf *out, char *const *words, size_t n)
{
    buf_puts(out, magic);
    buf_put_u64(out, n);
    buf_putc(out, '\n');
    for (size_t i = 0; i < n; i++)
        buf_put(out, words[i], strlen(words[i]) + 1);
}

enum rc localmail_take_command(str file, struct arena *a, char ***ret_words, size_t *ret_n, str *ret_rest)
{
    uint32_t n;
    if (!str_starts(file, magic))
        return RC_INVALID;
    str rest = str_from(file, magic.n);
    if (str_chr(rest, '\n') < 0)
        return RC_INVALID; /* the count may be cut short */
    str count = str_take(&rest, '\n');
    if (num_parse_u32(count, LOCALMAIL_WORDS_MAX, &n) != RC_OK)
        return RC_INVALID;
    char **words = arena_array(a, (size_t)n + 1, sizeof *words);
    for (uint32_t i = 0; words && i < n; i++) {
        ptrdiff_t end = str_chr(rest, '\0');
        if (end < 0)
            return RC_INVALID;
        words[i] = arena_alloc(a, (size_t)end + 1);
        if (!words[i])
            return RC_LIMIT;
        memcpy(words[i], rest.p, (size_t)end);
        rest = str_from(rest, (size_t)end + 1);
    }
    if (!words)
        return RC_LIMIT;
    *ret_words = words;
    *ret_n = n;
    *ret_rest = rest;
    return RC_OK;
}
