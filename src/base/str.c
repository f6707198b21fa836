/* str: comparing, searching and cutting views of bytes. An empty view may have a NULL pointer, which the
 * functions of string.h must not be given even with length 0: hence the checks for n. */
#include "base/str.h"

bool str_ieq(str a, str b)
{
    return a.n == b.n && str_icmp(a, b) == 0;
}

static int compare_sizes(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

int str_cmp(str a, str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int diff = n ? memcmp(a.p, b.p, n) : 0;
    return diff ? diff : compare_sizes(a.n, b.n);
}

int str_icmp(str a, str b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        int diff = (unsigned char)ascii_lower(a.p[i]) - (unsigned char)ascii_lower(b.p[i]);
        if (diff)
            return diff;
    }
    return compare_sizes(a.n, b.n);
}

bool str_starts(str s, str prefix)
{
    return s.n >= prefix.n && str_eq(str_sub(s, 0, prefix.n), prefix);
}

bool str_istarts(str s, str prefix)
{
    return s.n >= prefix.n && str_ieq(str_sub(s, 0, prefix.n), prefix);
}

bool str_ends(str s, str suffix)
{
    return s.n >= suffix.n && str_eq(str_from(s, s.n - suffix.n), suffix);
}

bool str_iends(str s, str suffix)
{
    return s.n >= suffix.n && str_ieq(str_from(s, s.n - suffix.n), suffix);
}

ptrdiff_t str_chr(str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? at - s.p : -1;
}

ptrdiff_t str_rchr(str s, char c)
{
    const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;
    return at ? at - s.p : -1;
}

ptrdiff_t str_find(str s, str needle)
{
    if (needle.n == 0)
        return 0;
    const char *at = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
    return at ? at - s.p : -1;
}

ptrdiff_t str_ifind(str s, str needle)
{
    if (needle.n == 0)
        return 0;
    char first = ascii_lower(needle.p[0]);
    for (size_t i = 0; i + needle.n <= s.n; i++)
        if (ascii_lower(s.p[i]) == first && str_ieq(str_sub(s, i, needle.n), needle))
            return (ptrdiff_t)i;
    return -1;
}

str str_sub(str s, size_t from, size_t n)
{
    if (from >= s.n)
        return (str){s.n ? s.p + s.n : s.p, 0};
    return (str){s.p + from, n < s.n - from ? n : s.n - from};
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

str str_trim(str s)
{
    while (s.n && is_white(s.p[0]))
        s = str_from(s, 1);
    while (s.n && is_white(s.p[s.n - 1]))
        s.n--;
    return s;
}

str str_take(str *s, char c)
{
    ptrdiff_t at = str_chr(*s, c);
    str part = at < 0 ? *s : str_sub(*s, 0, (size_t)at);
    *s = at < 0 ? STR_NONE : str_from(*s, (size_t)at + 1);
    return part;
}

str str_word(str *s)
{
    size_t from = 0;
    while (from < s->n && (s->p[from] == ' ' || s->p[from] == '\t'))
        from++;
    size_t end = from;
    while (end < s->n && s->p[end] != ' ' && s->p[end] != '\t')
        end++;
    str word = str_sub(*s, from, end - from);
    *s = str_from(*s, end);
    return word;
}

char *str_dup(str s)
{
    char *copy = s.n < SIZE_MAX ? malloc(s.n + 1) : NULL;
    must(copy);
    if (s.n)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}

enum rc str_copy(char *dst, size_t size, str s)
{
    if (size)
        dst[0] = '\0';
    if (s.n >= size || str_chr(s, '\0') >= 0)
        return RC_LIMIT;
    if (s.n)
        memcpy(dst, s.p, s.n);
    dst[s.n] = '\0';
    return RC_OK;
}

bool str_eq_const_time(str a, str b)
{
    if (a.n != b.n)
        return false;
    const volatile char *p = a.p, *q = b.p;
    unsigned diff = 0;
    for (size_t i = 0; i < a.n; i++)
        diff |= (unsigned char)(p[i] ^ q[i]);
    return diff == 0;
}

void str_freep(char **s)
{
    free(*s);
    *s = NULL;
}
