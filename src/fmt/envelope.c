/* ENVELOPE (RFC 9051 §7.5.2).
 *
 * envelope    = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP
 *               env-to SP env-cc SP env-bcc SP env-in-reply-to SP env-message-id ")"
 * env-from    = "(" 1*address ")" / nil
 * address     = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
 *
 * A text that is present and empty is "", an absent one NIL. Sender and Reply-To default to From when they
 * are absent or hold no address. */
#include "fmt/envelope.h"

#include "fmt/addrlist.h"
#include "fmt/header.h"
#include "fmt/imapstring.h"

enum env_field {
    ENV_DATE,
    ENV_SUBJECT,
    ENV_FROM,
    ENV_SENDER,
    ENV_REPLY_TO,
    ENV_TO,
    ENV_CC,
    ENV_BCC,
    ENV_IN_REPLY_TO,
    ENV_MESSAGE_ID,
    ENV_COUNT
};

static const struct {
    str name;
    bool is_address;
} env_fields[ENV_COUNT] = {
    [ENV_DATE] = {S("Date"), false},
    [ENV_SUBJECT] = {S("Subject"), false},
    [ENV_FROM] = {S("From"), true},
    [ENV_SENDER] = {S("Sender"), true},
    [ENV_REPLY_TO] = {S("Reply-To"), true},
    [ENV_TO] = {S("To"), true},
    [ENV_CC] = {S("Cc"), true},
    [ENV_BCC] = {S("Bcc"), true},
    [ENV_IN_REPLY_TO] = {S("In-Reply-To"), false},
    [ENV_MESSAGE_ID] = {S("Message-ID"), false},
};

struct envelope {
    str text[ENV_COUNT];
    struct address *list[ENV_COUNT], *last[ENV_COUNT];
};

static void add_addresses(struct envelope *e, size_t i, str value, struct arena *a)
{
    struct address *list = addrlist_parse(value, a);
    if (!list)
        return;
    if (e->last[i])
        e->last[i]->next = list;
    else
        e->list[i] = list;
    while (list->next)
        list = list->next;
    e->last[i] = list;
}

/* A subject is shown to people: white space runs become one space, those at the ends nothing, as Dovecot
 * does. */
static str compact(struct arena *a, str value)
{
    char *text = arena_alloc(a, value.n + 1);
    size_t n = 0;
    if (!text)
        return STR_NONE;
    for (size_t i = 0; i < value.n; i++) {
        bool white = value.p[i] == ' ' || value.p[i] == '\t';
        if (!white)
            text[n++] = value.p[i];
        else if (n && text[n - 1] != ' ')
            text[n++] = ' ';
    }
    return str_trim(str_mem(text, n));
}

static void read_field(struct envelope *e, const struct header_field *f, struct arena *a)
{
    for (size_t i = 0; i < ENV_COUNT; i++) {
        if (!str_ieq(f->name, env_fields[i].name))
            continue;
        if (env_fields[i].is_address)
            add_addresses(e, i, f->value, a);
        else
            e->text[i] = header_unfold(a, f->value);
        if (i == ENV_SUBJECT)
            e->text[i] = compact(a, e->text[i]);
    }
}

static void put_part(struct buf *out, str part, str when_missing)
{
    imapstring_put_nil(out, part.p && part.n == 0 ? when_missing : part);
}

static void put_addresses(struct buf *out, const struct address *list)
{
    if (!list) {
        buf_puts(out, S("NIL"));
        return;
    }
    buf_putc(out, '(');
    for (const struct address *a = list; a; a = a->next) {
        buf_putc(out, '(');
        imapstring_put_nil(out, a->name);
        buf_putc(out, ' ');
        imapstring_put_nil(out, a->route);
        buf_putc(out, ' ');
        put_part(out, a->mailbox, address_is_group_mark(a) ? S("") : S("MISSING_MAILBOX"));
        buf_putc(out, ' ');
        put_part(out, a->host, S("MISSING_DOMAIN"));
        buf_putc(out, ')');
    }
    buf_putc(out, ')');
}

void envelope_put(struct buf *out, str header_block, struct arena *a)
{
    struct envelope e = {0};
    struct header_iter it = header_iter(header_block);
    struct header_field f;
    while (header_next(&it, &f))
        read_field(&e, &f, a);
    if (!e.list[ENV_SENDER])
        e.list[ENV_SENDER] = e.list[ENV_FROM];
    if (!e.list[ENV_REPLY_TO])
        e.list[ENV_REPLY_TO] = e.list[ENV_FROM];
    for (size_t i = 0; i < ENV_COUNT; i++) {
        buf_putc(out, i ? ' ' : '(');
        if (env_fields[i].is_address)
            put_addresses(out, e.list[i]);
        else
            imapstring_put_nil(out, e.text[i]);
    }
    buf_putc(out, ')');
}
