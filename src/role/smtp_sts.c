#include "role/smtp_sts.h"

#include "base/log.h"
#include "base/map.h"
#include "net/https.h"
#include "os/thread.h"
#include "role/smtp_tls_db.h"
#include "role/smtp_way.h"

#include <pthread.h>
#include <unistd.h>

enum {
    FETCH_MS = 60000,        /* RFC 8461 §3.3 */
    RETRY_MS = 300000,       /* RFC 8461 §3.3: not more often for the same id */
    REFRESH_SECONDS = 86400, /* RFC 8461 §10.2: once a day, or when half of a shorter life is over */
    REFRESH_MIN_SECONDS = 300,
    POSTPONE_SECONDS = 3600, /* after a failed refresh */
    LOOK_SECONDS = 60,
    DOMAINS_MAX = 1000, /* in memory */
    STACK = 256 << 10,
    ARENA_MAX = 256 << 10
};

struct domain {
    char id[MTA_STS_ID_MAX + 1];
    char *text;      /* the policy; NULL: none */
    int64_t expires; /* seconds since 1970 */
    char failed_id[MTA_STS_ID_MAX + 1];
    msec retry;     /* the policy of failed_id is not fetched before */
    bool loaded;    /* queue was asked what it knows */
    bool busy;      /* a thread asks queue or fetches */
    unsigned users; /* threads that hold a pointer */
};

struct smtp_sts {
    struct smtp_role *server;
    pthread_mutex_t lock;
    pthread_cond_t idle; /* a domain is no longer busy */
    struct map *domains;
};

struct smtp_sts *smtp_sts_new(struct smtp_role *server)
{
    struct smtp_sts *s = calloc(1, sizeof *s);
    must(s && pthread_mutex_init(&s->lock, NULL) == 0 && pthread_cond_init(&s->idle, NULL) == 0);
    s->server = server;
    s->domains = map_new();
    return s;
}

/* --- asking the domain --- */

/* The id that it announces; false: it announces no policy, or the DNS does not say. */
static bool ask_record(struct smtp_sts *s, const struct conf *c, str domain, char ret_id[MTA_STS_ID_MAX + 1])
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(DNS_NAME_MAX);
    AUTO(dns_answer_freep) const struct dns_answer *answer = NULL;
    buf_printf(&name, "_mta-sts." STR_FMT, STR_ARG(domain));
    if (name.overflow || resolver_query(s->server->resolver, buf_str(&name), DNS_TXT,
                                        clock_mono() + c->dns_timeout_ms, &answer) != RC_OK)
        return false;
    return answer->security != DNS_BOGUS && mta_sts_record(answer->rdata, answer->n, ret_id) == RC_OK;
}

static enum tlsrpt_result result_of(enum rc rc)
{
    return rc == RC_PERM ? TLSRPT_STS_WEBPKI_INVALID : TLSRPT_STS_POLICY_FETCH_ERROR;
}

/* The policy as the domain serves it; body: room for it, which its texts are views of. */
static enum rc fetch(struct smtp_sts *s, const struct conf *c, str domain, struct buf *body,
                     struct mta_sts_policy *ret, enum tlsrpt_result *ret_fault, struct err *e)
{
    AUTO(buf_deinit) struct buf host = BUF_INIT(DNS_NAME_MAX);
    struct dial_way way;
    buf_printf(&host, "mta-sts." STR_FMT, STR_ARG(domain));
    smtp_way_from_settings(c, &way);
    enum rc rc = smtp_way_find_proxy(s->server, c, &way, e);
    const struct https_request q = {.host = buf_str(&host),
                                    .port = c->smtp_mta_sts_port,
                                    .path = S("/.well-known/mta-sts.txt"),
                                    .content_type = S("text/plain"),
                                    .families = (enum mx_families)c->smtp_address_preference,
                                    .way = &way};
    if (rc == RC_OK)
        rc = https_get(s->server->resolver, smtp_tls_of_nobody(s->server->tls), &q, clock_mono() + FETCH_MS,
                       body, e);
    *ret_fault = result_of(rc);
    if (rc != RC_OK)
        return rc;
    *ret_fault = TLSRPT_STS_POLICY_INVALID;
    return mta_sts_parse(buf_str(body), ret) == RC_OK
               ? RC_OK
               : err_set(e, RC_INVALID, 0, "4.7.5", "the policy is malformed");
}

/* --- what is known --- */

static void forget_one(struct smtp_sts *s)
{
    size_t pos = 0;
    str name;
    void *value;
    while (map_next(s->domains, &pos, &name, &value)) {
        struct domain *d = value;
        if (d->users > 0)
            continue;
        map_del(s->domains, name);
        free(d->text);
        free(d);
        return;
    }
}

/* The domain, which nobody else is busy with; with the lock held. */
static struct domain *enter(struct smtp_sts *s, str name)
{
    struct domain *d = map_find(s->domains, name);
    if (!d) {
        if (map_count(s->domains) >= DOMAINS_MAX)
            forget_one(s);
        d = calloc(1, sizeof *d);
        must(d);
        map_put(s->domains, name, d);
    }
    d->users++;
    while (d->busy)
        pthread_cond_wait(&s->idle, &s->lock);
    return d;
}

static void set_busy(struct smtp_sts *s, struct domain *d, bool busy)
{
    d->busy = busy;
    if (busy) {
        pthread_mutex_unlock(&s->lock);
        return;
    }
    pthread_mutex_lock(&s->lock);
    pthread_cond_broadcast(&s->idle);
}

static void take(struct domain *d, const struct tls_db_policy *p)
{
    free(d->text);
    d->text = str_dup(p->text);
    d->expires = p->expires;
    must(str_copy(d->id, sizeof d->id, p->id) == RC_OK);
}

static void load(struct smtp_sts *s, struct domain *d, str name)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    struct tls_db_policy known;
    if (d->loaded)
        return;
    set_busy(s, d, true);
    bool found = smtp_tls_db_find(s->server->queue, name, a, &known);
    set_busy(s, d, false);
    d->loaded = true;
    if (found)
        take(d, &known);
}

static bool is_in_force(const struct domain *d)
{
    return d->text && clock_seconds() < d->expires;
}

static void note_failure(struct smtp_sts *s, const struct domain *d, str name, enum tlsrpt_result fault,
                         const struct err *e)
{
    log_warn("MTA-STS: the policy of " STR_FMT " cannot be fetched, %s: %s", STR_ARG(name),
             is_in_force(d) ? "the former one stays in force" : "it counts as none", err_text(e));
    smtp_tls_db_count(s->server->queue, name, TLSRPT_STS, fault, STR_NONE);
}

/* Fetches the policy that is announced as id, with the lock held at the beginning and at the end. False: it
 * cannot be had. */
static bool renew(struct smtp_sts *s, const struct conf *c, struct domain *d, str name, const char *id)
{
    AUTO(buf_deinit) struct buf body = BUF_INIT(MTA_STS_POLICY_MAX), text = BUF_INIT(MTA_STS_TEXT_MAX);
    struct mta_sts_policy p;
    enum tlsrpt_result fault;
    struct err e = {0};
    set_busy(s, d, true);
    bool fetched = fetch(s, c, name, &body, &p, &fault, &e) == RC_OK;
    struct tls_db_policy known = {.domain = name, .id = str_c(id)};
    if (fetched) {
        int64_t now = clock_seconds(), half = p.max_age / 2;
        mta_sts_format(&p, &text);
        known.text = buf_str(&text);
        known.expires = now + p.max_age;
        known.refresh = now + (half > REFRESH_SECONDS       ? REFRESH_SECONDS
                               : half < REFRESH_MIN_SECONDS ? REFRESH_MIN_SECONDS
                                                            : half);
        log_info("MTA-STS: policy %s of " STR_FMT ": %s", id, STR_ARG(name), mta_sts_mode_name(p.mode));
        smtp_tls_db_keep(s->server->queue, &known);
    } else {
        note_failure(s, d, name, fault, &e);
    }
    set_busy(s, d, false);
    if (fetched) {
        take(d, &known);
        return true;
    }
    must(str_copy(d->failed_id, sizeof d->failed_id, str_c(id)) == RC_OK);
    d->retry = clock_mono() + RETRY_MS;
    return false;
}

static bool may_try(const struct domain *d, const char *id)
{
    return clock_mono() >= d->retry || !str_eq(str_c(d->failed_id), str_c(id));
}

static str lower(str name, struct arena *a)
{
    char *copy = (char *)(void *)arena_str(a, name).p;
    for (size_t i = 0; copy && i < name.n; i++)
        copy[i] = ascii_lower(copy[i]);
    return (str){copy, copy ? name.n : 0};
}

bool smtp_sts_find(struct smtp_sts *s, const struct conf *c, str domain, struct arena *a,
                   struct mta_sts_policy *ret)
{
    char id[MTA_STS_ID_MAX + 1] = "";
    str name = lower(domain, a), text = STR_NONE;
    if (!name.n)
        return false;
    bool announced = ask_record(s, c, name, id);
    pthread_mutex_lock(&s->lock);
    struct domain *d = enter(s, name);
    load(s, d, name);
    bool current = is_in_force(d) && str_eq(str_c(d->id), str_c(id));
    if (announced && !current && may_try(d, id))
        (void)renew(s, c, d, name, id);
    if (is_in_force(d))
        text = arena_str(a, str_c(d->text));
    d->users--;
    pthread_mutex_unlock(&s->lock);
    return text.n > 0 && mta_sts_parse(text, ret) == RC_OK;
}

/* --- refreshing --- */

static void refresh(struct smtp_sts *s, const struct conf *c, struct tls_db_policy *known)
{
    char id[MTA_STS_ID_MAX + 1] = "";
    bool fresh = false, announced = ask_record(s, c, known->domain, id);
    pthread_mutex_lock(&s->lock);
    struct domain *d = enter(s, known->domain);
    load(s, d, known->domain);
    if (announced)
        fresh = renew(s, c, d, known->domain, id);
    d->users--;
    pthread_mutex_unlock(&s->lock);
    if (fresh)
        return;
    known->refresh = clock_seconds() + POSTPONE_SECONDS;
    smtp_tls_db_keep(s->server->queue, known);
}

static void *refresh_main(void *arg)
{
    struct smtp_sts *s = arg;
    struct arena *a = arena_new(ARENA_MAX);
    while (!atomic_load(&s->server->stopping)) {
        const struct conf *c = s->server->role->conf;
        struct tls_db_policy next;
        arena_reset(a);
        int64_t wait = LOOK_SECONDS;
        if (c->smtp_mta_sts && smtp_tls_db_find(s->server->queue, S(""), a, &next))
            wait = next.refresh - clock_seconds();
        if (wait > REFRESH_SECONDS) /* the clock was ahead when that was said */
            wait = 0;
        if (wait <= 0)
            refresh(s, c, &next);
        else
            sleep(wait < LOOK_SECONDS ? (unsigned)wait : LOOK_SECONDS);
    }
    arena_free(a);
    return NULL;
}

void smtp_sts_start(struct smtp_sts *s)
{
    if (thread_start(refresh_main, s, STACK, "mta-sts") != RC_OK)
        log_error("no thread to fetch MTA-STS policies again");
}
