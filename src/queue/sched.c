/* Sites and lanes: which mail is due, and for how many jobs at once a site is good. */
#include "queue/sched_impl.h"

#include "base/log.h"
#include "queue/site_name.h"

enum { LOOK_MAX_MS = 60000, LOOK_MIN_MS = 1000, IDLE_MS = 3000 };

struct sched *sched_new(void)
{
    struct sched *s = calloc(1, sizeof *s);
    must(s);
    s->sites = map_new();
    s->names = map_new();
    s->jobs = map_new();
    s->running = map_new();
    s->next_number = (uint64_t)clock_wall(); /* no number of an earlier process */
    return s;
}

/* --- the ring of a kind: whose turn it is --- */

static void ring_add(struct sched *s, struct sched_site *site)
{
    struct sched_site **ring = &s->ring[site->kind];
    if (!*ring) {
        site->next = site->prev = site;
        *ring = site;
        return;
    }
    site->next = *ring;
    site->prev = (*ring)->prev;
    site->prev->next = site->next->prev = site;
}

static void ring_del(struct sched *s, struct sched_site *site)
{
    struct sched_site **ring = &s->ring[site->kind];
    if (*ring == site)
        *ring = site->next == site ? NULL : site->next;
    site->next->prev = site->prev;
    site->prev->next = site->next;
}

/* --- who waits for a job --- */

bool sched_wakes(struct queue *q, enum queue_kind kind)
{
    struct sched *s = q->sched;
    bool wakes = s->idle[kind] > s->awake[kind];
    s->awake[kind] += wakes;
    return wakes;
}

/* The same for who goes on with the lock. */
static void wake_one(struct queue *q, enum queue_kind kind)
{
    if (sched_wakes(q, kind))
        pthread_cond_signal(&q->changed[kind]);
}

/* --- sites in memory --- */

static void lane_free(struct sched_site *site, unsigned i)
{
    free(site->lanes[i]);
    site->lanes[i] = site->lanes[--site->n_lanes];
}

static void site_free(struct sched *s, struct sched_site *site)
{
    while (site->n_lanes > 0)
        lane_free(site, 0);
    map_del(s->sites, sched_key(&site->n));
    map_del(s->names, str_c(site->name));
    ring_del(s, site);
    s->n_sites--;
    free(site->name);
    free(site);
}

struct sched *sched_free(struct sched *s)
{
    size_t pos = 0;
    void *job;
    str key;
    if (!s)
        return NULL;
    for (unsigned kind = 0; kind < QUEUE_KINDS; kind++)
        while (s->ring[kind])
            site_free(s, s->ring[kind]);
    while (map_next(s->jobs, &pos, &key, &job))
        free(job);
    while (s->transports) {
        struct sched_transport *t = s->transports;
        s->transports = t->next;
        free(t);
    }
    map_free(s->sites);
    map_free(s->names);
    map_free(s->jobs);
    map_free(s->running);
    free(s);
    return NULL;
}

static struct sched_lane *find_lane(const struct sched_site *site, int64_t n)
{
    for (unsigned i = 0; i < site->n_lanes; i++)
        if (site->lanes[i]->n == n)
            return site->lanes[i];
    return NULL;
}

/* Whether a lane that is not in memory may have a place: a free one, or for an urgent lane that of the least
 * urgent one of which nothing is under way. What leaves memory stays due in the tables. */
static bool make_room(struct sched_site *site, int priority)
{
    unsigned urgent = 0, least = LANES_MAX;
    for (unsigned i = 0; i < site->n_lanes; i++) {
        const struct sched_lane *lane = site->lanes[i];
        urgent += lane->priority > 0;
        if (lane->busy == 0 && lane->priority <= 0 &&
            (least == LANES_MAX || lane->priority < site->lanes[least]->priority))
            least = i;
    }
    if (priority > 0 && urgent >= URGENT_MAX)
        return false;
    if (priority > 0 && site->n_lanes == LANES_MAX && least < LANES_MAX) {
        lane_free(site, least);
        site->more_lanes = true;
    }
    return site->n_lanes < LANES_MAX;
}

/* From the start: a row may have become due before those that were read, and been committed after that. */
static void lane_reread(struct sched_lane *lane)
{
    lane->at = lane->n_rows = 0;
    lane->seen_due = lane->seen_n = -1;
    lane->drained = lane->settled = false;
}

/* There may be due rows in this lane; NULL: there is no place for it now. */
static struct sched_lane *lane_wake(struct sched_site *site, int64_t n, int priority)
{
    struct sched_lane *lane = find_lane(site, n);
    if (!lane && make_room(site, priority)) {
        lane = calloc(1, sizeof *lane);
        must(lane);
        lane->n = n;
        lane->priority = priority;
        lane->seen_due = lane->seen_n = -1;
        site->lanes[site->n_lanes++] = lane;
    }
    if (lane && lane->busy == 0)
        lane_reread(lane);
    else if (lane)
        lane->drained = lane->settled = false;
    else
        site->more_lanes = true;
    site->work = true;
    return lane;
}

/* Wakes the lanes that a query names; how many. */
static unsigned wake_lanes(struct queue *q, struct sched_site *site, const char *sql, int64_t now,
                           unsigned most)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    struct err e = {0};
    unsigned found = 0;
    enum rc rc = db_query(q->reader, &s, &e, sql, DB_I(site->n), DB_I(now), DB_I(most));
    for (; rc == RC_OK && (rc = db_step(s, &e)) == RC_OK; found++) {
        struct sched_lane *lane = lane_wake(site, db_int(s, 0), (int)db_int(s, 1));
        if (lane)
            lane_reread(lane);
    }
    if (found == most)
        site->more_lanes = true;
    if (rc != RC_GONE)
        log_error("queue: %s", err_text(&e));
    return found;
}

static void load_lanes(struct queue *q, struct sched_site *site, int64_t now)
{
    static const char urgent[] = "SELECT n,priority FROM lane WHERE site=?1 AND due<=?2 AND priority>0"
                                 " ORDER BY due LIMIT ?3",
                      all[] = "SELECT n,priority FROM lane WHERE site=?1 AND due<=?2 ORDER BY due LIMIT ?3";
    site->more_lanes = false;
    unsigned found = wake_lanes(q, site, urgent, now, URGENT_MAX);
    found += wake_lanes(q, site, all, now, 2 * LANES_MAX);
    if (found > 0) /* whoever looked may want mail of the other kind */
        wake_one(q, site->kind);
}

/* Reads the site's row; NULL: it must wait, or memory is full. */
static struct sched_site *site_load(struct queue *q, int64_t n, int64_t now)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    struct err e = {0};
    if (q->sched->n_sites >= SITES_MAX)
        return NULL;
    enum rc rc = db_query(q->reader, &s, &e, "SELECT name,retry,failures FROM site WHERE n=?1", DB_I(n));
    if (rc != RC_OK || db_step(s, &e) != RC_OK || db_int(s, 1) > now)
        return NULL;
    struct sched_site *site = calloc(1, sizeof *site);
    must(site);
    *site = (struct sched_site){
        .n = n, .name = str_dup(db_text(s, 0)), .retry = db_int(s, 1), .failures = (unsigned)db_int(s, 2)};
    site->kind = site_name_is_remote(str_c(site->name))    ? QUEUE_REMOTE
                 : site_name_is_command(str_c(site->name)) ? QUEUE_COMMAND
                                                           : QUEUE_LOCAL;
    site->transport = sched_transport_find(q->sched, site_name_parse(str_c(site->name)).service);
    unsigned start = (unsigned)sched_conf_of(q, site)->initial_destination_concurrency;
    site->window = site->failures ? 1 : start < sched_window_max(q, site) ? start : sched_window_max(q, site);
    map_put(q->sched->sites, sched_key(&site->n), site);
    map_put(q->sched->names, str_c(site->name), site);
    q->sched->n_sites++;
    ring_add(q->sched, site);
    return site;
}

void sched_note(struct queue *q, const struct queue_touched *t)
{
    pthread_mutex_lock(&q->lock);
    struct sched_site *site = map_find(q->sched->sites, sched_key(&t->site));
    if (!site)
        site = site_load(q, t->site, queue_now(q));
    bool wakes = false;
    enum queue_kind kind = site ? site->kind : QUEUE_REMOTE;
    if (site && !site->dead) {
        lane_wake(site, t->lane, t->priority);
        wakes = sched_wakes(q, kind);
    }
    pthread_mutex_unlock(&q->lock);
    if (wakes)
        pthread_cond_signal(&q->changed[kind]);
}

void sched_due(struct queue *q, int64_t due)
{
    pthread_mutex_lock(&q->lock);
    if (due < q->sched->look_at)
        q->sched->look_at = due;
    queue_wake_all(q);
    pthread_mutex_unlock(&q->lock);
}

static int64_t sooner(int64_t at, int64_t now, int64_t next)
{
    return at > now && at < next ? at : next;
}

/* When the first site may have a job that waited for a rate delay, if that is before `next`. */
static int64_t next_of_paced(const struct sched *s, int64_t now, int64_t next)
{
    for (unsigned kind = 0; kind < QUEUE_KINDS; kind++) {
        const struct sched_site *first = s->ring[kind], *site = first;
        while (site) {
            next = sooner(site->next_at, now, next);
            site = site->next == first ? NULL : site->next;
        }
    }
    for (const struct sched_transport *t = s->transports; t; t = t->next)
        next = sooner(t->next_at, now, next);
    return next;
}

void sched_look(struct queue *q, int64_t now)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    struct err e = {0};
    int64_t next = now + LOOK_MAX_MS, due = 0;
    enum rc rc = db_query(q->reader, &s, &e, "SELECT n FROM site WHERE due<=?1 ORDER BY due LIMIT ?2",
                          DB_I(now), DB_I(2 * SITES_MAX));
    while (rc == RC_OK && (rc = db_step(s, &e)) == RC_OK) {
        int64_t n = db_int(s, 0);
        struct sched_site *site = map_find(q->sched->sites, sched_key(&n));
        if (!site)
            site = site_load(q, n, now);
        if (site && !site->dead)
            load_lanes(q, site, now);
        next = now + LOOK_MIN_MS; /* while it is here, the tables do not say when its next lane is due */
    }
    if (rc == RC_GONE)
        rc = db_get_int(q->reader, &due, &e, "SELECT due FROM site WHERE due>?1 ORDER BY due LIMIT 1",
                        DB_I(now));
    if (rc == RC_OK && due < next)
        next = due;
    else if (rc != RC_OK && rc != RC_GONE)
        log_error("queue: %s", err_text(&e));
    q->sched->look_at = next_of_paced(q->sched, now, next);
}

/* --- rows --- */

/* Reads the next due rows of a lane. */
static void lane_fill(struct queue *q, struct sched_lane *lane, int64_t now)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    struct err e = {0};
    lane->at = lane->n_rows = 0;
    enum rc rc = db_query(q->reader, &s, &e,
                          "SELECT n,message,due FROM rcpt WHERE lane=?1 AND due<=?2 AND (due,n)>(?3,?4)"
                          " ORDER BY due,n LIMIT ?5",
                          DB_I(lane->n), DB_I(now), DB_I(lane->seen_due), DB_I(lane->seen_n), DB_I(ROWS_MAX));
    unsigned read = 0;
    while (rc == RC_OK && (rc = db_step(s, &e)) == RC_OK) {
        struct lane_row row = {db_int(s, 0), db_int(s, 1)};
        read++;
        lane->seen_n = row.n;
        lane->seen_due = db_int(s, 2);
        if (!map_find(q->sched->running, sched_key(&row.n)))
            lane->rows[lane->n_rows++] = row;
    }
    lane->drained = read < ROWS_MAX;
    if (rc != RC_GONE)
        log_error("queue: %s", err_text(&e));
}

/* Nothing is to be taken from it, and nothing of it is under way. */
static bool lane_is_done(const struct sched_lane *lane)
{
    return lane->at == lane->n_rows && lane->drained && lane->busy == 0;
}

/* A lane with a row: the first one from `next` on, or with urgency the one of the highest priority. Lanes
 * that have none and are done set *ret_settle. */
static struct sched_lane *choose_lane(struct queue *q, struct sched_site *site, bool by_priority, int64_t now,
                                      bool *ret_settle)
{
    struct sched_lane *found = NULL;
    unsigned *next = &site->next_lane[by_priority ? 0 : 1], first = *next;
    for (unsigned i = 0; i < site->n_lanes; i++) {
        struct sched_lane *lane = site->lanes[(first + i) % site->n_lanes];
        if (found && (!by_priority || lane->priority <= found->priority))
            continue;
        while (lane->at == lane->n_rows && !lane->drained)
            lane_fill(q, lane, now);
        if (lane->at < lane->n_rows) {
            found = lane;
            *next = first + i + 1;
        } else { /* its place may be somebody else's */
            *ret_settle |= lane_is_done(lane) && (lane->deferred || site->more_lanes);
        }
    }
    return found;
}

struct sched_lane *sched_next_lane(struct queue *q, struct sched_site *site, int64_t now)
{
    bool settle = false, fair = ++site->turn % FAIR_TURN == 0;
    struct sched_lane *found = choose_lane(q, site, !fair, now, &settle);
    if (!found) {
        site->work = false;
        site->idle_since = clock_mono();
    }
    if (settle)
        sched_settle(q, site);
    return found;
}

void sched_row_taken(struct sched_site *site)
{
    bool more = site->more_lanes || site->transit;
    for (unsigned i = 0; i < site->n_lanes && !more; i++)
        more = site->lanes[i]->at < site->lanes[i]->n_rows || !site->lanes[i]->drained;
    site->work = more;
}

void sched_rows_done(struct queue *q, struct sched_job *job, bool deferred)
{
    struct sched_lane *lane = job->lane;
    if (!lane)
        return; /* what is left of it are new rows */
    lane->busy -= job->n;
    lane->deferred |= deferred;
    if (!lane->deferred || lane->busy > 0)
        return;
    if (lane_is_done(lane)) {
        sched_settle(q, job->site);
    } else { /* whoever takes next finds out what is left of it */
        job->site->work = true;
        wake_one(q, job->site->kind);
    }
}

void sched_reread(struct sched_job *job)
{
    if (job->lane)
        lane_reread(job->lane);
    job->site->work = true;
}

/* --- settling (settle.c) --- */

static void settle_after(struct queue *q, void *arg, enum rc rc)
{
    struct settle *st = arg;
    int64_t now = queue_now(q);
    pthread_mutex_lock(&q->lock);
    struct sched_site *site = map_find(q->sched->sites, sched_key(&st->site));
    if (site) {
        site->settling = false;
        for (unsigned i = site->n_lanes; rc == RC_OK && i-- > 0;)
            if (site->lanes[i]->settled && site->lanes[i]->busy == 0)
                lane_free(site, i);
        if (site->more_lanes && !site->dead)
            load_lanes(q, site, now);
        q->sched->look_at = 0;
        wake_one(q, site->kind);
        if (!site->work && !site->transit && site->jobs == 0 && site->n_lanes == 0 && site->next_at <= now)
            site_free(q->sched, site);
    }
    pthread_mutex_unlock(&q->lock);
    free(st);
}

void sched_settle(struct queue *q, struct sched_site *site)
{
    if (site->settling)
        return;
    struct settle *st = calloc(1, sizeof *st);
    must(st);
    st->site = site->n;
    for (unsigned i = 0; i < site->n_lanes; i++) {
        struct sched_lane *lane = site->lanes[i];
        if (lane_is_done(lane) || (site->dead && lane->busy == 0)) {
            lane->settled = true; /* until lane_wake says otherwise */
            st->lanes[st->n++] = lane->n;
        }
    }
    site->settling = true;
    st->op = (struct queue_op){.run = settle_run, .after = settle_after, .arg = st};
    queue_commit_later(q, &st->op);
}

void sched_idle(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    for (unsigned kind = 0; kind < QUEUE_KINDS; kind++) {
        struct sched_site *first = q->sched->ring[kind], *site = first;
        while (site) {
            if (!site->work && site->jobs == 0 && clock_mono() - site->idle_since > IDLE_MS)
                sched_settle(q, site);
            site = site->next == first ? NULL : site->next;
        }
    }
    pthread_mutex_unlock(&q->lock);
}

/* A site that is dead here but may be tried again by the tables is alive; one that is gone from them leaves
 * with its last job. */
static void reread_site(struct queue *q, struct sched_site *site, int64_t now)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    struct err e = {0};
    enum rc rc = db_query(q->reader, &s, &e, "SELECT retry FROM site WHERE n=?1", DB_I(site->n));
    if (rc == RC_OK && (rc = db_step(s, &e)) == RC_OK && site->dead && db_int(s, 0) <= now) {
        site->dead = false;
        site->retry = 0;
    }
    if (rc != RC_OK && rc != RC_GONE)
        log_error("queue: %s", err_text(&e));
}

void queue_nudge(struct queue *q)
{
    int64_t now = queue_now(q);
    pthread_mutex_lock(&q->lock);
    for (unsigned kind = 0; kind < QUEUE_KINDS; kind++) {
        struct sched_site *first = q->sched->ring[kind], *site = first;
        while (site) {
            for (unsigned i = 0; i < site->n_lanes; i++)
                lane_reread(site->lanes[i]);
            reread_site(q, site, now);
            load_lanes(q, site, now);
            site->work = !site->dead;
            site = site->next == first ? NULL : site->next;
        }
        pthread_cond_broadcast(&q->changed[kind]);
    }
    q->sched->look_at = 0;
    pthread_mutex_unlock(&q->lock);
}

void sched_rest(struct queue *q, struct sched_site *site)
{
    if (site->jobs > 0)
        return;
    site->idle_since = clock_mono();
    if (site->dead) {
        site->work = false;
        sched_settle(q, site);
    }
}
