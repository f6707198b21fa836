/* The words of notifications as bounce_template_file has them, with the values of settings in them. */
#include "base/log.h"
#include "conf/key.h"
#include "fmt/header_rewrite.h"
#include "queue/queue_impl.h"

enum { WORDS_MAX = 1 << 20, FIELD_MAX = 2000 };

struct words {
    const struct conf *conf;
    struct arena *a;
};

static void log_fault(void *ctx, int line, const char *text)
{
    log_warn("bounce_template_file: line %d: %s", line, text);
}

/* A setting by its name in Postfix. */
static const struct conf_key *find_key(str name)
{
    for (size_t i = 0; i < conf_options.n; i++)
        if (str_eq(name, str_c(conf_options.v[i].postfix)))
            return &conf_options.v[i];
    return NULL;
}

static bool find(void *ctx, str name, str *ret)
{
    const struct words *w = ctx;
    AUTO(buf_deinit) struct buf text = BUF_INIT(FIELD_MAX);
    const struct conf_key *key = find_key(name);
    str domain = str_c(w->conf->hostname);
    if (str_eq(name, S("mydomain"))) {
        (void)str_take(&domain, '.');
        *ret = domain;
        return true;
    }
    if (str_eq(name, S("mail_name")) || !key) {
        *ret = S("malle");
        return str_eq(name, S("mail_name"));
    }
    conf_value_format(key, w->conf, &text);
    *ret = arena_str(w->a, buf_str(&text));
    return ret->p != NULL;
}

static bool find_seconds(void *ctx, str name, int64_t *ret)
{
    const struct words *w = ctx;
    const struct conf_key *key = find_key(name);
    if (!key || key->type != CONF_TYPE_DURATION)
        return false;
    *ret = *(const int64_t *)(const void *)((const char *)w->conf + key->offset) / 1000;
    return true;
}

/* An address without a domain gets this host's. */
static str complete(const struct words *w, str from)
{
    const struct header_completion how = {.origin = str_c(w->conf->hostname)};
    AUTO(buf_deinit) struct buf out = BUF_INIT(FIELD_MAX);
    struct header_addresses list;
    str field = arena_printf(w->a, "From: " STR_FMT "\n\n", STR_ARG(from)), name = S("From: ");
    if (!field.p || header_rewrite_scan(field, &how, w->a, &list) != RC_OK)
        return from;
    header_rewrite_put(&out, field, &list);
    return arena_str(w->a, str_trim(str_from(buf_str(&out), name.n)));
}

static bool finish(struct words *w, enum bounce_template_kind kind, struct bounce_template *t)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(WORDS_MAX);
    const struct bounce_template_env env = {find, find_seconds, w};
    str line = STR_NONE;
    if (bounce_template_expand(t->text, &env, &text, &line) != RC_OK) {
        log_warn("bounce_template_file: the %s template has an undefined name: " STR_FMT,
                 bounce_template_name(kind), STR_ARG(str_sub(line, 0, 200)));
        return false;
    }
    t->from = complete(w, arena_str(w->a, t->from));
    t->charset = arena_str(w->a, t->charset);
    t->subject = arena_str(w->a, t->subject);
    t->postmaster_subject = arena_str(w->a, t->postmaster_subject);
    t->text = arena_str(w->a, buf_str(&text));
    return !arena_exhausted(w->a);
}

void queue_set_words(struct queue *q, str file)
{
    struct bounce_template all[BOUNCE_TEMPLATES];
    memcpy(all, bounce_template_own, sizeof all);
    q->words_arena = arena_new(4 * WORDS_MAX);
    struct words w = {q->conf, q->words_arena};
    if (bounce_template_parse(file, all, log_fault, NULL) != RC_OK)
        return;
    for (size_t i = 0; i < BOUNCE_TEMPLATES; i++) {
        bool own = memcmp(&all[i], &bounce_template_own[i], sizeof all[i]) == 0;
        q->words[i] = all[i];
        q->has_words[i] = !own && finish(&w, (enum bounce_template_kind)i, &q->words[i]);
    }
}
