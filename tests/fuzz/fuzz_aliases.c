/* Alias files as users write them: what is read keeps the contract, and says the same when it is written out
 * in quotes and read again. */
#include "base/buf.h"
#include "fmt/aliases.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_quoted(struct buf *out, str prefix, str text)
{
    buf_putc(out, '"');
    buf_puts(out, prefix);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, text.p[i]);
    }
    buf_putc(out, '"');
}

static void check_again(const struct alias_target *t, struct arena *a)
{
    static const str prefixes[] = {S(""), S("|"), S(""), S(":include:")};
    struct buf text = BUF_INIT(4 * ALIASES_TEXT_MAX);
    struct alias again;
    struct err e;
    put_quoted(&text, prefixes[t->kind], t->text);
    bool other = t->kind == ALIAS_ADDRESS && (str_chr(t->text, '<') >= 0 || strchr("|/: ", t->text.p[0]));
    if (!other && aliases_parse_targets(buf_str(&text), a, &again, &e) == RC_OK) {
        must(again.count == 1 && again.targets[0].kind == t->kind);
        must(str_eq(again.targets[0].text, t->text));
    }
    buf_deinit(&text);
}

static void check(const struct alias *alias, struct arena *a)
{
    must(alias->count <= ALIASES_TARGETS_MAX && alias->line > 0);
    for (size_t i = 0; i < alias->count; i++) {
        const struct alias_target *t = &alias->targets[i];
        must(t->text.n > 0 && t->text.n <= ALIASES_TEXT_MAX);
        for (size_t k = 0; k < t->text.n; k++)
            must((unsigned char)t->text.p[k] >= ' ' && t->text.p[k] != 0x7f);
        must(t->kind == ALIAS_ADDRESS || !t->final);
        must(t->kind != ALIAS_FILE || t->text.p[0] == '/');
        must(t->kind != ALIAS_INCLUDE || t->text.p[0] == '/');
        if (i < 16)
            check_again(t, a);
    }
}

/* The text of an entry holds the same targets. */
static void check_text(const struct alias *alias, struct arena *a)
{
    struct alias again;
    struct err e;
    if (str_starts(alias->text, S("#"))) /* a comment, where it stands alone */
        return;
    must(aliases_parse_targets(alias->text, a, &again, &e) == RC_OK && again.count == alias->count);
    for (size_t i = 0; i < again.count; i++)
        must(again.targets[i].kind == alias->targets[i].kind &&
             str_eq(again.targets[i].text, alias->targets[i].text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(64 << 20);
    struct aliases_iter it = aliases_iter(str_mem(data, size));
    struct alias alias;
    struct err e;
    enum rc rc;
    size_t calls = 0;
    while ((rc = aliases_next(&it, a, &alias, &e)) != RC_GONE) {
        must(++calls <= size + 1);
        if (rc == RC_OK) {
            must(alias.name.n > 0);
            check(&alias, a);
            check_text(&alias, a);
        }
    }
    if (aliases_parse_targets(str_mem(data, size), a, &alias, &e) == RC_OK)
        check(&alias, a);
    arena_free(a);
    return 0;
}
