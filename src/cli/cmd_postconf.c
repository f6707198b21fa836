/* malle postconf: what main.cf and master.cf say, as postconf(1) of Postfix 3.7 prints it. It knows nothing
 * of malle's own settings: for those there is malle config. */
#include "cli/cli.h"
#include "cli/postconf.h"
#include "conf/params.h"
#include "fmt/postfix_expand.h"
#include "os/file.h"
#include "table/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEXT_MAX = 16 << 20 };

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

static bool find_override(const struct postconf *p, str name, str *ret)
{
    for (size_t i = p->n_overrides; i-- > 0;) {
        str value = str_c(p->overrides[i]);
        if (str_eq(str_trim(str_take(&value, '=')), name)) {
            *ret = str_trim(value);
            return true;
        }
    }
    return false;
}

bool postconf_find(void *ctx, str name, str *ret)
{
    const struct postconf *p = ctx;
    if (!p->defaults && find_override(p, name, ret))
        return true;
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
        if (column > 0 && column + word.n >= POSTCONF_WIDTH) {
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
    const struct postfix_expand_env env = {.find = postconf_find, .ctx = (void *)p};
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

/* -C: builtin are Postfix's own, user those that main.cf makes up and uses; malle has none of single
 * services, and all are all. */
static bool has_class(const struct postconf *p, const char *name)
{
    return !p->class || strcmp(p->class, "all") == 0 || strcmp(p->class, name) == 0;
}

static int print_all(const struct postconf *p, struct buf *out)
{
    size_t n = 0;
    str *names = arena_array(p->a, conf_postfix_params.n + p->main.n + 1, sizeof *names), value;
    must(names);
    if (p->non_default && has_class(p, "builtin"))
        names[n++] = S("config_directory");
    for (size_t i = 0; !p->non_default && has_class(p, "builtin") && i < conf_postfix_params.n; i++)
        if (!conf_postfix_params.v[i].later)
            names[n++] = str_c(conf_postfix_params.v[i].name);
    for (size_t i = 0; !p->defaults && i < p->main.n_by_name; i++) {
        bool builtin = conf_param_find(CONF_DIALECT_POSTFIX, p->main.by_name[i]->name);
        bool printed = builtin && !p->non_default;
        if (!printed && has_class(p, builtin ? "builtin" : "user") && counts(p, p->main.by_name[i]))
            names[n++] = p->main.by_name[i]->name;
    }
    qsort(names, n, sizeof *names, by_name);
    int status = CLI_FINE;
    for (size_t i = 0; i < n && status == CLI_FINE; i++)
        status = print_one(p, names[i], postconf_find((void *)p, names[i], &value) ? value : S(""), out);
    return status;
}

static int print_named(const struct postconf *p, struct buf *out)
{
    int status = CLI_FINE;
    for (int i = 0; i < p->n_names && status == CLI_FINE; i++) {
        str name = str_c(p->names[i]), value = S("");
        bool known = postconf_find((void *)p, name, &value) || conf_param_find(CONF_DIALECT_POSTFIX, name);
        if (!known)
            fprintf(stderr, "postconf: warning: %s: unknown parameter\n", p->names[i]);
        else if (!p->non_default || postfix_main_find(&p->main, name) || find_override(p, name, &value))
            status = print_one(p, name, value, out);
    }
    return status;
}

/* --- what malle has --- */

/* -a and -A: the kinds of SASL; -l: the locks on mailboxes; -m: the types of tables. */
static void print_supported(char what, struct buf *out)
{
    if (what == 'a')
        buf_puts(out, S("dovecot\n"));
    else if (what == 'A')
        buf_puts(out, S("cyrus\n"));
    else if (what == 'l')
        buf_puts(out, S("fcntl\ndotlock\n"));
    for (size_t i = 0; what == 'm' && table_type_name(i); i++)
        buf_printf(out, "%s\n", table_type_name(i));
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
    p->text = arena_str(p->a, buf_str(&text));
    enum rc rc = master ? postfix_master_parse(p->text, p->a, &p->master)
                        : postfix_main_parse(p->text, p->a, &p->main);
    const struct postfix_faults *faults = master ? &p->master.faults : &p->main.faults;
    if (rc != RC_OK)
        return postconf_fatal("%s: too many lines", buf_cstr(&path));
    for (size_t i = 0; i < faults->n; i++)
        fprintf(stderr, "postconf: warning: %s, line %d: %s\n", buf_cstr(&path), faults->list[i].line,
                faults->list[i].why);
    return CLI_FINE;
}

static int usage(void)
{
    return postconf_fatal("usage: postconf [-a | -A | -l | -m | -b | -t | -T mode] [-c folder] [-C class] "
                          "[-o name=value] [-dfhHnpvx] "
                          "[-M | -F | -P] [-e | -X | -#] [name...]");
}

static int take_value_option(struct postconf *p, int option)
{
    static const char *const classes[] = {"builtin", "service", "user", "all"};
    bool known = option != 'C';
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        known |= strcmp(optarg, classes[i]) == 0;
    if (!known)
        return postconf_fatal("unknown -C option value \"%s\" in \"%s\"", optarg, optarg);
    if (option == 'o' && !strchr(optarg, '='))
        return postconf_fatal("invalid parameter override: %s: missing '=' after attribute name", optarg);
    if (option == 'o' && p->n_overrides == POSTCONF_OVERRIDES_MAX)
        return postconf_fatal("more than %d times -o", POSTCONF_OVERRIDES_MAX);
    if (option == 'c')
        p->folder = optarg;
    else if (option == 'C')
        p->class = optarg;
    else
        p->overrides[p->n_overrides++] = optarg;
    return CLI_FINE;
}

static void take_flag(struct postconf *p, int option)
{
    p->defaults |= option == 'd';
    p->non_default |= option == 'n';
    p->bare_values |= option == 'h';
    p->bare_names |= option == 'H';
    p->expand |= option == 'x';
    p->fold |= option == 'f';
    if (strchr("eX#", option))
        p->edit = (char)option;
}

/* -p, of main.cf, is how it is without; -v is taken. */
static int parse_options(int argc, char **argv, struct postconf *p)
{
    int status = CLI_FINE;
    optind = 1;
    for (int c; status == CLI_FINE && (c = getopt(argc, argv, "aAbc:C:defFhHlmMno:pPtT:vxX#")) != -1;) {
        if (c == '?')
            return usage();
        if (strchr("aAblmMFPtT", c) && p->mode != 'p')
            return postconf_fatal("specify one of -%c -%c", p->mode, c);
        if (c == 'T')
            p->tls = optarg;
        if (strchr("aAblmMFPtT", c))
            p->mode = (char)c;
        else if (strchr("cCo", c))
            status = take_value_option(p, c);
        else
            take_flag(p, c);
    }
    p->names = argv + optind;
    p->n_names = argc - optind;
    for (int i = 0; i < p->n_names && !p->edit && strchr("pMFP", p->mode); i++)
        if (strchr(p->names[i], '='))
            p->edit = 'e';
    return status;
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
    bool supported = strchr("aAlmT", p.mode) != NULL;
    if (status == CLI_FINE && !supported)
        status = read_files(&p);
    if (status != CLI_FINE)
        return status;
    if (p.edit && !supported)
        return p.mode == 'p' ? postconf_edit(&p) : postconf_master_edit(&p);
    if (p.mode == 'T')
        status = postconf_tls(&p, &out);
    else if (p.mode == 'b' || p.mode == 't')
        status = postconf_templates(&p, &out);
    else if (supported)
        print_supported(p.mode, &out);
    else if (p.mode != 'p')
        postconf_master(&p, &out);
    else
        status = p.n_names ? print_named(&p, &out) : print_all(&p, &out);
    return cli_print(&out) == CLI_FINE ? status : CLI_FINDING;
}
