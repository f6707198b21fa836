/* The lists of mail filters in main.cf: their Unix sockets are below queue_directory, or in the world as
 * smtpd sees it from its chroot. */
#include "conf/postfix.h"

#include <sys/stat.h>

enum { LIST_MAX = 1 << 20 };

static bool has_folder(struct postfix *p, str root, str path)
{
    struct stat st;
    ptrdiff_t slash = str_rchr(path, '/');
    str folder =
        arena_printf(p->f->a, STR_FMT STR_FMT "/", STR_ARG(root), STR_ARG(str_sub(path, 0, (size_t)slash)));
    return stat(folder.p, &st) == 0 && S_ISDIR(st.st_mode);
}

static void put_socket(struct postfix *p, str path, struct buf *out)
{
    str queue = postfix_value(p, "queue_directory").text;
    bool whole = str_starts(path, S("/"));
    bool below = !whole || (!has_folder(p, STR_NONE, path) && has_folder(p, queue, path));
    buf_puts(out, S("unix:"));
    if (below)
        buf_puts(out, queue);
    if (!whole)
        buf_putc(out, '/');
    buf_puts(out, path);
}

static bool is_end(char c)
{
    return strchr(" ,\t\r\n{}", c) != NULL;
}

static void put_word(struct postfix *p, str word, struct buf *out)
{
    static const char *const sockets[] = {"unix:", "local:"};
    for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++)
        if (str_starts(word, str_c(sockets[i]))) {
            put_socket(p, str_from(word, strlen(sockets[i])), out);
            return;
        }
    buf_puts(out, word);
}

str postfix_milters(struct postfix *p, const struct postfix_value *v)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(LIST_MAX);
    str rest = v->text;
    while (rest.n > 0) {
        size_t n = 0;
        while (n < rest.n && !is_end(rest.p[n]))
            n++;
        if (n == 0)
            buf_putc(&out, rest.p[n++]);
        else
            put_word(p, str_sub(rest, 0, n), &out);
        rest = str_from(rest, n);
    }
    return arena_str(p->f->a, buf_str(&out));
}

/* What Postfix says of itself by default is no setting; nor is for a service what main.cf says. */
void postfix_set_milters(struct postfix *p, struct conf_section s)
{
    static const char *const names[] = {"milter_macro_daemon_name", "milter_macro_v"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct postfix_value v = postfix_value(p, names[i]);
        str ignored;
        if (p->service ? postfix_override_find(p->service, str_c(names[i]), &ignored) : v.is_set)
            postfix_set_same(p, s, names[i], names[i], &v);
    }
}
