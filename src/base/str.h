/* str: a view of bytes, passed by value, never needing a NUL and never owning its memory.
 * Invariant: p may be NULL only when n is 0. Case-insensitive forms fold ASCII only. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/banned.h"
#include "base/err.h"

#include <stdint.h>

typedef struct {
    const char *p;
    size_t n;
} str;

#define S(lit)     ((str){"" lit, sizeof(lit) - 1})
#define STR_NONE   ((str){NULL, 0})
#define STR_FMT    "%.*s"
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

static inline str str_c(const char *cstr) /* view of a NUL-terminated string; NULL gives the empty view */
{
    return (str){cstr, cstr ? strlen(cstr) : 0};
}
static inline str str_mem(const void *p, size_t n)
{
    return (str){p, n};
}

static inline bool str_eq(str a, str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
bool str_ieq(str a, str b);
int str_cmp(str a, str b);  /* bytes, shorter first on a common prefix */
int str_icmp(str a, str b); /* ASCII case folded */
bool str_starts(str s, str prefix);
bool str_istarts(str s, str prefix);
bool str_ends(str s, str suffix);
bool str_iends(str s, str suffix);
/* Offset of the first occurrence, or -1. */
ptrdiff_t str_chr(str s, char c);
ptrdiff_t str_rchr(str s, char c);
ptrdiff_t str_find(str s, str needle);
ptrdiff_t str_ifind(str s, str needle);
/* Bytes [from, from+n), clipped to s. */
str str_sub(str s, size_t from, size_t n);
static inline str str_from(str s, size_t from)
{
    return str_sub(s, from, s.n);
}
/* Without spaces, tabs, CR and LF at both ends. */
str str_trim(str s);
/* Takes the part before the first c off *s and returns it; *s becomes what follows c. Without c: all of *s,
 * and *s becomes STR_NONE. */
str str_take(str *s, char c);
/* Next word of *s, delimited by spaces and tabs; empty when none is left. */
str str_word(str *s);
/* Heap copy with a NUL behind it; the caller frees it. */
char *str_dup(str s);
/* Copies s and a NUL into dst[size]; RC_LIMIT (dst holds "") when it does not fit or contains a NUL. */
MUST_USE enum rc str_copy(char *dst, size_t size, str s);
/* Equality in time that depends on the lengths only (secrets). */
bool str_eq_const_time(str a, str b);
/* Frees a char * variable: AUTO(str_freep) char *x. */
void str_freep(char **s);

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}
static inline char ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}
static inline bool ascii_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool ascii_alpha(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
static inline bool ascii_alnum(char c)
{
    return ascii_digit(c) || ascii_alpha(c);
}

#endif
