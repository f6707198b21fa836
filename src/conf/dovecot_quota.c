/* Dovecot's plugin quota: what plugin {} says of it becomes the options of quotas, where mail_plugins load it
 * for sessions or deliveries. */
#include "conf/dovecot.h"

#include "conf/build.h"
#include "conf/report.h"
#include "fmt/pipe_def.h"
#include "fmt/quota_rule.h"
#include "os/file.h"

enum { LIST_BYTES = 8192 };

const struct dovecot_block *dovecot_plugin_block(const struct dovecot *d)
{
    for (size_t i = 0; i < d->conf.block_count; i++)
        if (!d->conf.blocks[i]->parent && str_eq(d->conf.blocks[i]->kind, S("plugin")))
            return d->conf.blocks[i];
    return NULL;
}

/* --- plugin {} --- */

/* "%%" is how Dovecot has "%" there. */
static str unescape(struct dovecot *d, str value)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(LIST_BYTES);
    for (size_t i = 0; i < value.n; i++) {
        buf_putc(&out, value.p[i]);
        i += value.p[i] == '%' && i + 1 < value.n && value.p[i + 1] == '%';
    }
    return arena_str(d->f->a, buf_str(&out));
}

/* quota_rule, quota_rule2, quota_rule3...: as in Dovecot, up to the first that is not there. */
static void set_list(struct dovecot *d, const struct dovecot_block *plugin, const char *name)
{
    AUTO(buf_deinit) struct buf list = BUF_INIT(LIST_BYTES);
    const struct dovecot_setting *first = dovecot_find(d, plugin, name), *s = first;
    for (unsigned i = 2; s; i++) {
        buf_puts(&list, list.n ? S(", ") : S(""));
        conf_value_quote(unescape(d, s->value), " \t,", &list);
        s = dovecot_find(d, plugin, arena_printf(d->f->a, "%s%u", name, i).p);
    }
    struct conf_origin o = dovecot_origin(d, first);
    d->f->b->file = o.file; /* not by dovecot_set: elements have spaces in them, and are quoted already */
    conf_build_set(d->f->b, (struct conf_section){CONF_SECTION_MAIN, 0}, str_c(name), buf_str(&list), o.line);
}

/* </path: the file's first line. */
static str first_line(struct dovecot *d, const struct dovecot_setting *s)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(4096), text = BUF_INIT(LIST_BYTES);
    struct conf_origin o = dovecot_origin(d, s);
    dovecot_conf_path(&path, s->value, s->file);
    if (file_read(buf_cstr(&path), &text) != RC_OK)
        conf_error(d->f->b->report, o.file, o.line, STR_FMT ": %s cannot be read", STR_ARG(s->name),
                   buf_cstr(&path));
    str rest = buf_str(&text);
    return arena_str(d->f->a, str_trim(str_take(&rest, '\n')));
}

static void set_one(struct dovecot *d, const struct dovecot_block *plugin, const char *name)
{
    const struct dovecot_setting *s = dovecot_find(d, plugin, name);
    if (s && s->value.n)
        dovecot_set(d, s, name, s->kind == DOVECOT_FILE ? first_line(d, s) : unescape(d, s->value));
}

/* --- commands of warnings --- */

/* The i-th quota_warning, from 1 on; NULL: there is none. */
static const struct dovecot_setting *warning_of(const struct dovecot *d, unsigned i)
{
    const struct dovecot_block *plugin = dovecot_plugin_block(d);
    const char *name = i == 1 ? "quota_warning" : arena_printf(d->f->a, "quota_warning%u", i).p;
    return plugin ? dovecot_find(d, plugin, name) : NULL;
}

/* The socket that it hands its arguments to; empty: none. */
static str socket_of(struct dovecot *d, const struct dovecot_setting *s)
{
    struct quota_warning w = {.command = STR_NONE};
    if (quota_warning_parse(unescape(d, s->value), &w) != RC_OK)
        return STR_NONE;
    return str_word(&w.command);
}

static bool is_for_warnings(struct dovecot *d, str name)
{
    const struct dovecot_setting *s;
    for (unsigned i = 1; (s = warning_of(d, i)); i++)
        if (str_eq(socket_of(d, s), name))
            return true;
    return false;
}

/* "script [arguments]" as executable: the program, STR_NONE for another. */
static str script_of(const struct dovecot *d, const struct dovecot_block *service)
{
    const struct dovecot_setting *s = service ? dovecot_find(d, service, "executable") : NULL;
    str words = s ? s->value : STR_NONE;
    return str_eq(str_word(&words), S("script")) && str_starts(str_trim(words), S("/")) ? str_trim(words)
                                                                                        : STR_NONE;
}

bool dovecot_runs_for_warnings(struct dovecot *d, const struct dovecot_block *service)
{
    for (size_t i = 0; i < d->conf.block_count; i++) {
        const struct dovecot_block *b = d->conf.blocks[i];
        if (b->parent == service && str_eq(b->kind, S("unix_listener")) && is_for_warnings(d, b->name))
            return script_of(d, service).n > 0;
    }
    return false;
}

/* service NAME { executable = script PATH...  user = USER  unix_listener SOCKET } as a program. */
static void put_program(struct dovecot *d, const struct dovecot_block *socket, struct buf *out)
{
    str user = dovecot_value(d, socket->parent, "user", "dovecot"), rest = script_of(d, socket->parent);
    buf_printf(out, "%s" STR_FMT " user=" STR_FMT, out->n > 0 ? "; " : "", STR_ARG(socket->name),
               STR_ARG(user));
    const char *before = " argv=";
    for (str word = str_word(&rest); word.n > 0; word = str_word(&rest), before = " ")
        buf_printf(out, "%s{" STR_FMT "}", before, STR_ARG(word));
}

static void set_programs(struct dovecot *d)
{
    AUTO(buf_deinit) struct buf programs = BUF_INIT(LIST_BYTES);
    const struct dovecot_setting *s;
    for (size_t i = 0; i < d->conf.block_count; i++) {
        const struct dovecot_block *b = d->conf.blocks[i];
        if (b->parent && str_eq(b->kind, S("unix_listener")) && is_for_warnings(d, b->name) &&
            script_of(d, b->parent).n > 0)
            put_program(d, b, &programs);
    }
    for (unsigned i = 1; (s = warning_of(d, i)); i++) {
        struct conf_origin o = dovecot_origin(d, s);
        str name = socket_of(d, s);
        struct pipe_def def;
        if (name.n > 0 && pipe_def_find(buf_str(&programs), name, &def) != RC_OK)
            conf_warning(d->f->b->report, o.file, o.line,
                         STR_FMT ": no service runs a script for \"" STR_FMT
                                 "\"; malle puts a message into INBOX by itself",
                         STR_ARG(s->name), STR_ARG(str_sub(name, 0, 60)));
    }
    if (programs.n > 0)
        dovecot_set(d, warning_of(d, 1), "quota_warning_programs", buf_str(&programs));
}

/* quota = maildir:User quota[:option]... */
static bool set_root(struct dovecot *d, const struct dovecot_block *plugin)
{
    const struct dovecot_setting *root = plugin ? dovecot_find(d, plugin, "quota") : NULL;
    if (!root || root->value.n == 0)
        return false;
    struct conf_origin o = dovecot_origin(d, root);
    str rest = root->value, driver = str_take(&rest, ':'), name = str_take(&rest, ':');
    if (str_eq(driver, S("fs"))) {
        conf_warning(d->f->b->report, o.file, o.line,
                     "quota: malle does not do this; Dovecot would ask the file system for its own quota");
        return false;
    }
    while (rest.n) {
        str option = str_take(&rest, ':');
        if (str_eq(option, S("noenforcing")))
            return false;
    }
    if (name.n)
        dovecot_set(d, root, "quota_name", name);
    return true;
}

void dovecot_set_quota(struct dovecot *d)
{
    static const char *const same[] = {
        "quota_grace",         "quota_max_mail_size",    "quota_exceeded_message", "quota_status_success",
        "quota_status_nouser", "quota_status_overquota", "quota_status_toolarge"};
    const struct dovecot_block *plugin = dovecot_plugin_block(d);
    if (!dovecot_loads_plugin(d, S("quota")) || !set_root(d, plugin)) {
        dovecot_set(d, NULL, "quota", S("no"));
        return;
    }
    dovecot_set(d, NULL, "quota", S("yes"));
    set_list(d, plugin, "quota_rule");
    set_list(d, plugin, "quota_warning");
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        set_one(d, plugin, same[i]);
    set_programs(d);
}
