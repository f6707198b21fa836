/* What all milters of a session are told, and what comes of it. */
#include "smtp/milter.h"

#include "base/log.h"
#include "fmt/ip.h"
#include "os/stream.h"
#include "smtp/milter_impl.h"
#include "smtp/rules.h"
#include "table/settings.h"

enum { ARGS_MAX = 30 /* of one command */ };

/* --- which --- */

/* The list for this client, in the arena or a view of the settings. False: the table does not say. */
static bool find_list(struct smtp_session *s, struct arena *a, str *ret)
{
    struct err e = {0};
    struct table_list *maps = table_settings_find(s->p->tables, str_c(s->conf->smtpd_milter_maps));
    *ret = str_c(s->p->local ? s->conf->non_smtpd_milters : s->conf->smtpd_milters);
    if (s->p->local || !s->conf->smtpd_milter_maps[0])
        return true;
    enum rc rc = maps ? table_list_find(maps, TABLE_WHOLE_KEY, s->p->client_address, a, ret, &e) : RC_TEMP;
    if (rc == RC_OK && str_ieq(*ret, S("DISABLE")))
        *ret = STR_NONE;
    if (rc == RC_OK || rc == RC_GONE)
        return true;
    log_warn("smtpd_milter_maps: lookup error for " STR_FMT ": %s", STR_ARG(s->p->client_address),
             err_text(&e));
    return false;
}

static bool may_have(const struct smtp_session *s)
{
    const struct conf *c = s->conf;
    bool any = s->p->local ? c->non_smtpd_milters[0] : c->smtpd_milters[0] || c->smtpd_milter_maps[0];
    return any && s->env->milter_connect && !smtp_is_lmtp(s) && !smtp_gate_refuses(s) &&
           !smtp_overrides(s, S("no_milters"));
}

bool smtp_milters_wanted(const struct smtp_session *s)
{
    return s->milters && s->milters->n > 0;
}

/* One that cannot be had: what the settings say of filters that fail. */
static void add_broken(struct smtp_session *s, struct milter *m)
{
    m->conf.action = (enum conf_milter_action)s->conf->milter_default_action;
    (void)milter_fail(m, true);
}

static size_t count(str list)
{
    size_t n = 0;
    for (str rest = list; rest.n > 0; rest = str_from(rest, 1))
        n += rest.p[0] == ':'; /* each has one at least */
    return n + 1;
}

static void add_all(struct smtp_session *s, struct smtp_milters *ms, str list)
{
    struct err e = {0};
    enum rc rc = RC_OK;
    size_t cap = count(list);
    ms->v = arena_array(ms->arena, cap, sizeof *ms->v);
    must(ms->v); /* a setting has its limit */
    while (ms->n < cap) {
        struct milter *m = &ms->v[ms->n];
        rc = conf_milter_take(s->conf, &list, &m->conf, &e);
        if (rc == RC_GONE)
            return;
        ms->n++;
        buf_init(&m->reply, MILTER_REPLY_MAX);
        if (rc == RC_OK)
            continue;
        log_warn("milters: %s", err_text(&e));
        add_broken(s, m);
    }
}

static struct smtp_milters *milters_new(struct smtp_session *s)
{
    str list;
    struct smtp_milters *ms = calloc(1, sizeof *ms);
    must(ms);
    ms->arena = arena_new(MILTER_ARENA_MAX);
    buf_init(&ms->in, MILTER_PACKET_MAX);
    if (find_list(s, ms->arena, &list)) {
        add_all(s, ms, list);
    } else {
        ms->v = arena_make(ms->arena, struct milter);
        ms->n = 1;
        must(ms->v);
        add_broken(s, ms->v);
    }
    return ms;
}

void smtp_milter_close(struct smtp_session *s)
{
    struct smtp_milters *ms = s->milters;
    if (!ms)
        return;
    for (size_t i = 0; i < ms->n; i++) {
        milter_say(&ms->v[i], MILTER_QUIT);
        stream_free(ms->v[i].io);
        buf_deinit(&ms->v[i].reply);
    }
    buf_deinit(&ms->in);
    arena_free(ms->arena);
    free(ms);
    s->milters = NULL;
}

/* --- verdicts --- */

bool milter_is_done(const struct milter *m, struct milter_verdict *ret)
{
    *ret = m->io ? (struct milter_verdict){.kind = MILTER_GO} : m->lasting;
    return !m->io || m->accepted;
}

/* The first that refuses or discards has the last word; to put a message aside ends nothing. */
static struct milter_verdict tell_all(struct smtp_session *s, const struct milter_event *e, uint32_t only)
{
    struct milter_verdict all = {.kind = MILTER_GO}, one;
    struct smtp_milters *ms = s->milters;
    for (size_t i = 0; i < ms->n; i++) {
        struct milter *m = &ms->v[i];
        if (only && !(m->options.protocol & only))
            continue;
        if (!milter_is_done(m, &one))
            one = milter_tell(s, m, e, NULL, NULL);
        if (one.kind == MILTER_HOLD)
            all.kind = MILTER_HOLD;
        else if (one.kind != MILTER_GO)
            return one;
    }
    return all;
}

static void log_verdict(const struct smtp_session *s, const char *what, const char *stage, bool at_end,
                        str text, str recipient)
{
    str sender = s->tx.mail_ok ? s->tx.sender : STR_NONE;
    if (sender.n == 0 && s->tx.mail_ok)
        sender = S("");
    smtp_log_event_of(s, at_end ? LOG_AS_CLEANUP : LOG_AS_OWN, what, stage, text, sender, recipient);
}

/* Postfix's cleanup does not tell the code. */
static enum rc reject(struct smtp_session *s, const struct milter_reply *r, const char *stage, bool at_end,
                      str recipient)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(MILTER_REPLY_MAX + 100);
    struct restrict_refusal *refusal = &s->milters->refusal;
    *refusal = (struct restrict_refusal){.code = r->code, .text = r->text};
    memcpy(refusal->enhanced, r->enhanced, sizeof refusal->enhanced);
    smtp_soften(s, &refusal->code, refusal->enhanced);
    if (!at_end)
        buf_printf(&text, "%d ", refusal->code);
    buf_printf(&text, "%s%s" STR_FMT, refusal->enhanced, refusal->enhanced[0] ? " " : "", STR_ARG(r->text));
    log_verdict(s, "milter-reject", stage, at_end, buf_str(&text), recipient);
    return RC_PERM;
}

enum rc milter_apply(struct smtp_session *s, const struct milter_verdict *v, const char *stage, bool at_end,
                     str recipient, const struct restrict_refusal **ret)
{
    static const struct milter_reply end = {
        .code = 421, .enhanced = "4.7.0", .text = S("Server closing connection")};
    struct smtp_actions *a = &s->tx.actions;
    *ret = &s->milters->refusal;
    switch (v->kind) {
    case MILTER_GO:
        return RC_OK;
    case MILTER_HOLD:
        if (!a->hold)
            log_verdict(s, "milter-hold", stage, at_end, S("milter triggers HOLD action"), recipient);
        a->hold = true;
        return RC_OK;
    case MILTER_DROP:
        log_verdict(s, "milter-discard", stage, at_end, S("milter triggers DISCARD action"), recipient);
        a->discard = true;
        return RC_OK;
    case MILTER_END:
        return reject(s, &end, stage, at_end, recipient);
    case MILTER_REFUSE:
        return reject(s, &v->reply, stage, at_end, recipient);
    }
    return RC_OK;
}

/* --- the session --- */

static struct milter_verdict tell_connect(struct smtp_session *s)
{
    const struct smtp_params *p = s->p;
    str address = p->local ? S("127.0.0.1") : p->client_address;
    bool is_ip = s->has_address || p->local, is_v6 = str_chr(address, ':') >= 0;
    bool known = !str_eq(p->client_name, S("unknown"));
    const char family = !is_ip ? 'U' : is_v6 ? '6' : '4';
    char port[2];
    str name = known ? p->client_name : arena_printf(s->cmd_arena, "[" STR_FMT "]", STR_ARG(address));
    const struct milter_part parts[] = {{.bytes = name, .text = true},
                                        {.bytes = str_mem(&family, 1)},
                                        {.bytes = str_mem(port, sizeof port)},
                                        {.bytes = address, .text = true}};
    milter_put_u16(port, p->client_port);
    const struct milter_event e = {MILTER_CONNECT, MILTER_AT_CONNECT, parts, is_ip ? 4 : 2};
    return tell_all(s, &e, 0);
}

bool smtp_milter_connect(struct smtp_session *s)
{
    const struct restrict_refusal *refusal;
    smtp_milter_close(s);
    if (!may_have(s))
        return false;
    s->milters = milters_new(s);
    for (size_t i = 0; i < s->milters->n; i++)
        if (s->milters->v[i].conf.place.p)
            milter_open(s, &s->milters->v[i]);
    struct milter_verdict v = tell_connect(s);
    if (milter_apply(s, &v, "CONNECT", false, STR_NONE, &refusal) == RC_OK)
        return false;
    if (refusal->code >= 500)
        smtp_reply(s, 554, NULL, "%s ESMTP not accepting connections", s->conf->hostname);
    else if (refusal->code == 421)
        smtp_reply(s, 421, NULL, "%s Service unavailable - try again later", s->conf->hostname);
    if (refusal->code == 421)
        s->end = SMTP_END_REFUSED;
    return refusal->code >= 500 || refusal->code == 421;
}

enum rc smtp_milter_helo(struct smtp_session *s, const struct restrict_refusal **ret)
{
    if (!s->milters)
        return RC_OK;
    const struct milter_part name = {.bytes = s->helo, .text = true};
    const struct milter_event e = {MILTER_HELO, MILTER_AT_HELO, &name, 1};
    struct milter_verdict v = tell_all(s, &e, 0);
    return milter_apply(s, &v, s->last_verb, false, STR_NONE, ret);
}

bool smtp_milter_refuses_command(struct smtp_session *s)
{
    struct milter_verdict v;
    for (size_t i = 0; s->milters && i < s->milters->n; i++) {
        if (!milter_is_done(&s->milters->v[i], &v) || v.kind != MILTER_REFUSE)
            continue;
        if (v.reply.code >= 500)
            smtp_reply(s, v.reply.code, v.reply.enhanced, STR_FMT, STR_ARG(v.reply.text));
        else
            smtp_reply(s, 454, "4.3.0", "Try again later");
        return true;
    }
    return false;
}

/* --- the envelope --- */

/* path = "<" *( quoted / char ) ">" / word; the bytes that it takes */
static size_t path_size(str s)
{
    bool quoted = false, brackets = str_starts(s, S("<"));
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && brackets && c == '>')
            return i + 1;
        else if (!quoted && !brackets && c == ' ')
            return i;
    }
    return s.n;
}

/* What follows "FROM:" or "TO:", word by word. */
static size_t split(str args, struct milter_part ret[ARGS_MAX])
{
    size_t n = 0;
    (void)str_take(&args, ':');
    args = str_trim(args);
    size_t path = path_size(args);
    ret[n++] = (struct milter_part){.bytes = str_sub(args, 0, path), .text = true};
    args = str_from(args, path);
    for (str word; n < ARGS_MAX && (word = str_word(&args)).n > 0;)
        ret[n++] = (struct milter_part){.bytes = word, .text = true};
    return n;
}

static bool is_silent(const struct smtp_session *s)
{
    return !s->milters || s->tx.actions.discard;
}

enum rc smtp_milter_mail(struct smtp_session *s, str args, const struct restrict_refusal **ret)
{
    struct milter_part parts[ARGS_MAX];
    if (is_silent(s))
        return RC_OK;
    const struct milter_event e = {MILTER_MAIL, MILTER_AT_MAIL, parts, split(args, parts)};
    for (size_t i = 0; i < s->milters->n; i++)
        s->milters->v[i].in_message = true;
    struct milter_verdict v = tell_all(s, &e, 0);
    return milter_apply(s, &v, "MAIL", false, STR_NONE, ret);
}

static struct milter_verdict tell_rcpt(struct smtp_session *s, str args, str recipient, uint32_t only)
{
    struct milter_part parts[ARGS_MAX];
    const struct milter_event e = {MILTER_RCPT, MILTER_AT_RCPT, parts, split(args, parts)};
    s->milters->recipient = recipient;
    struct milter_verdict v = tell_all(s, &e, only);
    s->milters->recipient = STR_NONE;
    return v;
}

enum rc smtp_milter_rcpt(struct smtp_session *s, str args, str recipient, const struct restrict_refusal **ret)
{
    if (is_silent(s))
        return RC_OK;
    struct milter_verdict v = tell_rcpt(s, args, recipient, 0);
    return milter_apply(s, &v, "RCPT", false, recipient, ret);
}

void smtp_milter_rejected_rcpt(struct smtp_session *s, str args, str recipient, const char *enhanced,
                               str text)
{
    if (is_silent(s))
        return;
    s->milters->rejected = text;
    s->milters->rejected_enhanced = enhanced;
    (void)tell_rcpt(s, args, recipient, MILTER_REJECTED_RCPT);
    s->milters->rejected = STR_NONE;
}

enum rc smtp_milter_data(struct smtp_session *s, const struct restrict_refusal **ret)
{
    if (is_silent(s))
        return RC_OK;
    const struct milter_event e = {MILTER_DATA, MILTER_AT_DATA, NULL, 0};
    struct milter_verdict v = tell_all(s, &e, 0);
    return milter_apply(s, &v, s->last_verb, false, s->tx.n == 1 ? s->tx.rcpts[0].address : STR_NONE, ret);
}

enum rc smtp_milter_unknown(struct smtp_session *s, str line, const struct restrict_refusal **ret)
{
    if (is_silent(s))
        return RC_OK;
    const struct milter_part part = {.bytes = line, .text = true};
    const struct milter_event e = {MILTER_UNKNOWN, MILTER_AT_UNKNOWN, &part, 1};
    struct milter_verdict v = tell_all(s, &e, 0);
    return milter_apply(s, &v, s->last_verb, false, STR_NONE, ret);
}

void smtp_milter_abort(struct smtp_session *s)
{
    for (size_t i = 0; s->milters && i < s->milters->n; i++) {
        struct milter *m = &s->milters->v[i];
        if (m->in_message)
            milter_say(m, MILTER_ABORT);
        m->in_message = m->accepted = false;
        m->skipped = 0;
    }
}
