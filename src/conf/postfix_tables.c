/* Lists of tables in main.cf, where malle reads other files than Postfix does. */
#include "conf/postfix.h"

#include <unistd.h>

static bool is_end(char c)
{
    return strchr(" ,\t\r\n{}", c) != NULL;
}

static bool is_there(struct postfix *p, str path, const char *end)
{
    return access(arena_printf(p->f->a, STR_FMT "%s", STR_ARG(path), end).p, F_OK) == 0;
}

bool postfix_is_indexed(struct postfix *p, str path)
{
    return is_there(p, path, ".lmdb");
}

/* A file of Berkeley DB says nothing to malle: where postmap of malle has not made its own beside it, the
 * text counts, as newly read at each reload. Postfix's default, which nobody set, may be missing. */
static void put_indexed(struct postfix *p, str type, str path, const char *text_type, bool is_set,
                        struct buf *out)
{
    if (postfix_is_indexed(p, path) || (is_set && !is_there(p, path, "")))
        buf_printf(out, STR_FMT STR_FMT, STR_ARG(type), STR_ARG(path));
    else if (is_there(p, path, ""))
        buf_printf(out, "%s" STR_FMT, text_type, STR_ARG(path));
}

/* One table off the front of *rest. */
static void put_table(struct postfix *p, str *rest, const char *text_type, bool is_set, struct buf *out)
{
    static const char *const indexed[] = {"hash:", "btree:", "dbm:"};
    size_t n = 0;
    if (str_starts(*rest,
                   S("proxy:"))) /* malle's tables of databases are asked by a process of their own anyway */
        *rest = str_from(*rest, 6);
    while (n < rest->n && !is_end(rest->p[n]))
        n++;
    str table = str_sub(*rest, 0, n);
    *rest = str_from(*rest, n);
    for (size_t i = 0; i < sizeof indexed / sizeof *indexed; i++) {
        str type = str_c(indexed[i]);
        if (str_starts(table, type)) {
            put_indexed(p, S("hash:"), str_from(table, type.n), text_type, is_set, out);
            return;
        }
    }
    if (is_set || !str_starts(table, S("nis:")))
        buf_puts(out, table);
}

str postfix_tables(struct postfix *p, const struct postfix_value *v, const char *text_type)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 20);
    str rest = v->text;
    while (rest.n) {
        if (!is_end(rest.p[0])) {
            put_table(p, &rest, text_type, v->is_set, &out);
            continue;
        }
        if (rest.p[0] != ',' || v->is_set)
            buf_putc(&out, rest.p[0]);
        rest = str_from(rest, 1);
    }
    return arena_str(p->f->a, str_trim(buf_str(&out)));
}
