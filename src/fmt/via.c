#include "fmt/via.h"

#include "base/map.h"
#include "base/num.h"

enum { HASH_DIGITS = 16 };

static const char *const words[] = {
    [VIA_USER] = "user:",   [VIA_MAILBOX] = "mailbox:", [VIA_FORWARD] = "forward:",
    [VIA_ALIAS] = "alias:", [VIA_FILTER] = "filter:",   [VIA_TRANSPORT] = "transport:"};

/* Who has a uid, and a tag behind his name. */
static bool is_user(enum via_kind kind)
{
    return kind != VIA_ALIAS && kind != VIA_FILTER && kind != VIA_TRANSPORT;
}

static bool has_target(enum via_kind kind)
{
    return kind == VIA_FORWARD || kind == VIA_ALIAS;
}

void via_put(struct buf *out, const struct via *v)
{
    buf_puts(out, str_c(words[v->kind]));
    if (is_user(v->kind))
        buf_printf(out, "%u:", v->uid);
    if (has_target(v->kind))
        buf_printf(out, "%u:%016llx:", v->n, (unsigned long long)v->hash);
    buf_puts(out, v->name);
    if (!is_user(v->kind))
        return;
    buf_putc(out, ':');
    buf_puts(out, v->tag);
}

static enum rc parse_hash(str s, uint64_t *ret)
{
    uint64_t value = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!ascii_digit(c) && (c < 'a' || c > 'f'))
            return RC_INVALID;
        value = value << 4 | (uint64_t)(ascii_digit(c) ? c - '0' : c - 'a' + 10);
    }
    *ret = value;
    return s.n == HASH_DIGITS ? RC_OK : RC_INVALID;
}

static bool is_plain(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return true;
}

enum rc via_parse(str text, struct via *ret)
{
    struct via v = {.kind = VIA_USER};
    while (!str_starts(text, str_c(words[v.kind])))
        if (v.kind++ == VIA_TRANSPORT)
            return RC_INVALID;
    str rest = str_from(text, strlen(words[v.kind]));
    enum rc rc = text.n <= VIA_MAX && is_plain(text) ? RC_OK : RC_INVALID;
    if (rc == RC_OK && is_user(v.kind))
        rc = num_parse_u32(str_take(&rest, ':'), UINT32_MAX, &v.uid);
    if (rc == RC_OK && has_target(v.kind))
        rc = num_parse_u32(str_take(&rest, ':'), ALIASES_TARGETS_MAX, &v.n);
    if (rc == RC_OK && has_target(v.kind))
        rc = parse_hash(str_take(&rest, ':'), &v.hash);
    v.name = is_user(v.kind) ? str_take(&rest, ':') : rest;
    v.tag = is_user(v.kind) ? rest : STR_NONE;
    if (rc != RC_OK || v.name.n == 0 || (is_user(v.kind) && (!rest.p || v.name.n > VIA_USER_MAX)))
        return RC_INVALID;
    *ret = v;
    return RC_OK;
}

uint64_t via_hash(const struct alias_target *t)
{
    const uint64_t key[2] = {(uint64_t)t->kind, 0};
    return map_siphash(key, t->text);
}

static bool runs(const struct alias_target *t)
{
    return t->kind == ALIAS_COMMAND || t->kind == ALIAS_FILE;
}

const struct alias_target *via_find(const struct alias *targets, unsigned n, uint64_t hash)
{
    const struct alias_target *there = n < targets->count ? &targets->targets[n] : NULL;
    if (there && via_hash(there) == hash && runs(there))
        return there;
    for (size_t i = 0; i < targets->count; i++)
        if (via_hash(&targets->targets[i]) == hash && runs(&targets->targets[i]))
            return &targets->targets[i];
    return there && runs(there) ? there : NULL;
}
