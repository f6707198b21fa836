/* LIST patterns: the automaton agrees with the definition of the wildcards (RFC 9051 §6.3.9), filled in as a
 * table. Input: the separator, the pattern, a line feed, the name. */
#include "fmt/imap_match.h"

enum { TABLE_MAX = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(char p, char c, bool fold)
{
    return p == c || (fold && ascii_lower(p) == ascii_lower(c));
}

/* at[k]: whether the pattern so far matches the first k bytes of the name. */
static bool by_definition(str pattern, str name, char separator)
{
    bool at[TABLE_MAX + 1] = {true}, next[TABLE_MAX + 1];
    bool inbox = str_istarts(name, S("INBOX")) && (name.n == 5 || name.p[5] == separator);
    for (size_t i = 0; i < pattern.n; i++) {
        char p = pattern.p[i];
        bool wild = p == '*' || p == '%';
        for (size_t k = 0; k <= name.n; k++) {
            next[k] = wild && at[k];
            if (k > 0 && wild)
                next[k] |= next[k - 1] && (p == '*' || name.p[k - 1] != separator);
            else if (k > 0)
                next[k] = at[k - 1] && same(p, name.p[k - 1], inbox && k <= 5);
        }
        memcpy(at, next, name.n + 1);
    }
    return at[name.n];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    str name = str_mem(data + 1, size - 1), pattern = str_take(&name, '\n');
    bool matches = imap_match(pattern, name, (char)data[0]);
    must(!matches || pattern.n <= IMAP_PATTERN_MAX);
    if (pattern.n <= IMAP_PATTERN_MAX && name.n <= TABLE_MAX)
        must(matches == by_definition(pattern, name, (char)data[0]));
    must(imap_match(S("*"), name, (char)data[0]));
    return 0;
}
