/* postconf -e, -X and -#: main.cf with other values, without entries, or with entries as comments. Other
 * lines stay as they are, and the file is replaced whole or not at all. */
#include "cli/cli.h"
#include "cli/postconf.h"
#include "fmt/tabletext.h"
#include "os/file.h"

#include <sys/stat.h>

enum { TEXT_MAX = 16 << 20 };

static bool has_white(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (tabletext_is_white(s.p[i]))
            return true;
    return false;
}

int postconf_check_edit(const struct postconf *p, const char *text)
{
    const char *options = p->mode == 'p' ? "-e, -X, or -# accepts" : "-Me, -Fe, -Pe, -X, or -# accept";
    str value = str_c(text), name = str_trim(str_take(&value, '='));
    if (strchr(text, '\n'))
        return postconf_fatal("%s no multi-line input", options);
    if (str_starts(name, S("#")))
        return postconf_fatal("%s no comment input", options);
    if (p->edit != 'e')
        return value.p ? postconf_fatal("specify one of -e -%c", p->edit) : CLI_FINE;
    if (name.n == 0)
        return postconf_fatal("missing attribute name: \"%s\"", text);
    if (!value.p || has_white(name))
        return postconf_fatal("missing '=' after attribute name: \"%s\"", text);
    return CLI_FINE;
}

/* The argument that is about the parameter, NULL when none is; -e has "name=value", the others names. */
static const char *find_edit(const struct postconf *p, str name)
{
    const char *found = NULL;
    for (int i = 0; i < p->n_names; i++) {
        str rest = str_c(p->names[i]), about = p->edit == 'e' ? str_take(&rest, '=') : rest;
        if (str_eq(str_trim(about), name))
            found = p->names[i];
    }
    return found;
}

static void put_edit(const char *edit, struct buf *out)
{
    str value = str_c(edit), name = str_trim(str_take(&value, '='));
    buf_printf(out, STR_FMT " = " STR_FMT "\n", STR_ARG(name), STR_ARG(str_trim(value)));
}

static bool is_text(str line)
{
    str trimmed = str_trim(line);
    return trimmed.n && trimmed.p[0] != '#';
}

/* Lines of entries that are edited are left out or made comments; what replaces one stands wherever it stood.
 */
static void put_lines(const struct postconf *p, bool *done, struct buf *out)
{
    const char *edit = NULL;
    for (str rest = p->text, line; rest.n;) {
        line = str_take(&rest, '\n');
        bool continues = line.n && tabletext_is_white(line.p[0]);
        if (is_text(line) && !continues) {
            str value = line;
            edit = find_edit(p, str_trim(str_take(&value, '=')));
            for (int i = 0; edit && p->edit == 'e' && i < p->n_names; i++)
                if (p->names[i] == edit) {
                    done[i] = true;
                    put_edit(edit, out);
                }
        }
        bool edited = edit && is_text(line);
        if (edited && p->edit == '#')
            buf_putc(out, '#');
        if (!edited || p->edit == '#')
            buf_printf(out, STR_FMT "\n", STR_ARG(line));
    }
}

int postconf_write(const struct postconf *p, const char *file, const struct buf *text)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(4096);
    struct stat st;
    buf_printf(&path, "%s/%s", p->folder, file);
    if (text->overflow || stat(buf_cstr(&path), &st) != 0 ||
        file_replace(buf_cstr(&path), buf_str(text), st.st_mode & 07777) != RC_OK)
        return postconf_fatal("%s cannot be written", buf_cstr(&path));
    return CLI_FINE;
}

int postconf_edit(const struct postconf *p)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(TEXT_MAX);
    bool *done = arena_array(p->a, (size_t)p->n_names + 1, sizeof *done);
    must(done);
    for (int i = 0; i < p->n_names; i++) {
        if (postconf_check_edit(p, p->names[i]) != CLI_FINE)
            return CLI_FINDING;
        if (str_trim(str_c(p->names[i])).n == 0)
            return postconf_fatal("-X or -# requires non-blank parameter names");
    }
    put_lines(p, done, &text);
    for (int i = 0; p->edit == 'e' && i < p->n_names; i++)
        if (!done[i])
            put_edit(p->names[i], &text);
    return postconf_write(p, "main.cf", &text);
}
