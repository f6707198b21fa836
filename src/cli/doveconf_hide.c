#include "cli/doveconf_hide.h"

static bool ends_longer(str name, str end)
{
    return name.n > end.n && str_ends(name, end);
}

bool doveconf_is_secret(str name, str value)
{
    return value.n > 0 &&
           (ends_longer(name, S("_key")) || ends_longer(name, S("_password")) || str_eq(name, S("ssl_dh")));
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t';
}

/* The size of "pass=" and its like at the start of s, 0 without. */
static size_t secret_name_size(str s)
{
    static const char *const words[] = {"key", "secret", "pass"};
    size_t n = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_starts(s, str_c(words[i])))
            n = strlen(words[i]);
    while (n > 0 && n < s.n && s.p[n] != '=' && !is_white(s.p[n]))
        n++;
    while (n > 0 && n < s.n && is_white(s.p[n]))
        n++;
    return n > 0 && n < s.n && s.p[n] == '=' ? n + 1 : 0;
}

/* The size of "http://" and its like, when "user:password@" follows; *ret_secret: of the latter. */
static size_t url_size(str s, size_t *ret_secret)
{
    static const char *const schemes[] = {"http://", "https://", "ftp://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t n = strlen(schemes[i]), end = n;
        if (!str_starts(s, str_c(schemes[i])))
            continue;
        while (end < s.n && !strchr("@/ ", s.p[end]))
            end++;
        *ret_secret = end - n;
        return end > n && end < s.n && s.p[end] == '@' ? n : 0;
    }
    return 0;
}

void doveconf_put_masked(str v, struct buf *out)
{
    for (size_t at = 0; at < v.n;) {
        str rest = str_from(v, at);
        bool word = at == 0 || (!ascii_alpha(v.p[at - 1]) && !ascii_digit(v.p[at - 1]));
        size_t hidden = 0, n = word ? secret_name_size(rest) : 0;
        while (n > 0 && n + hidden < rest.n && !strchr(" \t;:", rest.p[n + hidden]))
            hidden++;
        if (n == 0)
            n = url_size(rest, &hidden);
        buf_puts(out, str_sub(rest, 0, n > 0 ? n : 1));
        buf_puts(out, n > 0 ? S("#hidden_use-P_to_show#") : S(""));
        at += n > 0 ? n + hidden : 1;
    }
}
