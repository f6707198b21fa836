/* The lists of domains in main.cf. What stands in files and tables of text is read here, once for each load:
 * malle's own lists are names. */
#include "conf/postfix.h"

#include "conf/report.h"
#include "fmt/tabletext.h"
#include "os/file.h"

enum { TEXT_MAX = 16 << 20, LIST_MAX = 4 << 20 };

/* The keys of a table, or the lines of a file, that are domains. */
static void add_keys(struct postfix *p, const struct postfix_value *v, str path, struct buf *list)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(TEXT_MAX), joined = BUF_INIT(TABLETEXT_LINE_MAX);
    enum rc rc = file_read(arena_str(p->f->a, path).p, &text);
    struct tabletext lines = tabletext_of(buf_str(&text));
    str line;
    int number;
    if (rc != RC_OK) {
        conf_report_add(p->f->b->report, !v->is_set, v->file, v->line, STR_FMT " cannot be read",
                        STR_ARG(path));
        return;
    }
    while ((rc = tabletext_next(&lines, &joined, &line, &number)) != RC_GONE) {
        str key = rc == RC_OK ? str_word(&line) : STR_NONE;
        if (key.n && str_chr(key, '@') < 0 && str_chr(key, '.') > 0)
            buf_printf(list, STR_FMT " ", STR_ARG(key));
    }
}

/* The path of a table whose text is at hand; empty: it is another one. */
static str text_of(str word)
{
    static const char *const types[] = {
        "hash:", "btree:", "dbm:", "texthash:", "lmdb:", "proxy:hash:", "proxy:btree:"};
    if (str_starts(word, S("/")))
        return word;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_starts(word, str_c(types[i])))
            return str_from(word, strlen(types[i]));
    return STR_NONE;
}

static void add_word(struct postfix *p, const char *name, const struct postfix_value *v, str word,
                     struct buf *list)
{
    str path = text_of(word);
    if (path.n)
        add_keys(p, v, path, list);
    else if (str_chr(word, ':') >= 0 &&
             !v->is_set) /* $virtual_alias_maps, which many of them need not be domains */
        conf_warning(p->f->b->report, v->file, v->line,
                     "the domains of " STR_FMT " are not known: write %s, or malle domain add", STR_ARG(word),
                     name);
    else if (str_chr(word, ':') >= 0 || str_starts(word, S("!")))
        conf_error(p->f->b->report, v->file, v->line,
                   "%s: malle takes names of domains here, and files of them, not " STR_FMT, name,
                   STR_ARG(word));
    else if (!str_starts(word, S("["))) /* addresses of this machine are ours anyway */
        buf_printf(list, STR_FMT " ", STR_ARG(word));
}

static void add_domains(struct postfix *p, const char *name, struct buf *list, struct postfix_value *ret_by)
{
    struct postfix_value v = postfix_value(p, name);
    str rest = v.text, word;
    while ((word = folder_word(&rest)).n)
        add_word(p, name, &v, word, list);
    if (v.is_set || !ret_by->file)
        *ret_by = v;
}

/* With all names below them, where Postfix has it so. What only its default says is not relayed: strangers
 * could send to whatever name below ours. */
static void set_relay_domains(struct postfix *p)
{
    AUTO(buf_deinit) struct buf list = BUF_INIT(LIST_MAX), both = BUF_INIT(2 * LIST_MAX);
    struct postfix_value by = {0}, below = postfix_value(p, "parent_domain_matches_subdomains");
    add_domains(p, "relay_domains", &list, &by);
    str rest = buf_str(&list), word;
    bool subdomains = str_find(below.text, S("relay_domains")) >= 0;
    while ((word = folder_word(&rest)).n) {
        buf_printf(&both, STR_FMT " ", STR_ARG(word));
        if (subdomains && !str_starts(word, S(".")))
            buf_printf(&both, "." STR_FMT " ", STR_ARG(word));
    }
    if (by.is_set)
        folder_set(p->f, by.file, by.line, "relay_domains", buf_str(&both));
}

/* The tables of local_recipient_maps beside those that malle knows by itself: users of the system, aliases. */
static str further_recipients(struct postfix *p, const struct postfix_value *v)
{
    AUTO(buf_deinit) struct buf further = BUF_INIT(LIST_MAX);
    struct postfix_value others = *v;
    str aliases = postfix_value(p, "alias_maps").text, rest = v->text, word;
    while ((word = folder_word(&rest)).n)
        if (str_find(word, S("unix:")) < 0 && str_find(aliases, word) < 0)
            buf_printf(&further, STR_FMT " ", STR_ARG(word));
    others.text = arena_str(p->f->a, buf_str(&further));
    return postfix_tables(p, &others, "texthash:");
}

/* What local(8) does with names that nobody has. Postfix refuses them before that, unless local_recipient_maps
 * are empty or have them. */
static void set_unknown_names(struct postfix *p, str mydestination)
{
    static const char *const names[] = {"fallback_transport_maps", "fallback_transport", "luser_relay"};
    struct postfix_value exist = postfix_value(p, "local_recipient_maps");
    str further = further_recipients(p, &exist);
    bool any = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct postfix_value v = postfix_value(p, names[i]);
        if (!v.text.n || !mydestination.n)
            continue;
        if (exist.text.n && !further.n) {
            conf_warning(p->f->b->report, v.file, v.line,
                         "%s has no effect while local_recipient_maps has no further names: such mail is refused",
                         names[i]);
            continue;
        }
        any = true;
        folder_set(p->f, v.file, v.line, names[i],
                   i == 0   ? postfix_tables(p, &v, "texthash:")
                   : i == 1 ? postfix_whole_transport(p, v.text)
                            : v.text);
    }
    if (any)
        folder_set(p->f, exist.file, exist.line, "local_recipient_maps", further);
    if (any)
        folder_set(p->f, exist.file, exist.line, "local_domains", mydestination);
}

void postfix_set_domains(struct postfix *p)
{
    AUTO(buf_deinit) struct buf list = BUF_INIT(LIST_MAX);
    struct postfix_value by = {0};
    add_domains(p, "mydestination", &list, &by);
    set_unknown_names(p, arena_str(p->f->a, buf_str(&list)));
    add_domains(p, "virtual_alias_domains", &list, &by);
    add_domains(p, "virtual_mailbox_domains", &list, &by);
    folder_set(p->f, by.file, by.line, "domains", buf_str(&list));
    set_relay_domains(p);
}
