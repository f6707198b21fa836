/* maildir_name: see the header for the grammar. The order of letters is that of ASCII, as Maildir asks. */
#include "fmt/maildir_name.h"

#include "base/num.h"

enum { HOST_BYTES_MAX = 100 };
static const char flag_letters[] = "DFPRST";

static bool name_allowed(str name)
{
    if (name.n == 0 || name.n > MAILDIR_NAME_MAX || name.p[0] == '.' || name.p[0] == ':')
        return false;
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f || name.p[i] == '/')
            return false;
    return true;
}

/* ",S=123" in the base; the last one counts. */
static void parse_keys(struct maildir_name *m)
{
    str rest = m->base;
    (void)str_take(&rest, ',');
    while (rest.n) {
        str key = str_take(&rest, ',');
        uint64_t value;
        if (!str_starts(key, S("S=")) && !str_starts(key, S("W=")))
            continue;
        if (num_parse_u64(str_from(key, 2), INT64_MAX, &value) != RC_OK)
            continue;
        if (key.p[0] == 'S') {
            m->has_size = true;
            m->size = value;
        } else {
            m->has_crlf_size = true;
            m->crlf_size = value;
        }
    }
}

static void parse_flags(struct maildir_name *m)
{
    if (!str_starts(m->info, S(":2,")))
        return;
    str rest = str_from(m->info, 3), letters = str_take(&rest, ',');
    for (size_t i = 0; i < letters.n; i++) {
        char c = letters.p[i];
        const char *at = strchr(flag_letters, c);
        if (at)
            m->flags |= 1u << (at - flag_letters);
        else if (c >= 'a' && c <= 'z')
            m->keywords |= 1u << (c - 'a');
    }
}

enum rc maildir_name_parse(str name, struct maildir_name *ret)
{
    if (!name_allowed(name))
        return RC_INVALID;
    ptrdiff_t colon = str_chr(name, ':');
    *ret = (struct maildir_name){.base = name};
    if (colon >= 0) {
        ret->base = str_sub(name, 0, (size_t)colon);
        ret->info = str_from(name, (size_t)colon);
    }
    parse_keys(ret);
    parse_flags(ret);
    return RC_OK;
}

void maildir_info_format(struct buf *out, str old_info, unsigned flags, uint32_t keywords)
{
    bool set[128] = {false};
    str rest = str_starts(old_info, S(":2,")) ? str_from(old_info, 3) : STR_NONE;
    str old = str_take(&rest, ',');
    for (size_t i = 0; i < old.n; i++) {
        char c = old.p[i];
        if (c > ' ' && c < 0x7f && !strchr(flag_letters, c) && !(c >= 'a' && c <= 'z'))
            set[(unsigned char)c] = true;
    }
    for (int i = 0; flag_letters[i]; i++)
        set[(unsigned char)flag_letters[i]] = flags >> i & 1;
    for (int i = 0; i < MAILDIR_KEYWORDS; i++)
        set['a' + i] = keywords >> i & 1;
    buf_puts(out, S(":2,"));
    for (int c = 0; c < 128; c++)
        if (set[c])
            buf_putc(out, (char)c);
    if (rest.n) {
        buf_putc(out, ',');
        buf_puts(out, rest);
    }
}

/* A host's name may come from a configuration: "/" and ":" are written as the Maildir convention has them. It
 * is cut so that the whole name, with all flags, stays below MAILDIR_NAME_MAX. */
static void put_host(struct buf *out, str host)
{
    size_t end = out->n + HOST_BYTES_MAX;
    for (size_t i = 0; i < host.n && out->n < end; i++) {
        char c = host.p[i];
        if (c == '/')
            buf_puts(out, S("\\057"));
        else if (c == ':')
            buf_puts(out, S("\\072"));
        else if (c > ' ' && c != 0x7f && c != ',')
            buf_putc(out, c);
    }
}

void maildir_base_format(struct buf *out, const struct maildir_unique *u)
{
    buf_put_u64(out, (uint64_t)(u->now / 1000000));
    buf_printf(out, ".M%06uR%016llxN%u.", (unsigned)(u->now % 1000000), (unsigned long long)u->id, u->number);
    put_host(out, u->host.n ? u->host : S("localhost"));
    buf_printf(out, ",S=%llu,W=%llu", (unsigned long long)u->size, (unsigned long long)u->crlf_size);
}
