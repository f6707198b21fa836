/* mail_plugins of Dovecot: which are loaded, those that malle does not have; mail_log, whose settings are
 * options of the same names; and trash. */
#include "conf/dovecot.h"

#include "conf/build.h"
#include "conf/report.h"
#include "os/file.h"

enum { TRASH_FILE_MAX = 8192 };

static bool is_for_mail(const struct dovecot_setting *s)
{
    return str_eq(s->name, S("mail_plugins")) && (!s->block || str_eq(s->block->kind, S("protocol")));
}

bool dovecot_loads_plugin(const struct dovecot *d, str plugin)
{
    bool loaded = false;
    for (size_t i = 0; i < d->conf.count; i++) {
        const struct dovecot_setting *s = &d->conf.settings[i];
        if (!is_for_mail(s))
            continue;
        dovecot_mark(d, s);
        for (str rest = s->value, word; (word = folder_word(&rest)).n;)
            loaded |= str_eq(word, plugin);
    }
    return loaded;
}

static void say_missing(const struct dovecot *d, const struct dovecot_setting *s, str plugin)
{
    struct conf_origin o = dovecot_origin(d, s);
    conf_warning(d->f->b->report, o.file, o.line,
                 "mail_plugins: malle does not do this; Dovecot would load the plugin " STR_FMT
                 " into sessions and deliveries",
                 STR_ARG(plugin));
}

/* Of plugins that malle has no word for, where they are named first. */
static void say_missing_plugins(const struct dovecot *d)
{
    static const str there[] = {S("quota"), S("imap_quota"), S("mail_log"), S("notify"), S("trash")};
    str told = STR_NONE;
    for (size_t i = 0; i < d->conf.count; i++) {
        const struct dovecot_setting *s = &d->conf.settings[i];
        if (!is_for_mail(s))
            continue;
        for (str rest = s->value, word; (word = folder_word(&rest)).n;) {
            bool known = false;
            for (size_t k = 0; k < sizeof there / sizeof *there; k++)
                known |= str_eq(word, there[k]);
            if (!known && str_find(told, word) < 0)
                say_missing(d, s, word);
        }
        told = s->value;
    }
}

/* Of plugin {} in 2.3, at the top in 2.4. */
static void set_mail_log(struct dovecot *d)
{
    static const struct {
        const char *name, *otherwise; /* what the plugin has of itself */
    } own[] = {{"mail_log_events", "delete undelete expunge save copy mailbox_delete mailbox_rename"},
               {"mail_log_fields", "uid box msgid size"}};
    const struct dovecot_block *plugin = d->conf.version.n > 0 ? NULL : dovecot_plugin_block(d);
    bool has_plugin = plugin || d->conf.version.n > 0;
    if (!dovecot_loads_plugin(d, S("mail_log")))
        return;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        const struct dovecot_setting *s = has_plugin ? dovecot_find(d, plugin, own[i].name) : NULL;
        dovecot_set(d, s, own[i].name, s && s->value.n > 0 ? s->value : str_c(own[i].otherwise));
    }
}

/* --- trash --- */

static void put_element(struct buf *list, str priority, str mailbox)
{
    buf_printf(list, "%s\"" STR_FMT " " STR_FMT "\"", list->n ? ", " : "", STR_ARG(priority),
               STR_ARG(mailbox));
}

/* "1 Junk" on each line of the file. */
static void put_file(struct dovecot *d, const struct dovecot_setting *s, struct buf *list)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(4096), text = BUF_INIT(TRASH_FILE_MAX);
    struct conf_origin o = dovecot_origin(d, s);
    dovecot_conf_path(&path, s->value, s->file);
    if (file_read(buf_cstr(&path), &text) != RC_OK)
        conf_error(d->f->b->report, o.file, o.line, "trash: %s cannot be read", buf_cstr(&path));
    for (str rest = buf_str(&text); rest.n > 0;) {
        str mailbox = str_trim(str_take(&rest, '\n'));
        if (mailbox.n == 0 || str_starts(mailbox, S("#")))
            continue;
        str priority = str_word(&mailbox);
        put_element(list, priority, str_trim(mailbox));
    }
}

/* namespace x { mailbox Junk { trash_priority = 1 } } of 2.4. */
static const struct dovecot_setting *put_mailboxes(struct dovecot *d, struct buf *list)
{
    const struct dovecot_setting *first = NULL;
    for (size_t i = 0; i < d->conf.block_count; i++) {
        const struct dovecot_block *b = d->conf.blocks[i];
        if (!str_eq(b->kind, S("mailbox")) || !b->parent || !str_eq(b->parent->kind, S("namespace")))
            continue;
        const struct dovecot_setting *s = dovecot_find(d, b, "trash_priority");
        s = s ? s : dovecot_find(d, b, "mailbox_trash_priority");
        if (!s)
            continue;
        put_element(list, s->value, b->name);
        first = first ? first : s;
    }
    return first;
}

static void set_trash(struct dovecot *d)
{
    AUTO(buf_deinit) struct buf list = BUF_INIT(TRASH_FILE_MAX);
    const struct dovecot_block *plugin = dovecot_plugin_block(d);
    if (!dovecot_loads_plugin(d, S("trash")))
        return;
    const struct dovecot_setting *s = put_mailboxes(d, &list),
                                 *file = plugin ? dovecot_find(d, plugin, "trash") : NULL;
    if (file && file->value.n > 0)
        put_file(d, file, &list);
    struct conf_origin o = dovecot_origin(d, file ? file : s);
    if (list.n == 0)
        return;
    d->f->b->file = o.file; /* not by dovecot_set: elements have spaces in them, and are quoted already */
    conf_build_set(d->f->b, (struct conf_section){CONF_SECTION_MAIN, 0}, S("quota_trash"), buf_str(&list),
                   o.line);
}

void dovecot_set_plugins(struct dovecot *d)
{
    say_missing_plugins(d);
    set_mail_log(d);
    set_trash(d);
}
