/* sched_impl: the scheduler's memory, shared by sched.c (sites and lanes) and take.c (jobs). Everything is
 * under queue.lock. Bounded: so many sites, lanes of a site, and rows of a lane; what does not fit waits in
 * the tables.
 *
 * A site is in memory while it has due work or jobs under way. Its window is how many jobs may be under way
 * at once: it grows by 1/window with each success and is halved when the site cannot be talked to; a site
 * that fails without any success is dead until `retry`, and then probed by a single job. */
#ifndef QUEUE_SCHED_IMPL_H
#define QUEUE_SCHED_IMPL_H

#include "queue/queue_impl.h"

enum {
    SITES_MAX = 1000,
    LANES_MAX = 16,
    URGENT_MAX = 12, /* lanes of a priority above 0; the others always have room for some */
    ROWS_MAX = 32,
    FAIR_TURN = 4 /* one in so many jobs of a site goes without regard to priority */
};

struct lane_row {
    int64_t n, message;
};

struct sched_job;
struct transit_message;

struct sched_lane {
    int64_t n;
    int priority;
    struct lane_row rows[ROWS_MAX]; /* due recipients, in their order */
    unsigned at, n_rows;
    int64_t seen_due, seen_n; /* rows up to here were read */
    bool drained;             /* no due rows behind `seen` when last looked */
    unsigned busy;            /* rows of jobs whose report is not committed */
    bool deferred;            /* a row of it was put off: the tables must learn when it is due */
    bool settled;             /* settling: its due is right in the tables */
};

/* What the sites of one transport share; lives as long as struct sched, for there are few names. */
struct sched_transport {
    char name[CONF_TRANSPORT_NAME_MAX + 1]; /* empty: of sites that leave by none */
    unsigned inflight;                      /* jobs that hold a slot */
    int64_t next_at;                        /* smtp_transport_rate_delay: no job before that */
    struct sched_transport *next;
};

struct sched_site {
    int64_t n;
    char *name;
    enum queue_kind kind;
    struct sched_transport *transport;
    struct sched_lane *lanes[LANES_MAX];
    unsigned n_lanes, turn;
    unsigned next_lane[2]; /* with regard to priority, and without */
    bool work;             /* there may be a row to take */
    bool more_lanes;       /* the tables have lanes that are not here */
    bool settling;
    bool dead;         /* leaves memory with its last job */
    unsigned inflight; /* jobs that hold a slot */
    unsigned jobs;     /* jobs that are not committed: they point here */
    double window;
    unsigned successes; /* since it is in memory */
    unsigned failures;  /* times that it died without a success in between */
    int64_t retry;
    int64_t next_at; /* smtp_destination_rate_delay: no job before that */
    msec idle_since;
    struct transit_message *transit, *transit_last; /* what waits here (transit.h) */
    unsigned n_transit;
    struct sched_site *next, *prev; /* ring of its kind */
};

struct sched_job {
    uint64_t number;
    struct sched_site *site;
    struct sched_lane *lane;         /* or */
    struct transit_message *transit; /* its message has no rows, or had none when it was taken */
    int64_t message;
    int64_t rcpts[QUEUE_JOB_RCPTS_MAX];
    unsigned n;
    char id[QUEUE_ID_MAX + 1]; /* the message's */
    bool asked;                /* somebody wants to hear of success */
};

struct sched {
    struct sched_transport *transports;
    struct map *sites; /* by row number */
    struct map *names; /* the same by name */
    size_t n_sites;
    struct sched_site *ring[QUEUE_KINDS];
    struct map *jobs;    /* by number */
    struct map *running; /* rows in jobs, by row number */
    uint64_t next_number;
    int64_t look_at;             /* when the tables may have another site that is due */
    unsigned idle[QUEUE_KINDS];  /* takers that wait */
    unsigned awake[QUEUE_KINDS]; /* of these, told that there is work, and not there yet */
};

static inline str sched_key(const int64_t *n)
{
    return str_mem(n, sizeof *n);
}

/* How long until the next attempt; `what` and the present time decide the jitter. */
msec queue_backoff(const struct conf *c, msec age, unsigned attempts, int64_t what);

/* A job's rows are committed; deferred: some of them wait now. */
void sched_rows_done(struct queue *q, struct sched_job *job, bool deferred);

/* The one of this name, made when it is new (window.c). */
struct sched_transport *sched_transport_find(struct sched *s, str name);
/* The settings that hold for what leaves to the site (window.c). */
const struct conf *sched_conf_of(const struct queue *q, const struct sched_site *site);
/* Whether the site, and its transport, may have another job under way now (window.c). */
bool sched_site_ready(const struct queue *q, const struct sched_site *site, int64_t now);
/* A lane with a row that can be taken, its rows[at]; NULL: none now (site->work is off then). */
struct sched_lane *sched_next_lane(struct queue *q, struct sched_site *s, int64_t now);
/* Whether to signal changed[kind] to one who waits, as soon as the lock, which that one needs, is released.
 */
MUST_USE bool sched_wakes(struct queue *q, enum queue_kind kind);
/* Its rows[at] and those after it went into a job: whether another one may be there. */
void sched_row_taken(struct sched_site *s);
/* Brings due sites into memory; sets look_at. */
void sched_look(struct queue *q, int64_t now);
struct settle { /* what is settled in one transaction */
    struct queue_op op;
    int64_t site;
    int64_t lanes[LANES_MAX];
    unsigned n;
};
/* That transaction; arg: a struct settle (settle.c). */
MUST_USE enum rc settle_run(struct queue *q, void *arg, struct err *e);
/* Puts the true due times into the tables and lets go of what has no work. */
void sched_settle(struct queue *q, struct sched_site *s);
/* Settles what has been idle for a while; for the housekeeping thread. */
void sched_idle(struct queue *q);
/* The most jobs that may be under way to a site (window.c). */
unsigned sched_window_max(const struct queue *q, const struct sched_site *site);
/* A job has a slot; it is free again, and the next one waits for a while perhaps (window.c). */
void sched_begin(struct sched_site *site);
void sched_end(struct queue *q, struct sched_site *site);
/* What a report says about a site. success: true when the tables hold failures that are over. */
bool sched_success(struct queue *q, struct sched_site *s);
/* True: it is dead from now on; *ret_retry and *ret_failures are for the tables. */
bool sched_failure(struct queue *q, struct sched_site *s, int64_t now, int64_t *ret_retry,
                   unsigned *ret_failures);
/* The rows of the job's lane are read from the start again. */
void sched_reread(struct sched_job *job);
/* --- jobs (take.c) --- */
/* The job is reported or given up: its slot is free. NULL: there is none of this number. */
struct sched_job *job_take_out(struct queue *q, uint64_t number);
/* What became of it is in the tables: frees it. deferred: some of its rows are due later now. */
void job_end(struct queue *q, struct sched_job *job, bool deferred);

/* The site lost a job: maybe it leaves. */
void sched_rest(struct queue *q, struct sched_site *s);

#endif
