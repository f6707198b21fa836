/* The lists of domains in main.cf. What stands in files and tables of text is read here, once for each load;
 * other tables are asked when mail comes. */
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

/* The path of a table whose text is at hand, and has no index of malle's; empty: it is another one. */
static str text_of(struct postfix *p, str word)
{
    static const char *const types[] = {
        "hash:", "btree:", "dbm:", "texthash:", "proxy:hash:", "proxy:btree:"};
    if (str_starts(word, S("/")))
        return word;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        str path = str_from(word, strlen(types[i]));
        if (str_starts(word, str_c(types[i])))
            return postfix_is_indexed(p, path) ? STR_NONE : path;
    }
    return STR_NONE;
}

struct domains {
    struct buf names, tables;
    struct postfix_value by; /* where they are set; by.file NULL: nothing was read yet */
};

static void add_word(struct postfix *p, const char *name, const struct postfix_value *v, str word,
                     struct domains *d)
{
    str path = text_of(p, word);
    if (path.n)
        add_keys(p, v, path, &d->names);
    else if (str_starts(word, S("!")))
        conf_error(p->f->b->report, v->file, v->line,
                   "%s: malle takes names of domains here, files and tables of them, not " STR_FMT, name,
                   STR_ARG(word));
    else if (str_chr(word, ':') >= 0)
        buf_printf(&d->tables, STR_FMT " ", STR_ARG(word));
    else if (!str_starts(word, S("["))) /* addresses of this machine are ours anyway */
        buf_printf(&d->names, STR_FMT " ", STR_ARG(word));
}

/* The next item: a word, or a table with what it has in braces. */
static str take_item(str *rest)
{
    size_t n = 0, depth = 0;
    while (rest->n > 0 && strchr(", \t\r\n", rest->p[0]))
        *rest = str_from(*rest, 1);
    for (; n < rest->n && (depth > 0 || !strchr(", \t\r\n", rest->p[n])); n++)
        depth += rest->p[n] == '{' ? 1 : rest->p[n] == '}' && depth > 0 ? (size_t)-1 : 0;
    str item = str_sub(*rest, 0, n);
    *rest = str_from(*rest, n);
    return item;
}

static void add_domains(struct postfix *p, const char *name, struct domains *d)
{
    struct postfix_value v = postfix_value(p, name);
    str rest = v.text, word;
    while ((word = take_item(&rest)).n)
        add_word(p, name, &v, word, d);
    if (v.is_set || !d->by.file)
        d->by = v;
}

static str tables_of(struct postfix *p, const struct domains *d)
{
    struct postfix_value v = d->by;
    v.is_set = true;
    v.text = buf_str(&d->tables);
    return postfix_tables(p, &v, "texthash:");
}

static void domains_init(struct domains *d)
{
    *d = (struct domains){.by = {.file = NULL}};
    buf_init(&d->names, LIST_MAX);
    buf_init(&d->tables, LIST_MAX);
}

static void domains_deinit(struct domains *d)
{
    buf_deinit(&d->names);
    buf_deinit(&d->tables);
}

/* With all names below them, where Postfix has it so. What only its default says is not relayed: strangers
 * could send to whatever name below ours. */
static void set_relay_domains(struct postfix *p)
{
    AUTO(buf_deinit) struct buf both = BUF_INIT(2 * LIST_MAX);
    AUTO(domains_deinit) struct domains d;
    struct postfix_value below = postfix_value(p, "parent_domain_matches_subdomains");
    domains_init(&d);
    add_domains(p, "relay_domains", &d);
    str rest = buf_str(&d.names), word;
    bool subdomains = str_find(below.text, S("relay_domains")) >= 0;
    while ((word = folder_word(&rest)).n) {
        buf_printf(&both, STR_FMT " ", STR_ARG(word));
        if (subdomains && !str_starts(word, S(".")))
            buf_printf(&both, "." STR_FMT " ", STR_ARG(word));
    }
    if (!d.by.is_set)
        return;
    folder_set(p->f, d.by.file, d.by.line, "relay_domains", buf_str(&both));
    folder_set(p->f, d.by.file, d.by.line, "relay_domain_maps", tables_of(p, &d));
}

/* The tables of local_recipient_maps beside those that malle knows by itself: users of the system, aliases.
 */
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

/* What local(8) does with names that nobody has. Postfix refuses them before that, unless
 * local_recipient_maps are empty or have them. */
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
            conf_warning(
                p->f->b->report, v.file, v.line,
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
}

/* What the domains are in Postfix; the server's own name is local in malle always. */
static void set_kinds(struct postfix *p, str mydestination, str aliases)
{
    struct postfix_value local = postfix_value(p, "mydestination"),
                         alias = postfix_value(p, "virtual_alias_domains");
    folder_set(p->f, local.file, local.line, "local_domains",
               mydestination.n ? mydestination : postfix_value(p, "myhostname").text);
    folder_set(p->f, alias.file, alias.line, "alias_domains", aliases);
}

void postfix_set_domains(struct postfix *p)
{
    AUTO(domains_deinit) struct domains d;
    domains_init(&d);
    add_domains(p, "mydestination", &d);
    str local = arena_str(p->f->a, buf_str(&d.names));
    add_domains(p, "virtual_alias_domains", &d);
    str aliases = arena_str(p->f->a, str_from(buf_str(&d.names), local.n));
    set_unknown_names(p, local);
    set_kinds(p, local, aliases);
    add_domains(p, "virtual_mailbox_domains", &d);
    folder_set(p->f, d.by.file, d.by.line, "domains", buf_str(&d.names));
    folder_set(p->f, d.by.file, d.by.line, "domain_maps", tables_of(p, &d));
    set_relay_domains(p);
}
