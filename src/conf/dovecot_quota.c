/* Dovecot's plugin quota: what plugin {} says of it becomes the options of quotas, where mail_plugins load it
 * for sessions or deliveries. */
#include "conf/dovecot.h"

#include "conf/build.h"
#include "conf/report.h"
#include "fmt/quota_rule.h"
#include "os/file.h"

enum { LIST_BYTES = 8192 };

static const struct dovecot_block *plugin_block(const struct dovecot *d)
{
    for (size_t i = 0; i < d->conf.block_count; i++)
        if (!d->conf.blocks[i]->parent && str_eq(d->conf.blocks[i]->kind, S("plugin")))
            return d->conf.blocks[i];
    return NULL;
}

/* --- mail_plugins --- */

static void say_missing(const struct dovecot *d, const struct dovecot_setting *s, str plugin)
{
    struct conf_origin o = dovecot_origin(d, s);
    conf_warning(d->f->b->report, o.file, o.line,
                 "mail_plugins: malle does not do this; Dovecot would load the plugin " STR_FMT
                 " into sessions and deliveries",
                 STR_ARG(plugin));
}

static bool is_for_mail(const struct dovecot_setting *s)
{
    return str_eq(s->name, S("mail_plugins")) && (!s->block || str_eq(s->block->kind, S("protocol")));
}

/* Whether the plugin is loaded anywhere; tells of the others, where they are named first. */
static bool is_loaded(const struct dovecot *d)
{
    bool loaded = false;
    str told = STR_NONE;
    for (size_t i = 0; i < d->conf.count; i++) {
        const struct dovecot_setting *s = &d->conf.settings[i];
        if (!is_for_mail(s) || !dovecot_find(d, s->block, "mail_plugins"))
            continue;
        str rest = s->value, word;
        while ((word = folder_word(&rest)).n) {
            bool quota = str_eq(word, S("quota"));
            loaded |= quota;
            if (!quota && !str_eq(word, S("imap_quota")) && str_find(told, word) < 0)
                say_missing(d, s, word);
        }
        told = s->value;
    }
    return loaded;
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

static void say_commands(const struct dovecot *d, const struct dovecot_block *plugin)
{
    const struct dovecot_setting *s = dovecot_find(d, plugin, "quota_warning");
    struct quota_warning w;
    struct conf_origin o = dovecot_origin(d, s);
    if (s && quota_warning_parse(unescape((struct dovecot *)d, s->value), &w) == RC_OK && w.command.n)
        conf_warning(d->f->b->report, o.file, o.line,
                     "quota_warning: malle does not run \"" STR_FMT
                     "\"; it puts a message into INBOX by itself",
                     STR_ARG(str_sub(w.command, 0, 60)));
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

/* --- 2.4: quota "User quota" { storage_size = 1G } --- */

/* "quota_NAME" anywhere, or NAME in the block quota. */
static const struct dovecot_setting *find_24(const struct dovecot *d, const char *name)
{
    const struct dovecot_setting *found = NULL;
    for (size_t i = 0; i < d->conf.count; i++) {
        const struct dovecot_setting *s = &d->conf.settings[i];
        bool in_block = s->block && str_eq(s->block->kind, S("quota"));
        bool whole = str_starts(s->name, S("quota_")) && str_eq(str_from(s->name, 6), str_c(name));
        if ((s->block && !in_block) || !(whole || (in_block && str_eq(s->name, str_c(name)))))
            continue;
        found = dovecot_find(d, s->block, arena_str(d->f->a, s->name).p);
    }
    return found;
}

static bool is_loaded_24(const struct dovecot *d)
{
    bool loaded = false;
    for (size_t i = 0; i < d->conf.count; i++) {
        const struct dovecot_setting *s = &d->conf.settings[i];
        if (s->block && str_eq(s->block->kind, S("mail_plugins")) && str_eq(s->name, S("quota")) &&
            dovecot_find(d, s->block, "quota"))
            loaded |= str_ieq(s->value, S("yes"));
    }
    return is_loaded(d) || loaded;
}

static void set_24(struct dovecot *d)
{
    static const struct {
        const char *name, *option;
    } same[] = {{"exceeded_message", "quota_exceeded_message"},
                {"mail_size", "quota_max_mail_size"},
                {"storage_grace", "quota_grace"}};
    const struct dovecot_setting *bytes = find_24(d, "storage_size"), *messages = find_24(d, "message_count");
    const struct dovecot_setting *limit = bytes ? bytes : messages;
    bool loaded = is_loaded_24(d);
    dovecot_set(d, limit, "quota", loaded && limit ? S("yes") : S("no"));
    if (!loaded || !limit)
        return;
    if (limit->block && limit->block->name.n)
        dovecot_set(d, limit, "quota_name", limit->block->name);
    dovecot_set(d, limit, "quota_warning", S(""));
    dovecot_set(d, limit, "quota_rule",
                arena_printf(d->f->a, "*%s" STR_FMT "%s" STR_FMT, bytes ? ":bytes=" : "",
                             STR_ARG(bytes ? bytes->value : S("")), messages ? ":messages=" : "",
                             STR_ARG(messages ? messages->value : S(""))));
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        const struct dovecot_setting *s = find_24(d, same[i].name);
        if (s && s->value.n)
            dovecot_set(d, s, same[i].option, s->value);
    }
}

void dovecot_set_quota(struct dovecot *d)
{
    static const char *const same[] = {
        "quota_grace",         "quota_max_mail_size",    "quota_exceeded_message", "quota_status_success",
        "quota_status_nouser", "quota_status_overquota", "quota_status_toolarge"};
    const struct dovecot_block *plugin = plugin_block(d);
    if (d->conf.version.n > 0) {
        set_24(d);
        return;
    }
    bool loaded = is_loaded(d);
    if (!loaded || !set_root(d, plugin)) {
        dovecot_set(d, NULL, "quota", S("no"));
        return;
    }
    dovecot_set(d, NULL, "quota", S("yes"));
    set_list(d, plugin, "quota_rule");
    set_list(d, plugin, "quota_warning");
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        set_one(d, plugin, same[i]);
    say_commands(d, plugin);
}
