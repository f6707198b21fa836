/* Quotas of 2.4 in the words of 2.3's plugin: quota "User quota" { storage_size = 1G warning x { ... } } and
 * namespace x { mailbox Trash { quota_storage_extra = 100M } }. Of several blocks the first counts. */
#include "base/num.h"
#include "conf/dovecot_24_impl.h"

enum { PERCENT_MAX = 1000 };

struct quota {
    struct dovecot_24 *x;
    struct dovecot_24_adding *to;
    const struct dovecot_block *block, *plugin; /* block: NULL where settings stand at the top alone */
    unsigned rules, warnings;
    struct err *e;
};

/* NAME or quota_NAME in the block, or the latter at the top. */
static const struct dovecot_setting *find(const struct quota *q, const struct dovecot_block *b,
                                          const char *name)
{
    const struct dovecot_setting *s = b ? dovecot_24_find(q->x, b, str_c(name)) : NULL;
    return s ? s : dovecot_24_find(q->x, b, arena_printf(q->x->a, "quota_%s", name));
}

static const struct dovecot_setting *find_anywhere(const struct quota *q, const char *name)
{
    const struct dovecot_setting *s = q->block ? find(q, q->block, name) : NULL;
    return s ? s : find(q, NULL, name);
}

/* quota_rule, quota_rule2... */
static void add_numbered(struct quota *q, const struct dovecot_setting *from, const char *name,
                         unsigned *number, str value)
{
    bool first = ++*number == 1;
    str numbered = first ? str_c(name) : arena_printf(q->x->a, "%s%u", name, *number);
    dovecot_24_add(q->to, q->plugin, from, numbered, value);
}

static void add_rule(struct quota *q, const struct dovecot_setting *from, str value)
{
    add_numbered(q, from, "quota_rule", &q->rules, value);
}

/* --- how much --- */

static void add_limits(struct quota *q)
{
    const struct dovecot_setting *bytes = find_anywhere(q, "storage_size"),
                                 *messages = find_anywhere(q, "message_count");
    if (!bytes && !messages)
        return;
    add_rule(q, bytes ? bytes : messages,
             arena_printf(q->x->a, "*%s" STR_FMT "%s" STR_FMT, bytes ? ":bytes=" : "",
                          STR_ARG(bytes ? bytes->value : S("")), messages ? ":messages=" : "",
                          STR_ARG(messages ? messages->value : S(""))));
}

/* 110 percent are a tenth more. */
static void add_percentage(struct quota *q, str mailbox, const struct dovecot_setting *s)
{
    uint32_t percent = 0;
    if (num_parse_u32(s->value, PERCENT_MAX, &percent) != RC_OK || percent == 100)
        return;
    add_rule(q, s,
             arena_printf(q->x->a, STR_FMT ":storage=%c%u%%%%", STR_ARG(mailbox), percent > 100 ? '+' : '-',
                          percent > 100 ? percent - 100 : 100 - percent));
}

static void add_mailbox(struct quota *q, const struct dovecot_block *b)
{
    const struct dovecot_setting *extra = dovecot_24_find(q->x, b, S("quota_storage_extra")),
                                 *percent = dovecot_24_find(q->x, b, S("quota_storage_percentage")),
                                 *ignore = dovecot_24_find(q->x, b, S("quota_ignore"));
    if (ignore && str_eq(ignore->value, S("yes"))) {
        add_rule(q, ignore, arena_printf(q->x->a, STR_FMT ":ignore", STR_ARG(b->name)));
        return;
    }
    if (extra)
        add_rule(
            q, extra,
            arena_printf(q->x->a, STR_FMT ":storage=+" STR_FMT, STR_ARG(b->name), STR_ARG(extra->value)));
    if (percent)
        add_percentage(q, b->name, percent);
}

static void add_mailboxes(struct quota *q)
{
    for (size_t i = 0; i < q->x->conf->block_count; i++) {
        const struct dovecot_block *b = q->x->conf->blocks[i];
        if (str_eq(b->kind, S("mailbox")) && b->parent && str_eq(b->parent->kind, S("namespace")))
            add_mailbox(q, b);
    }
}

/* --- warnings --- */

static const struct dovecot_setting *find_in_warning(const struct quota *q, const struct dovecot_block *b,
                                                     const char *name)
{
    const struct dovecot_setting *s = find(q, b, name);
    return s ? s : dovecot_24_find(q->x, b, arena_printf(q->x->a, "quota_warning_%s", name));
}

/* "storage=95%%", "messages=1000"; STR_NONE: it says nothing of that. */
static str threshold_of(const struct quota *q, const struct dovecot_block *b,
                        const struct dovecot_setting **ret_from)
{
    static const struct {
        const char *name, *resource, *unit;
    } kinds[] = {{"storage_percentage", "storage", "%%"},
                 {"storage_size", "bytes", ""},
                 {"message_percentage", "messages", "%%"},
                 {"message_count", "messages", ""}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct dovecot_setting *s = find_in_warning(q, b, kinds[i].name);
        if (!s)
            continue;
        *ret_from = s;
        return arena_printf(q->x->a, "%s=" STR_FMT "%s", kinds[i].resource, STR_ARG(s->value), kinds[i].unit);
    }
    return STR_NONE;
}

/* execute quota-warning { args = 95 %{user} } */
static enum rc put_command(const struct quota *q, const struct dovecot_block *warning, struct buf *out)
{
    const struct dovecot_block *b = dovecot_24_inner(q->x, warning, "execute");
    const struct dovecot_setting *args = b ? dovecot_24_find(q->x, b, S("args")) : NULL;
    if (b && !args)
        args = dovecot_24_find(q->x, b, S("execute_args"));
    if (!b)
        return RC_OK;
    buf_printf(out, " " STR_FMT "%s", STR_ARG(b->name), args ? " " : "");
    return args ? dovecot_24_put(q->x, args, out, q->e) : RC_OK;
}

static enum rc add_warning(struct quota *q, const struct dovecot_block *b)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(DOVECOT_24_VALUE_MAX);
    const struct dovecot_setting *from = NULL, *side = find_in_warning(q, b, "threshold");
    str threshold = threshold_of(q, b, &from);
    if (!from)
        return RC_OK;
    buf_printf(&text, "%s" STR_FMT, side && str_eq(side->value, S("under")) ? "-" : "", STR_ARG(threshold));
    enum rc rc = put_command(q, b, &text);
    if (rc == RC_OK)
        add_numbered(q, from, "quota_warning", &q->warnings, arena_str(q->x->a, buf_str(&text)));
    return rc;
}

static enum rc add_warnings(struct quota *q)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < q->x->conf->block_count && rc == RC_OK; i++) {
        const struct dovecot_block *b = q->x->conf->blocks[i];
        bool whole = str_eq(b->kind, S("quota_warning"));
        if ((whole && !b->parent) ||
            (b->parent && b->parent == q->block && (whole || str_eq(b->kind, S("warning")))))
            rc = add_warning(q, b);
    }
    return rc;
}

/* --- all of it --- */

static void add_others(struct quota *q)
{
    static const struct {
        const char *now, *then;
    } names[] = {{"exceeded_message", "quota_exceeded_message"},
                 {"mail_size", "quota_max_mail_size"},
                 {"storage_grace", "quota_grace"},
                 {"status_nouser", "quota_status_nouser"},
                 {"status_overquota", "quota_status_overquota"},
                 {"status_success", "quota_status_success"},
                 {"status_toolarge", "quota_status_toolarge"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct dovecot_setting *s = find_anywhere(q, names[i].now);
        if (s && s->value.n > 0 && !str_eq(s->value, S("unlimited")))
            dovecot_24_add(q->to, q->plugin, s, str_c(names[i].then), s->value);
    }
}

/* A block that no file has. */
static enum rc make_plugin(struct quota *q, struct dovecot_conf *conf)
{
    struct dovecot_block *plugin = arena_make(q->x->a, struct dovecot_block);
    const struct dovecot_block **blocks =
        arena_array(q->x->a, conf->block_count + 1, sizeof(const struct dovecot_block *));
    if (!plugin || !blocks)
        return RC_LIMIT;
    for (size_t i = 0; i < conf->block_count; i++)
        blocks[i] = conf->blocks[i];
    *plugin = (struct dovecot_block){.kind = S("plugin"), .id = conf->block_count};
    blocks[conf->block_count++] = plugin;
    conf->blocks = blocks;
    q->plugin = plugin;
    return RC_OK;
}

enum rc dovecot_24_quota(struct dovecot_24 *x, struct dovecot_conf *conf, struct dovecot_24_adding *to,
                         struct err *e)
{
    struct quota q = {.x = x, .to = to, .block = dovecot_24_inner(x, NULL, "quota"), .e = e};
    const struct dovecot_setting *driver = find_anywhere(&q, "driver"), *any = driver;
    any = any ? any : find_anywhere(&q, "storage_size");
    any = any ? any : find_anywhere(&q, "message_count");
    if (!any)
        return RC_OK;
    if (make_plugin(&q, conf) != RC_OK)
        return RC_LIMIT;
    dovecot_24_add(to, q.plugin, any, S("quota"),
                   arena_printf(x->a, STR_FMT ":" STR_FMT, STR_ARG(driver ? driver->value : S("count")),
                                STR_ARG(q.block ? q.block->name : S(""))));
    add_limits(&q);
    add_mailboxes(&q);
    add_others(&q);
    return add_warnings(&q);
}
