/* mail_plugins of Dovecot: which are loaded, those that malle does not have, and mail_log, whose settings are
 * options of the same names. */
#include "conf/dovecot.h"

#include "conf/report.h"

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
    static const str there[] = {S("quota"), S("imap_quota"), S("mail_log"), S("notify")};
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

void dovecot_set_plugins(struct dovecot *d)
{
    say_missing_plugins(d);
    set_mail_log(d);
}
