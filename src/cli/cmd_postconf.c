/* malle postconf: what main.cf and master.cf say, as postconf(1) of Postfix 3.7 prints it. It knows nothing
 * of malle's own settings: for those there is malle config. */
#include "cli/cli.h"
#include "cli/postconf.h"
#include "conf/params.h"
#include "fmt/postfix_expand.h"
#include "os/file.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEXT_MAX = 16 << 20, WIDTH = 80 };

int postconf_fatal(const char *fmt, ...)
{
    va_list ap;
    fputs("postconf: fatal: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return CLI_FINDING;
}

/* --- values --- */

static bool find(void *ctx, str name, str *ret)
{
    const struct postconf *p = ctx;
    const struct postfix_param *set = p->defaults ? NULL : postfix_main_find(&p->main, name);
    if (set)
        *ret = set->value;
    else if (str_eq(name, S("config_directory")))
        *ret = str_c(p->folder);
    else
        return postfix_computed(p->defaults ? NULL : &p->main, p->machine_name, name, ret) ||
               conf_postfix_default(NULL, name, ret);
    return true;
}

/* One space for any white space, as postconf prints values. */
static void squeeze(str s, struct buf *out)
{
    bool gap = false;
    for (size_t i = 0; i < s.n; i++) {
        bool white = strchr(" \t\r\n\v\f", s.p[i]) != NULL;
        if (gap && !white)
            buf_putc(out, ' ');
        if (!white)
            buf_putc(out, s.p[i]);
        gap = white && out->n > 0;
    }
}

static void fold(str line, struct buf *out)
{
    size_t column = 0;
    for (str rest = line, word; rest.n;) {
        word = str_take(&rest, ' ');
        if (column > 0 && column + word.n >= WIDTH) {
            buf_puts(out, S("\n    "));
            column = 4;
        } else if (column > 0) {
            buf_putc(out, ' ');
            column++;
        }
        buf_puts(out, word);
        column += word.n;
    }
    buf_putc(out, '\n');
}

void postconf_put(const struct postconf *p, str name, str value, struct buf *out)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(TEXT_MAX), line = BUF_INIT(TEXT_MAX);
    squeeze(value, &text);
    if (p->bare_names)
        buf_puts(&line, name);
    else if (p->bare_values)
        buf_puts(&line, buf_str(&text));
    else
        buf_printf(&line, STR_FMT " =%s%s", STR_ARG(name), text.n ? " " : "", buf_cstr(&text));
    if (p->fold)
        fold(buf_str(&line), out);
    else
        buf_printf(out, "%s\n", buf_cstr(&line));
}

static int print_one(const struct postconf *p, str name, str value, struct buf *out)
{
    const struct postfix_expand_env env = {.find = find, .ctx = (void *)p};
    AUTO(buf_deinit) struct buf text = BUF_INIT(TEXT_MAX);
    struct err e = {0};
    if (p->expand && postfix_expand(value, &env, &text, &e) != RC_OK)
        return postconf_fatal("%s", err_text(&e));
    postconf_put(p, name, p->expand ? buf_str(&text) : value, out);
    return CLI_FINE;
}

/* --- which parameters --- */

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

/* Names that are no parameters and that no value uses are told of, and left out. */
static bool counts(const struct postconf *p, const struct postfix_param *set)
{
    if (conf_param_find(CONF_DIALECT_POSTFIX, set->name) || postfix_is_used(&p->main, set->name))
        return true;
    fprintf(stderr, "postconf: warning: %s/main.cf: unused parameter: " STR_FMT "=" STR_FMT "\n", p->folder,
            STR_ARG(set->name), STR_ARG(set->value));
    return false;
}

static int print_all(const struct postconf *p, struct buf *out)
{
    size_t n = 0;
    str *names = arena_array(p->a, conf_postfix_params.n + p->main.n + 1, sizeof *names), value;
    must(names);
    if (p->non_default)
        names[n++] = S("config_directory");
    for (size_t i = 0; !p->non_default && i < conf_postfix_params.n; i++)
        if (!conf_postfix_params.v[i].later)
            names[n++] = str_c(conf_postfix_params.v[i].name);
    for (size_t i = 0; !p->defaults && i < p->main.n_by_name; i++) {
        bool known = !p->non_default && conf_param_find(CONF_DIALECT_POSTFIX, p->main.by_name[i]->name);
        if (!known && counts(p, p->main.by_name[i]))
            names[n++] = p->main.by_name[i]->name;
    }
    qsort(names, n, sizeof *names, by_name);
    int status = CLI_FINE;
    for (size_t i = 0; i < n && status == CLI_FINE; i++)
        status = print_one(p, names[i], find((void *)p, names[i], &value) ? value : S(""), out);
    return status;
}

static int print_named(const struct postconf *p, struct buf *out)
{
    int status = CLI_FINE;
    for (int i = 0; i < p->n_names && status == CLI_FINE; i++) {
        str name = str_c(p->names[i]), value = S("");
        bool known = find((void *)p, name, &value) || conf_param_find(CONF_DIALECT_POSTFIX, name);
        if (!known)
            fprintf(stderr, "postconf: warning: %s: unknown parameter\n", p->names[i]);
        else if (!p->non_default || postfix_main_find(&p->main, name))
            status = print_one(p, name, value, out);
    }
    return status;
}

/* --- the command --- */

static int read_files(struct postconf *p)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(TEXT_MAX), path = BUF_INIT(4096);
    bool master = p->mode == 'M' || p->mode == 'F' || p->mode == 'P';
    buf_printf(&path, "%s/%s.cf", p->folder, master ? "master" : "main");
    if (p->defaults)
        return CLI_FINE;
    if (file_read(buf_cstr(&path), &text) != RC_OK)
        return postconf_fatal("open %s: No such file or directory", buf_cstr(&path));
    p->main_text = arena_str(p->a, buf_str(&text));
    enum rc rc = master ? postfix_master_parse(p->main_text, p->a, &p->master)
                        : postfix_main_parse(p->main_text, p->a, &p->main);
    const struct postfix_faults *faults = master ? &p->master.faults : &p->main.faults;
    if (rc != RC_OK)
        return postconf_fatal("%s: too many lines", buf_cstr(&path));
    for (size_t i = 0; i < faults->n; i++)
        fprintf(stderr, "postconf: warning: %s, line %d: %s\n", buf_cstr(&path), faults->list[i].line,
                faults->list[i].why);
    return CLI_FINE;
}

static int parse_options(int argc, char **argv, struct postconf *p)
{
    optind = 1;
    for (int c; (c = getopt(argc, argv, "c:defhHnpxFMPX#")) != -1;) {
        if (c == 'c')
            p->folder = optarg;
        else if (c == 'd')
            p->defaults = true;
        else if (c == 'n')
            p->non_default = true;
        else if (c == 'h')
            p->bare_values = true;
        else if (c == 'H')
            p->bare_names = true;
        else if (c == 'x')
            p->expand = true;
        else if (c == 'f')
            p->fold = true;
        else if (c == '?')
            return postconf_fatal(
                "usage: postconf [-c folder] [-dfhHnx] [-M | -F | -P | -e | -X | -#] [name...]");
        else
            p->mode = (char)c;
    }
    p->names = argv + optind;
    p->n_names = argc - optind;
    return CLI_FINE;
}

int cmd_postconf(int argc, char **argv, struct cli *cli)
{
    const char *folder = getenv("MAIL_CONFIG");
    AUTO(arena_freep) struct arena *a = arena_new(64 << 20);
    AUTO(buf_deinit) struct buf out = BUF_INIT(TEXT_MAX);
    struct postconf p = {.folder = folder ? folder : "/etc/postfix", .mode = 'p', .a = a};
    (void)cli;
    postfix_machine_name(p.machine_name);
    int status = parse_options(argc, argv, &p);
    if (status == CLI_FINE)
        status = read_files(&p);
    if (status != CLI_FINE)
        return status;
    if (strchr("eX#", p.mode))
        return postconf_edit(&p);
    if (p.mode != 'p')
        postconf_master(&p, &out);
    else
        status = p.n_names ? print_named(&p, &out) : print_all(&p, &out);
    return cli_print(&out) == CLI_FINE ? status : CLI_FINDING;
}
