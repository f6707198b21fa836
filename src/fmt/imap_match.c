/* imap_match: the pattern as a nondeterministic automaton, one state a pattern byte, run over the name with a
 * set of states: no backtracking, so "*a*a*a*b" costs no more than any other pattern of its length. */
#include "fmt/imap_match.h"

/* Adds state i and all that it reaches without a byte: a wildcard may stand for nothing. What a state that is
 * there already reaches is there too, so a run of wildcards is walked once for each byte of the name. */
static void reach(bool *states, str pattern, size_t i)
{
    while (!states[i]) {
        states[i] = true;
        if (i < pattern.n && (pattern.p[i] == '*' || pattern.p[i] == '%'))
            i++;
    }
}

static bool same(char pattern, char name, bool fold)
{
    return pattern == name || (fold && ascii_lower(pattern) == ascii_lower(name));
}

bool imap_match(str pattern, str name, char separator)
{
    bool sets[2][IMAP_PATTERN_MAX + 1] = {{false}};
    bool *now = sets[0], *next = sets[1];
    if (pattern.n > IMAP_PATTERN_MAX)
        return false;
    bool inbox = str_istarts(name, S("INBOX")) && (name.n == 5 || name.p[5] == separator);
    reach(now, pattern, 0);
    for (size_t k = 0; k < name.n; k++) {
        memset(next, 0, pattern.n + 1);
        for (size_t i = 0; i < pattern.n; i++) {
            if (!now[i])
                continue;
            if (pattern.p[i] == '*' || (pattern.p[i] == '%' && name.p[k] != separator))
                reach(next, pattern, i);
            else if (pattern.p[i] != '%' && same(pattern.p[i], name.p[k], inbox && k < 5))
                reach(next, pattern, i + 1);
        }
        bool *swap = now;
        now = next;
        next = swap;
    }
    return now[pattern.n];
}
