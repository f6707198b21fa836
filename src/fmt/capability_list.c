/* capability_list: see capability_list.h. */
#include "fmt/capability_list.h"

#include "fmt/imap_lex.h"
#include "fmt/imap_response.h"

enum sign { ONLY, ADD, HIDE };

/* The next word without its sign, which holds for those behind it, too. */
static str next(str *setting, enum sign *sign)
{
    str word = str_word(setting);
    if (str_starts(word, S("+")) || str_starts(word, S("-"))) {
        *sign = word.p[0] == '+' ? ADD : HIDE;
        word = str_from(word, 1);
    }
    return word;
}

bool capability_list_is_valid(str setting)
{
    enum sign sign = ONLY;
    while (setting.n > 0) {
        str word = next(&setting, &sign);
        if (word.n == 0 && setting.n > 0)
            return false; /* a sign alone */
        for (size_t i = 0; i < word.n; i++)
            if (!imap_is_atom_char(word.p[i]))
                return false;
    }
    return true;
}

static bool is_about_login(str word)
{
    return str_istarts(word, S("AUTH=")) || str_ieq(word, S("STARTTLS")) || str_ieq(word, S("LOGINDISABLED"));
}

/* NAME is NAME=VALUE as well. */
static bool is_named(str word, str name)
{
    return str_istarts(word, name) && (word.n == name.n || word.p[name.n] == '=');
}

static bool is_told(str word, str setting)
{
    enum sign sign = ONLY;
    bool told = true, only = false, named = false;
    while (setting.n > 0) {
        str name = next(&setting, &sign);
        only |= sign == ONLY && name.n > 0;
        named |= sign == ONLY && str_ieq(word, name);
        told &= sign != HIDE || name.n == 0 || !is_named(word, name);
    }
    return told && (!only || named || is_about_login(word));
}

static void put(struct buf *out, str word)
{
    if (out->n > 0)
        buf_putc(out, ' ');
    buf_puts(out, word);
}

void capability_list_put(struct buf *out, str all, str setting)
{
    enum sign sign = ONLY;
    for (str rest = all, word; (word = str_word(&rest)).n > 0;)
        if (is_told(word, setting))
            put(out, word);
    while (setting.n > 0) {
        str name = next(&setting, &sign);
        if (name.n > 0 && sign != HIDE && !imap_capability_has(all, name))
            put(out, name);
    }
}
