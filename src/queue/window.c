/* What is learnt from jobs: how many may be under way to a site at once, and when a dead one is tried again.
 */
#include "fmt/backoff.h"
#include "queue/transit.h"

void queue_wake_all(struct queue *q)
{
    for (unsigned kind = 0; kind < QUEUE_KINDS; kind++)
        pthread_cond_broadcast(&q->changed[kind]);
}

struct sched_transport *sched_transport_find(struct sched *s, str name)
{
    struct sched_transport *t = s->transports;
    name = str_sub(name, 0, CONF_TRANSPORT_NAME_MAX);
    while (t && !str_eq(name, str_c(t->name)))
        t = t->next;
    if (t)
        return t;
    t = calloc(1, sizeof *t);
    must(t && str_copy(t->name, sizeof t->name, name) == RC_OK);
    t->next = s->transports;
    s->transports = t;
    return t;
}

const struct conf *sched_conf_of(const struct queue *q, const struct sched_site *site)
{
    return conf_of_transport(q->conf, str_c(site->transport->name));
}

/* A program has the pauses of its own section alone. */
static bool is_paced(const struct queue *q, const struct sched_site *site)
{
    return site->kind == QUEUE_REMOTE ||
           (site->kind == QUEUE_COMMAND && conf_find_transport(q->conf, str_c(site->transport->name)));
}

static msec site_pause(const struct queue *q, const struct sched_site *site)
{
    return is_paced(q, site) ? sched_conf_of(q, site)->smtp_destination_rate_delay_ms : 0;
}

static msec transport_pause(const struct queue *q, const struct sched_site *site)
{
    return is_paced(q, site) ? sched_conf_of(q, site)->smtp_transport_rate_delay_ms : 0;
}

unsigned sched_window_max(const struct queue *q, const struct sched_site *site)
{
    const struct conf *c = sched_conf_of(q, site);
    if (site_pause(q, site) > 0)
        return 1;
    return (unsigned)(site->kind == QUEUE_LOCAL     ? c->local_destination_concurrency_limit
                      : site->kind == QUEUE_COMMAND ? c->command_destination_concurrency_limit
                                                    : c->smtp_destination_concurrency_limit);
}

/* Of all its sites together: process_limit, or one at a time where there are pauses in between. */
static bool transport_is_ready(const struct queue *q, const struct sched_site *site, int64_t now)
{
    const struct sched_transport *t = site->transport;
    const struct conf_transport *section = conf_find_transport(q->conf, str_c(t->name));
    if (section && section->process_limit > 0 && t->inflight >= (unsigned)section->process_limit)
        return false;
    return transport_pause(q, site) == 0 || (t->next_at <= now && t->inflight == 0);
}

bool sched_site_ready(const struct queue *q, const struct sched_site *site, int64_t now)
{
    return site->work && !site->dead && site->retry <= now && site->next_at <= now &&
           site->inflight < (unsigned)site->window && transport_is_ready(q, site, now);
}

void sched_begin(struct sched_site *site)
{
    site->inflight++;
    site->transport->inflight++;
}

static void wait_until(struct queue *q, int64_t *ret_at, msec pause)
{
    if (pause == 0)
        return;
    *ret_at = queue_now(q) + pause;
    if (*ret_at < q->sched->look_at)
        q->sched->look_at = *ret_at;
}

void sched_end(struct queue *q, struct sched_site *site)
{
    site->inflight--;
    site->transport->inflight--;
    wait_until(q, &site->next_at, site_pause(q, site));
    wait_until(q, &site->transport->next_at, transport_pause(q, site));
}

bool sched_success(struct queue *q, struct sched_site *site)
{
    unsigned most = sched_window_max(q, site);
    bool over = site->failures > 0;
    if (over) { /* it is back */
        site->window = sched_conf_of(q, site)->initial_destination_concurrency;
        site->failures = 0;
        site->retry = 0;
        site->dead = false;
        site->work = site->more_lanes = true;
    }
    site->successes++;
    site->window += 1 / site->window;
    if (site->window > most)
        site->window = most;
    return over;
}

msec queue_backoff(const struct conf *c, msec age, unsigned attempts, int64_t what)
{
    const struct backoff b = {c->minimal_backoff_time_ms, c->maximal_backoff_time_ms};
    const int64_t key[] = {what, clock_wall()};
    double random = (double)(map_hash(str_mem(key, sizeof key)) >> 11) * 0x1p-53;
    return backoff_next(&b, age < 0 ? 0 : age, attempts, random);
}

bool sched_failure(struct queue *q, struct sched_site *site, int64_t now, int64_t *ret_retry,
                   unsigned *ret_failures)
{
    const struct conf *c = q->conf;
    site->window = site->window / 2 < 1 ? 1 : site->window / 2;
    if (site->successes > 0) { /* it worked a moment ago: fewer at once first */
        site->successes = 0;
        return false;
    }
    if (!site->dead) {
        site->failures++;
        site->dead = true;
        transit_leave(q, site);
        site->retry = now + queue_backoff(c, 0, site->failures, site->n);
    }
    *ret_retry = site->retry;
    *ret_failures = site->failures;
    return true;
}
