/* What is learnt from jobs: how many may be under way to a site at once, and when a dead one is tried again.
 */
#include "fmt/backoff.h"
#include "queue/transit.h"

void queue_wake_all(struct queue *q)
{
    for (unsigned kind = 0; kind < QUEUE_KINDS; kind++)
        pthread_cond_broadcast(&q->changed[kind]);
}

unsigned sched_window_max(const struct queue *q, const struct sched_site *site)
{
    const struct conf *c = q->conf;
    if (site->kind == QUEUE_REMOTE && c->smtp_destination_rate_delay_ms > 0)
        return 1;
    return (unsigned)(site->kind == QUEUE_LOCAL     ? c->local_destination_concurrency_limit
                      : site->kind == QUEUE_COMMAND ? c->command_destination_concurrency_limit
                                                    : c->smtp_destination_concurrency_limit);
}

void sched_pace(struct queue *q, struct sched_site *site)
{
    const struct conf *c = q->conf;
    if (site->kind != QUEUE_REMOTE || c->smtp_destination_rate_delay_ms == 0)
        return;
    site->next_at = queue_now(q) + c->smtp_destination_rate_delay_ms;
    if (site->next_at < q->sched->look_at)
        q->sched->look_at = site->next_at;
}

bool sched_success(struct queue *q, struct sched_site *site)
{
    unsigned most = sched_window_max(q, site);
    bool over = site->failures > 0;
    if (over) { /* it is back */
        site->window = ((const struct conf *)q->conf)->initial_destination_concurrency;
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
