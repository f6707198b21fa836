/* The DNS lists of the gate (RFC 5782): asked all at once while the client waits. */
#include "base/arena.h"
#include "fmt/dns_name.h"
#include "role/gate_impl.h"

enum {
    QUESTIONS_MAX = 512, /* at the resolver; it has room for others */
    NAME_MEMORY = 16 << 10
};

static void settle(struct gate_client *c, struct gate_asked *a)
{
    a->settled = true;
    c->n_open--;
}

static enum rc ask_one(struct gate_client *c, size_t i)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(2 * DNS_NAME_TEXT_MAX);
    struct ip_net address = {.bits = 128};
    memcpy(address.addr, c->record.address, sizeof address.addr);
    dnsbl_put_address(&name, &c->rules->sites[i].list, &address);
    return resolver_ask(c->gate->parts.resolver, buf_str(&name), DNS_A, &c->asked[i].question);
}

void gate_dnsbl_ask(struct gate_client *c)
{
    for (size_t i = 0; i < c->rules->n_sites; i++) {
        struct gate_asked *a = &c->asked[i];
        if (a->question || a->settled)
            continue;
        if (c->gate->questions >= QUESTIONS_MAX)
            return;
        enum rc rc = ask_one(c, i);
        if (rc == RC_OK)
            c->gate->questions++;
        else if (rc == RC_INVALID)
            settle(c, a);
        else
            return; /* later */
    }
}

/* As Postfix's dnsblog, once for each list. */
static void log_listed(const struct gate_client *c, size_t i, const struct dns_answer *answer)
{
    str domain = c->rules->sites[i].list.domain;
    for (size_t j = 0; j < i; j++)
        if (str_ieq(c->rules->sites[j].list.domain, domain))
            return;
    for (size_t j = 0; j < answer->n; j++) {
        const unsigned char *a = (const unsigned char *)answer->rdata[j].p;
        if (answer->rdata[j].n == 4)
            log_info_of(LOG_AS_DNSBLOG, "addr %s listed by domain " STR_FMT " as %u.%u.%u.%u", c->v.address,
                        STR_ARG(domain), a[0], a[1], a[2], a[3]);
    }
}

static void take_answer(struct gate_client *c, size_t i, const struct dns_answer *answer)
{
    if (answer->n)
        log_listed(c, i, answer);
    gate_score_add(&c->score, &c->rules->sites[i], answer->rdata, answer->n);
    if (answer->security == DNS_BOGUS)
        c->incomplete = true;
    else if (answer->ttl_s < c->ttl_s)
        c->ttl_s = answer->ttl_s;
}

void gate_dnsbl_look(struct gate_client *c, msec now)
{
    for (size_t i = 0; i < c->rules->n_sites; i++) {
        AUTO(dns_answer_freep) const struct dns_answer *answer = NULL;
        struct gate_asked *a = &c->asked[i];
        if (!a->question)
            continue;
        enum rc rc = resolver_look(c->gate->parts.resolver, &a->question, &answer);
        if (rc == RC_GONE)
            continue;
        c->gate->questions--;
        settle(c, a);
        if (rc == RC_OK)
            take_answer(c, i, answer);
        else
            c->incomplete = true;
    }
    if (now >= c->dns_until && c->n_open > 0)
        gate_dnsbl_forget(c);
}

void gate_dnsbl_forget(struct gate_client *c)
{
    for (size_t i = 0; i < c->rules->n_sites; i++) {
        struct gate_asked *a = &c->asked[i];
        if (a->question) {
            resolver_forget(c->gate->parts.resolver, &a->question);
            c->gate->questions--;
        }
        if (!a->settled) {
            settle(c, a);
            c->incomplete = true;
        }
    }
}

/* By which name the client is told of the list. */
static str public_name(const struct gate_client *c, struct arena *a)
{
    str domain = c->score.heaviest->list.domain, name;
    struct table_list *table = c->gate->parts.tables->v[TABLES_GATE_REPLY];
    struct err e = {0};
    enum rc rc = table ? table_list_find_here(table, domain, a, &name, &e) : RC_GONE;
    if (rc != RC_OK && rc != RC_GONE)
        log_warn("gate_dnsbl_reply_maps: %s", err_text(&e));
    return rc == RC_OK ? name : domain;
}

static bool refuse(struct gate_client *c)
{
    struct arena *a = arena_new(NAME_MEMORY);
    char text[SMTP_GATE_TEXT_MAX];
    str name = str_sub(public_name(c, a), 0, SMTP_GATE_TEXT_MAX / 2);
    snprintf(text, sizeof text, "Service unavailable; client [%s] blocked using " STR_FMT, c->v.address,
             STR_ARG(name));
    log_info_of(LOG_AS_POSTSCREEN, "DNSBL rank %d for " GATE_FMT, c->score.total, GATE_ARG(c));
    bool gone = gate_fail(c, c->v.conf->gate_dnsbl_action, "5.7.1", text);
    arena_free(a);
    return gone;
}

static int64_t result_ttl_ms(const struct gate_client *c)
{
    const struct conf *conf = c->v.conf;
    int64_t ttl = (int64_t)c->ttl_s * 1000;
    if (c->incomplete || ttl < conf->gate_dnsbl_min_ttl_ms)
        return conf->gate_dnsbl_min_ttl_ms;
    return ttl < conf->gate_dnsbl_max_ttl_ms ? ttl : conf->gate_dnsbl_max_ttl_ms;
}

bool gate_dnsbl_allows(const struct gate_client *c)
{
    int least = c->v.conf->gate_dnsbl_allowlist_threshold;
    return c->todo & 1u << GATE_DNSBL && c->n_open == 0 && !c->failed && least < 0 && c->score.total <= least;
}

/* A good name stands for all other tests as long as it counts, also for those that are off now. */
static void pass_others(struct gate_client *c)
{
    int64_t ttl = result_ttl_ms(c);
    for (int i = 0; i < GATE_TESTS; i++) {
        if (i == GATE_DNSBL)
            continue;
        uint32_t before = c->record.until[i];
        gate_pass(c, (enum gate_test)i, ttl);
        if (before > c->record.until[i])
            c->record.until[i] = before;
    }
}

bool gate_dnsbl_conclude(struct gate_client *c)
{
    bool allows = gate_dnsbl_allows(c);
    gate_dnsbl_forget(c);
    if (c->score.total >= c->v.conf->gate_dnsbl_threshold)
        return refuse(c);
    gate_pass(c, GATE_DNSBL, result_ttl_ms(c));
    if (allows)
        pass_others(c);
    return false;
}
