/* Rules of quotas: reading them, and what they come to. */
#include "fmt/quota_rule.h"

#include "base/num.h"
#include "fmt/imap_match.h"

/* --- amounts --- */

static bool unit_shift(char c, unsigned *ret)
{
    static const char units[] = "bkmgt";
    const char *at = c ? strchr(units, ascii_lower(c)) : NULL;
    if (at)
        *ret = 10 * (unsigned)(at - units);
    return at != NULL;
}

/* unit: the shift of a number without one; counts have none. */
static enum rc amount_parse(str text, unsigned shift, bool counts, struct quota_amount *ret)
{
    struct quota_amount a = {.kind = QUOTA_IS};
    text = str_trim(text);
    if (text.n && (text.p[0] == '+' || text.p[0] == '-')) {
        a.kind = text.p[0] == '+' ? QUOTA_MORE : QUOTA_LESS;
        text = str_from(text, 1);
    }
    size_t digits = 0;
    while (digits < text.n && ascii_digit(text.p[digits]))
        digits++;
    str unit = str_trim(str_from(text, digits));
    enum rc rc = num_parse_u64(str_sub(text, 0, digits), INT64_MAX, &a.n);
    if (rc != RC_OK)
        return RC_INVALID;
    a.percent = str_eq(unit, S("%"));
    str tail = str_from(unit, 1); /* "GB", "GiB" */
    if (!a.percent && unit.n && (counts || !unit_shift(unit.p[0], &shift)))
        return RC_INVALID;
    if (tail.n && !str_ieq(tail, S("B")) && !str_ieq(tail, S("iB")))
        return RC_INVALID;
    if (a.percent)
        shift = 0;
    if (a.n > (uint64_t)INT64_MAX >> shift)
        return RC_INVALID;
    a.n <<= shift;
    *ret = a;
    return RC_OK;
}

static enum rc limit_parse(str text, struct quota_amount *bytes, struct quota_amount *messages)
{
    str value = text, name = str_take(&value, '=');
    if (str_eq(name, S("storage")))
        return amount_parse(value, 10, false, bytes);
    if (str_eq(name, S("bytes")))
        return amount_parse(value, 0, false, bytes);
    return str_eq(name, S("messages")) ? amount_parse(value, 0, true, messages) : RC_INVALID;
}

static enum rc limits_parse(str text, struct quota_amount *bytes, struct quota_amount *messages)
{
    enum rc rc = text.n ? RC_OK : RC_INVALID;
    while (text.n && rc == RC_OK)
        rc = limit_parse(str_take(&text, ':'), bytes, messages);
    return rc;
}

static uint64_t percent_of(uint64_t n, uint64_t whole)
{
    unsigned __int128 part = (unsigned __int128)n * whole / 100;
    return part > INT64_MAX ? INT64_MAX : (uint64_t)part;
}

/* What an amount comes to where `whole` is the general limit. */
static uint64_t amount_of(const struct quota_amount *a, uint64_t whole)
{
    uint64_t n = a->percent ? percent_of(a->n, whole) : a->n;
    switch (a->kind) {
    case QUOTA_UNSET:
        break;
    case QUOTA_IS:
        return n;
    case QUOTA_MORE:
        return n > INT64_MAX - whole ? INT64_MAX : whole + n;
    case QUOTA_LESS:
        return n < whole ? whole - n : 1; /* 0 would be no limit */
    }
    return whole;
}

/* --- rules --- */

enum rc quota_rule_parse(str text, struct quota_rule *ret)
{
    struct quota_rule r = {0};
    str rest = str_trim(text);
    if (str_chr(rest, ':') < 0 || str_chr(rest, '\n') >= 0)
        return RC_INVALID;
    r.mailbox = str_take(&rest, ':');
    r.general = str_eq(r.mailbox, S("*")) || str_eq(r.mailbox, S("?"));
    r.ignored = str_eq(rest, S("ignore"));
    enum rc rc = r.ignored ? RC_OK : limits_parse(rest, &r.bytes, &r.messages);
    bool relative =
        r.bytes.kind > QUOTA_IS || r.messages.kind > QUOTA_IS || r.bytes.percent || r.messages.percent;
    if (rc != RC_OK || r.mailbox.n == 0 || (r.general && (r.ignored || relative)))
        return RC_INVALID;
    *ret = r;
    return RC_OK;
}

static struct quota_limits general_limits(str rules)
{
    struct quota_limits l = {0};
    struct quota_rule r;
    while (rules.n) {
        if (quota_rule_parse(str_take(&rules, '\n'), &r) != RC_OK || !r.general)
            continue;
        l.bytes = amount_of(&r.bytes, l.bytes);
        l.messages = amount_of(&r.messages, l.messages);
    }
    return l;
}

struct quota_limits quota_limits_of(str rules, str mailbox, char separator)
{
    struct quota_limits l = general_limits(rules);
    struct quota_rule r;
    while (mailbox.n && rules.n) {
        if (quota_rule_parse(str_take(&rules, '\n'), &r) != RC_OK || r.general ||
            !imap_match(r.mailbox, mailbox, separator))
            continue;
        l.ignored = r.ignored;
        if (l.bytes)
            l.bytes = amount_of(&r.bytes, l.bytes);
        if (l.messages)
            l.messages = amount_of(&r.messages, l.messages);
        break; /* the first that fits */
    }
    return l;
}

void quota_rule_put(struct buf *out, const struct quota_limits *l)
{
    bool none = l->bytes == 0 && l->messages == 0;
    buf_putc(out, '*');
    if (l->bytes || none)
        buf_printf(out, ":bytes=%llu", (unsigned long long)l->bytes);
    if (l->messages || none)
        buf_printf(out, ":messages=%llu", (unsigned long long)l->messages);
}

/* --- grace --- */

bool quota_grace_valid(str text)
{
    struct quota_amount a;
    return amount_parse(text, 10, false, &a) == RC_OK && a.kind == QUOTA_IS;
}

uint64_t quota_grace(str text, uint64_t limit)
{
    struct quota_amount a;
    return amount_parse(text, 10, false, &a) == RC_OK ? amount_of(&a, limit) : 0;
}

/* --- whether it fits --- */

/* Whoever is over the limit already gets nothing more, grace or not. */
static bool is_over(uint64_t limit, uint64_t before, uint64_t added, uint64_t grace)
{
    if (limit == 0)
        return false;
    return before > limit || added > limit - before + grace;
}

enum quota_verdict quota_judge(const struct quota_limits *l, const struct quota_use *before,
                               const struct quota_use *added, uint64_t grace)
{
    if (l->ignored || (!is_over(l->bytes, before->bytes, added->bytes, grace) &&
                       !is_over(l->messages, before->messages, added->messages, 0)))
        return QUOTA_FITS;
    return l->bytes && added->messages == 1 && added->bytes > l->bytes + grace ? QUOTA_NEVER : QUOTA_OVER;
}

/* --- warnings --- */

enum rc quota_warning_parse(str text, struct quota_warning *ret)
{
    struct quota_warning w = {0};
    text = str_trim(text);
    w.below = str_starts(text, S("-"));
    str rest = w.below ? str_from(text, 1) : text, limits = str_word(&rest);
    enum rc rc = limits_parse(limits, &w.bytes, &w.messages);
    if (rc != RC_OK || w.bytes.kind > QUOTA_IS || w.messages.kind > QUOTA_IS)
        return RC_INVALID;
    w.command = str_trim(rest);
    *ret = w;
    return RC_OK;
}

static bool crossed(const struct quota_amount *a, uint64_t whole, bool below, uint64_t before, uint64_t after)
{
    uint64_t at = a->kind == QUOTA_UNSET ? 0 : amount_of(a, whole);
    if (at == 0)
        return false;
    return below ? before >= at && after < at : before < at && after >= at;
}

bool quota_warning_crossed(const struct quota_warning *w, const struct quota_limits *l,
                           const struct quota_use *before, const struct quota_use *after)
{
    return crossed(&w->bytes, l->bytes, w->below, before->bytes, after->bytes) ||
           crossed(&w->messages, l->messages, w->below, before->messages, after->messages);
}

enum rc quota_trash_parse(str text, uint32_t *ret_priority, str *ret_mailbox)
{
    str name = str_trim(text), number = str_take(&name, ' ');
    uint32_t priority;
    if (num_parse_u32(number, UINT32_MAX, &priority) != RC_OK || str_trim(name).n == 0)
        return RC_INVALID;
    *ret_priority = priority;
    *ret_mailbox = str_trim(name);
    return RC_OK;
}
