/* Who comes in: the access list, the cache, and what becomes of a client when its tests are over. */
#include "base/arena.h"
#include "fmt/tablespec.h"
#include "role/gate_impl.h"
#include "smtp/rules.h"

#include <stddef.h>
#include <unistd.h>

enum { ACCESS_MEMORY = 64 << 10, REFUSED_SHARE = 4 };

static const unsigned early = 1u << GATE_PREGREET | 1u << GATE_DNSBL;

/* --- rules --- */

/* The gate waits for no other process. */
static void say_unasked(struct gate *g, const struct conf *conf)
{
    str list = str_c(conf->gate_access_list), item;
    while (tablespec_take(&list, &item) == RC_OK) {
        const struct table_list *table = table_settings_find(g->parts.tables, item);
        if (table && table_asks(table_list_get(table, 0)))
            log_warn("gate_access_list: " STR_FMT " asks a database or a server: the gate passes it over",
                     STR_ARG(str_sub(item, 0, 200)));
    }
}

static struct gate_rules *read_rules(struct gate *g, const struct conf *conf)
{
    struct gate_rules *r = calloc(1, sizeof *r);
    must(r);
    say_unasked(g, conf);
    str list = str_c(conf->gate_dnsbl_sites);
    r->conf = conf;
    while (r->n_sites < GATE_SITES_MAX && gate_site_take(&list, &r->sites[r->n_sites], NULL) == RC_OK)
        r->n_sites++;
    return r;
}

/* Kept as long as the process, as configurations are: a client may still wait by an old one. */
static const struct gate_rules *rules_of(struct gate *g, const struct conf *conf)
{
    pthread_mutex_lock(&g->lock);
    struct gate_rules *r = g->rules;
    while (r && r->conf != conf)
        r = r->next;
    if (!r) {
        r = read_rules(g, conf);
        r->next = g->rules;
        g->rules = r;
    }
    pthread_mutex_unlock(&g->lock);
    return r;
}

/* --- clients --- */

static struct gate_client *client_new(struct gate *g, const struct gate_visitor *v)
{
    const struct gate_rules *rules = rules_of(g, v->conf);
    struct gate_client *c =
        calloc(1, offsetof(struct gate_client, asked) + rules->n_sites * sizeof *c->asked);
    must(c);
    c->gate = g;
    c->v = *v;
    c->rules = rules;
    c->session.opened = clock_mono();
    socket_client_key(v->peer, &c->key);
    return c;
}

void gate_say(const struct gate_client *c, const char *reply)
{
    /* a client that does not take a few bytes does without */
    (void)!send(c->v.fd, reply, strlen(reply), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void gate_turn_away(struct gate_client *c, const char *reply)
{
    gate_say(c, reply);
    log_info_of(LOG_AS_POSTSCREEN, "DISCONNECT " GATE_FMT, GATE_ARG(c));
    c->v.turn_away(c->v.ctx);
    free(c);
}

static void refuse(struct gate_client *c, int code, const char *enhanced, const char *text)
{
    struct smtp_gate *s = &c->session;
    c->failed = true;
    s->refused = true;
    s->code = code;
    must(str_copy(s->enhanced, sizeof s->enhanced, str_c(enhanced)) == RC_OK);
    snprintf(s->text, sizeof s->text, "%s", text);
}

bool gate_fail(struct gate_client *c, int action, const char *enhanced, const char *text)
{
    const struct smtp_gate *s = &c->session;
    char reply[SMTP_GATE_TEXT_MAX + 32];
    if (action == CONF_GATE_IGNORE)
        return false;
    refuse(c, action == CONF_GATE_DROP ? 521 : 550, enhanced, text);
    if (action != CONF_GATE_DROP)
        return false;
    snprintf(reply, sizeof reply, "%d %s %s\r\n", s->code, s->enhanced, s->text);
    gate_turn_away(c, reply);
    return true;
}

/* --- what is remembered --- */

static int64_t ttl_ms(const struct conf *conf, enum gate_test test)
{
    switch (test) {
    case GATE_PREGREET:
        return conf->gate_greet_ttl_ms;
    case GATE_PIPELINING:
        return conf->gate_pipelining_ttl_ms;
    case GATE_NON_SMTP:
        return conf->gate_non_smtp_command_ttl_ms;
    case GATE_BARE_NEWLINE:
        return conf->gate_bare_newline_ttl_ms;
    default:
        return conf->gate_dnsbl_min_ttl_ms;
    }
}

static unsigned enabled_tests(const struct gate_client *c)
{
    const struct conf *conf = c->v.conf;
    bool waits = conf->gate_greet_wait_ms > 0;
    return (waits ? 1u << GATE_PREGREET : 0) | (waits && c->rules->n_sites ? 1u << GATE_DNSBL : 0) |
           (conf->gate_pipelining_enable ? 1u << GATE_PIPELINING : 0) |
           (conf->gate_non_smtp_command_enable ? 1u << GATE_NON_SMTP : 0) |
           (conf->gate_bare_newline_enable ? 1u << GATE_BARE_NEWLINE : 0);
}

void gate_pass(struct gate_client *c, enum gate_test test, int64_t for_ms)
{
    c->passed |= 1u << test;
    c->record.until[test] = (uint32_t)(clock_seconds() + for_ms / 1000);
}

/* Which tests are to be made. A client that failed already is as a new one. */
static void recall(struct gate_client *c, const uint8_t address[16])
{
    int64_t now = clock_seconds(), kept = c->v.conf->gate_cache_retention_time_ms / 1000;
    c->is_new = c->failed || gate_cache_find(c->gate->parts.cache, address, &c->record) != RC_OK ||
                gate_record_end(&c->record) + kept < now;
    if (c->is_new) {
        c->record = (struct gate_record){.until = {0}};
        memcpy(c->record.address, address, sizeof c->record.address);
    }
    c->todo = enabled_tests(c);
    for (size_t i = 0; i < GATE_TESTS; i++)
        if (c->record.until[i] > now)
            c->todo &= ~(1u << i);
}

/* What was passed by a client that failed in something else does not count. */
static void remember(const struct gate_client *c)
{
    if (c->failed || !c->passed)
        return;
    if ((c->passed & c->todo) == c->todo)
        log_info_of(LOG_AS_POSTSCREEN, "PASS %s " GATE_FMT, c->is_new ? "NEW" : "OLD", GATE_ARG(c));
    gate_cache_put(c->gate->parts.cache, &c->record);
}

/* --- the access list --- */

static enum gate_access ask_table(const struct gate_client *c, struct table_list *table, str spec)
{
    struct arena *a = arena_new(ACCESS_MEMORY);
    struct err e = {0};
    str value = STR_NONE;
    enum gate_access said = GATE_DUNNO;
    enum rc rc = table_list_find_here(table, str_c(c->v.address), a, &value, &e);
    value = str_trim(value);
    if (rc == RC_OK && str_ieq(value, S("permit")))
        said = GATE_PERMIT;
    else if (rc == RC_OK && str_ieq(value, S("reject")))
        said = GATE_REJECT;
    else if (rc == RC_OK && !str_ieq(value, S("dunno")))
        log_warn("gate_access_list: " STR_FMT ": \"" STR_FMT "\" is not permit, reject or dunno",
                 STR_ARG(str_sub(spec, 0, 100)), STR_ARG(str_sub(value, 0, 100)));
    else if (rc != RC_OK && rc != RC_GONE)
        log_warn("gate_access_list: %s", err_text(&e));
    arena_free(a);
    return said;
}

/* Also by tables that are here. */
static bool is_near(const struct gate_client *c, const struct ip_net *address)
{
    struct table_list *l = table_settings_find(c->gate->parts.tables, str_c(c->v.conf->mynetworks_maps));
    AUTO(arena_freep) struct arena *a = l ? arena_new(ACCESS_MEMORY) : NULL;
    str ignored;
    return conf_list_has_address(&c->v.conf->mynetworks, address) ||
           (l && table_list_find_here(l, str_c(c->v.address), a, &ignored, NULL) == RC_OK);
}

static enum gate_access look_up(const struct gate_client *c, const struct ip_net *address)
{
    str list = str_c(c->v.conf->gate_access_list), item;
    enum gate_access said = GATE_DUNNO;
    while (said == GATE_DUNNO && tablespec_take(&list, &item) == RC_OK) {
        struct table_list *table = table_settings_find(c->gate->parts.tables, item);
        if (table)
            said = ask_table(c, table, item);
        else if (is_near(c, address))
            said = GATE_PERMIT;
    }
    return said;
}

/* Whether a client that is not known can pass at this address: with several servers for a domain, only one of
 * which says yes, those who ask the others first give themselves away. */
static bool may_pass_here(const struct gate_visitor *v)
{
    const struct conf_list *l = &v->conf->gate_allowlist_interfaces;
    struct ip_net own, net;
    if (ip_parse(str_c(v->own), &own) != RC_OK)
        return true;
    for (size_t i = 0; i < l->n; i++) {
        bool except = str_starts(l->v[i], S("!"));
        if (str_eq(l->v[i], S("static:all")))
            return true;
        if (ip_net_parse(str_from(l->v[i], except), &net) == RC_OK && ip_net_has(&net, &own))
            return !except;
    }
    return false;
}

/* --- going on --- */

/* Sessions that refuse have threads, too: strangers may have a part of them. */
static bool is_crowded(struct gate_client *c)
{
    unsigned most = (unsigned)c->v.conf->smtpd_process_limit / REFUSED_SHARE;
    if (!c->session.refused)
        return false;
    c->counted = true;
    return atomic_fetch_add(&c->gate->refused, 1) > most;
}

static void uncount(struct gate_client *c)
{
    if (c->counted)
        atomic_fetch_sub(&c->gate->refused, 1);
    c->counted = false;
}

void gate_conclude(struct gate_client *c)
{
    c->session.tests = c->todo & ~c->passed & ~early;
    if (is_crowded(c)) {
        uncount(c);
        log_info_of(LOG_AS_POSTSCREEN, "NOQUEUE: reject: CONNECT from " GATE_FMT ": all server ports busy",
                    GATE_ARG(c));
        gate_turn_away(c, "421 4.3.2 All server ports are busy\r\n");
    } else if (c->session.refused || c->session.tests) {
        c->v.go_on(c->v.ctx, c);
    } else {
        remember(c);
        c->v.go_on(c->v.ctx, NULL);
        free(c);
    }
}

struct smtp_gate *gate_of_session(struct gate_client *c)
{
    return &c->session;
}

/* A failure that is ignored counts as passed until another test expires, so that it is not logged each time.
 */
static void ignore_failures(struct gate_client *c)
{
    int64_t now = clock_seconds(), first = now + c->v.conf->gate_dnsbl_min_ttl_ms / 1000;
    for (size_t i = 0; i < GATE_TESTS; i++)
        if (c->record.until[i] > now && c->record.until[i] < first)
            first = c->record.until[i];
    for (size_t i = 0; i < GATE_TESTS; i++)
        if (c->session.failed & 1u << i)
            gate_pass(c, (enum gate_test)i, (first - now) * 1000);
}

struct gate_client *gate_leave(struct gate_client *c)
{
    if (!c)
        return NULL;
    uncount(c);
    c->failed = c->session.refused;
    for (int i = 0; i < GATE_TESTS; i++)
        if (c->session.passed & 1u << i)
            gate_pass(c, (enum gate_test)i, ttl_ms(c->v.conf, (enum gate_test)i));
    ignore_failures(c);
    remember(c);
    free(c);
    return NULL;
}

static void begin_tests(struct gate_client *c)
{
    if (!c->todo && !c->failed) {
        log_info_of(LOG_AS_POSTSCREEN, "PASS OLD " GATE_FMT, GATE_ARG(c));
    } else if (!may_pass_here(&c->v)) {
        log_info_of(LOG_AS_POSTSCREEN, "ALLOWLIST VETO " GATE_FMT, GATE_ARG(c));
        refuse(c, 450, "4.3.2", "Service currently unavailable");
    }
    if (c->todo & early)
        gate_wait(c);
    else
        gate_conclude(c);
}

void gate_enter(struct gate *g, const struct gate_visitor *v)
{
    struct gate_client *c = client_new(g, v);
    struct ip_net address;
    log_info_of(LOG_AS_POSTSCREEN, "CONNECT from " GATE_FMT " to [%s]:%d", GATE_ARG(c), v->own, v->own_port);
    enum rc rc = ip_parse(str_c(v->address), &address);
    enum gate_access said = rc == RC_OK ? look_up(c, &address) : GATE_PERMIT;
    if (said == GATE_PERMIT) {
        log_info_of(LOG_AS_POSTSCREEN, "ALLOWLISTED " GATE_FMT, GATE_ARG(c));
        gate_conclude(c);
        return;
    }
    if (said == GATE_REJECT) {
        log_info_of(LOG_AS_POSTSCREEN, "DENYLISTED " GATE_FMT, GATE_ARG(c));
        if (gate_fail(c, v->conf->gate_denylist_action, "5.3.2", "Service currently unavailable"))
            return;
    }
    recall(c, address.addr);
    begin_tests(c);
}
