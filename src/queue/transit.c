/* What is in transit, in memory: coming, waiting, leaving. */
#include "queue/transit.h"

#include "base/log.h"
#include "os/file.h"
#include "queue/departed.h"
#include "queue/site_name.h"
#include "queue/transit_impl.h"

#include <fcntl.h>
#include <unistd.h>

enum {
    MESSAGES_MAX = 4096,
    BYTES_MAX = 32 << 20,
    ARENA_MAX = 4 << 20,
    CONTENT_MAX = TRANSIT_CONTENT_MAX, /* larger ones are in files */
    DESCRIPTORS_MAX = 512,             /* beyond that a content is copied */
    LEAVING_AT_ONCE = 8
};

/* --- the lists --- */

static void list_add(struct transit *t, struct transit_message *m)
{
    m->prev = t->last;
    *(t->last ? &t->last->next : &t->first) = m;
    t->last = m;
    t->n++;
    t->bytes += m->bytes;
    map_put(t->ids, m->v.id, m);
    if (t->n == 1)
        transit_wake(t);
}

void transit_take_out(struct queue *q, struct transit_message *m)
{
    struct transit *t = q->transit;
    *(m->prev ? &m->prev->next : &t->first) = m->next;
    *(m->next ? &m->next->prev : &t->last) = m->prev;
    t->n--;
    t->bytes -= m->bytes;
    map_del(t->ids, m->v.id);
}

void transit_free(struct transit_message *m)
{
    arena_free(m->arena);
    fd_closep(&m->memory);
    free(m);
}

/* --- waiting at a site --- */

static void append(struct sched_site *site, struct transit_message *m)
{
    m->next_waiting = NULL;
    m->waiting = true;
    m->site = site;
    *(site->transit ? &site->transit_last->next_waiting : &site->transit) = m;
    site->transit_last = m;
    site->n_transit++;
    site->work = true;
}

struct transit_message *transit_next(struct sched_site *site)
{
    struct transit_message *m = site->transit;
    if (!m)
        return NULL;
    site->transit = m->next_waiting;
    site->n_transit--;
    m->waiting = false;
    m->running = true;
    return m;
}

/* From anywhere in its site's queue. */
void transit_leave_site(struct transit_message *m)
{
    struct sched_site *site = m->site;
    struct transit_message **at = &site->transit, *before = NULL;
    for (; *at != m; at = &(*at)->next_waiting)
        before = *at;
    *at = m->next_waiting;
    if (site->transit_last == m)
        site->transit_last = before;
    site->n_transit--;
    m->waiting = false;
}

void transit_leave(struct queue *q, struct sched_site *site)
{
    for (struct transit_message *m; (m = transit_next(site));) {
        m->running = false;
        m->since = 0;
        transit_wake(q->transit);
    }
}

/* A site that could take it now, and of which nothing waits in the tables: that came earlier. */
static struct sched_site *free_site(const struct queue *q, str name)
{
    struct sched_site *site = map_find(q->sched->names, name);
    if (!site || site->kind != QUEUE_REMOTE || site->dead || site->failures > 0 || site->more_lanes)
        return NULL;
    for (unsigned i = 0; i < site->n_lanes; i++)
        if (site->lanes[i]->at < site->lanes[i]->n_rows || !site->lanes[i]->drained)
            return NULL;
    return site;
}

/* True: one of the takers is to be woken. */
static bool offer(struct queue *q, struct transit_message *m)
{
    struct sched_site *site = m->moving || m->moved ? NULL : map_find(q->sched->names, m->site_name);
    if (!site || site->dead) {
        m->since = 0;
        transit_wake(q->transit);
        return false;
    }
    append(site, m);
    return sched_wakes(q, QUEUE_REMOTE);
}

void transit_back(struct queue *q, struct transit_message *m)
{
    m->running = false;
    if (!m->moving && !m->moved && offer(q, m))
        pthread_cond_signal(&q->changed[QUEUE_REMOTE]);
    transit_wake(q->transit);
}

void transit_moved(struct queue *q, struct transit_message *m)
{
    m->running = false;
    m->moved = true;
    transit_wake(q->transit);
}

/* --- putting --- */

static const unsigned plain_flags =
    QUEUE_8BIT | QUEUE_UTF8 | QUEUE_BINARY | QUEUE_REQUIRETLS | QUEUE_TLS_OPTIONAL;

/* What needs no more than to be delivered, in one job. */
static bool suits(const struct queue *q, const struct queue_part *part, const struct queue_content *content)
{
    const struct queue_envelope *v = &part->v;
    const struct conf *c = conf_of_transport(q->conf, site_name_parse(part->sites[0]).service);
    if (v->account.n > 0 || v->flags & ~plain_flags || v->hold_until || v->deliver_by || v->priority ||
        part->head.n > 0 || v->n > QUEUE_JOB_RCPTS_MAX ||
        v->n > (size_t)c->smtp_destination_recipient_limit ||
        (!content->file && content->bytes.n > CONTENT_MAX))
        return false;
    for (size_t i = 0; i < v->n; i++)
        if (v->rcpts[i].local || v->rcpts[i].via.n > 0 || !str_eq(part->sites[i], part->sites[0]))
            return false;
    return true;
}

/* The envelope with the numbers of its recipients, as bytes. */
static bool encode(struct queue *q, const struct queue_envelope *v, struct arena *a, struct buf *out)
{
    struct queue_envelope own = *v;
    own.rcpts = arena_array(a, v->n, sizeof *own.rcpts);
    if (!own.rcpts)
        return false;
    for (size_t i = 0; i < v->n; i++) {
        own.rcpts[i] = v->rcpts[i];
        own.rcpts[i].n = rows_new(q);
    }
    own.expires = queue_expires(q, v);
    queue_envelope_put(out, &own);
    return !out->overflow;
}

/* Descriptors are given the lowest number that is free: a high one says that there are many. */
static int own_memory(int memory)
{
    int fd = memory < 0 ? -1 : fcntl(memory, F_DUPFD_CLOEXEC, 0);
    if (fd >= DESCRIPTORS_MAX)
        fd_closep(&fd);
    return fd;
}

/* A message for the log; NULL: it does not fit. */
static struct transit_message *make(struct queue *q, const struct queue_part *part,
                                    const struct queue_content *content, int memory,
                                    struct transit_record *ret)
{
    AUTO(buf_deinit) struct buf envelope = BUF_INIT(TRANSIT_PAYLOAD_MAX - CONTENT_MAX - QUEUE_SITE_MAX);
    struct transit_message *m = calloc(1, sizeof *m);
    must(m);
    m->arena = arena_new(ARENA_MAX);
    m->n = rows_new(q);
    m->since = clock_mono();
    m->site_name = arena_str(m->arena, part->sites[0]);
    m->content = (struct queue_content){.file = content->file};
    m->memory = content->file ? -1 : own_memory(memory);
    if (!content->file && m->memory < 0)
        m->content.bytes = arena_str(m->arena, content->bytes);
    bool fits = encode(q, &part->v, m->arena, &envelope);
    m->envelope = fits ? arena_str(m->arena, buf_str(&envelope)) : STR_NONE;
    if (!fits || queue_envelope_get(m->envelope, m->arena, &m->v) != RC_OK || arena_exhausted(m->arena)) {
        transit_free(m);
        return NULL;
    }
    m->bytes = 2 * m->envelope.n + content->bytes.n + 4096;
    *ret = (struct transit_record){.kind = TRANSIT_PUT,
                                   .number = m->n,
                                   .file = m->content.file,
                                   .site = m->site_name,
                                   .envelope = m->envelope,
                                   .content = content->file ? STR_NONE : content->bytes};
    return m;
}

/* With the lock. */
static bool has_room(const struct queue *q, const struct transit_message *m)
{
    const struct transit *t = q->transit;
    struct err e = {0};
    int64_t n;
    return !q->stopping && q->n_unwritten == 0 && t->n < MESSAGES_MAX && t->bytes + m->bytes <= BYTES_MAX &&
           free_site(q, m->site_name) && !map_find(t->ids, m->v.id) && !departed_has(q->departed, m->v.id) &&
           db_get_int(q->reader, &n, &e, "SELECT n FROM message WHERE id=?1", DB_T(m->v.id)) == RC_GONE;
}

static bool reserve(struct queue *q, struct transit_message *m)
{
    pthread_mutex_lock(&q->lock);
    bool has = has_room(q, m);
    if (has)
        list_add(q->transit, m);
    pthread_mutex_unlock(&q->lock);
    return has;
}

enum rc transit_put(struct queue *q, const struct queue_part *part, const struct queue_content *content,
                    int memory, bool *ret_logged)
{
    struct transit_record record;
    struct transit_message *m =
        q->transit && suits(q, part, content) ? make(q, part, content, memory, &record) : NULL;
    if (!m)
        return RC_GONE;
    if (!reserve(q, m)) {
        transit_free(m);
        return RC_GONE;
    }
    queue_log_active(&m->v);
    *ret_logged = true;
    enum rc rc = transit_log_put(q->transit->log, &record, &m->segment);
    pthread_mutex_lock(&q->lock);
    m->logged = m->there = rc == RC_OK;
    bool wakes = rc == RC_OK && offer(q, m);
    if (rc != RC_OK) {
        transit_take_out(q, m);
        transit_wake(q->transit); /* maybe a segment has to get empty */
    }
    pthread_mutex_unlock(&q->lock);
    if (wakes)
        pthread_cond_signal(&q->changed[QUEUE_REMOTE]);
    if (rc != RC_OK)
        transit_free(m);
    return rc == RC_OK ? RC_OK : RC_GONE;
}

bool transit_has(struct queue *q, str id)
{
    struct transit_message *m = NULL;
    if (!q->transit)
        return false;
    pthread_mutex_lock(&q->lock);
    while ((m = map_find(q->transit->ids, id)) && !m->there) { /* the first question is on its way */
        pthread_mutex_unlock(&q->lock);
        usleep(1000);
        pthread_mutex_lock(&q->lock);
    }
    pthread_mutex_unlock(&q->lock);
    return m != NULL;
}

/* --- the end --- */

struct leaving { /* a spool file whose message is gone */
    struct leaving *next;
    int64_t file;
    uint64_t ticket;
};

/* Files whose messages are gone for good: sooner, a power cut could bring back one without its content. */
void transit_release_files(struct queue *q, unsigned most)
{
    struct transit *t = q->transit;
    uint64_t lasting = transit_log_state(t->log).lasting;
    for (unsigned i = 0; i < most; i++) {
        pthread_mutex_lock(&t->leaving_lock);
        struct leaving *l = t->leaving;
        if (l && l->ticket <= lasting)
            t->leaving = l->next;
        else
            l = NULL;
        if (!t->leaving)
            t->leaving_end = &t->leaving;
        pthread_mutex_unlock(&t->leaving_lock);
        if (!l)
            return;
        atomic_fetch_sub(&t->n_leaving, 1);
        spool_release(q->spool, l->file);
        free(l);
    }
}

static void release_later(struct transit *t, int64_t file, uint64_t ticket)
{
    struct leaving *l = calloc(1, sizeof *l);
    must(l);
    *l = (struct leaving){.file = file, .ticket = ticket};
    atomic_fetch_add(&t->n_leaving, 1);
    pthread_mutex_lock(&t->leaving_lock);
    *t->leaving_end = l;
    t->leaving_end = &l->next;
    pthread_mutex_unlock(&t->leaving_lock);
}

void transit_forget(struct queue *q, struct transit_message *m)
{
    struct transit *t = q->transit;
    uint64_t ticket = transit_log_gone(t->log, m->n, m->segment);
    if (m->content.file) {
        release_later(t, m->content.file, ticket);
        transit_release_files(q, LEAVING_AT_ONCE);
    }
    transit_free(m);
    if (atomic_load(&t->asleep)) { /* it would not see that something is unwritten */
        pthread_mutex_lock(&q->lock);
        transit_wake(t);
        pthread_mutex_unlock(&q->lock);
    }
}

void transit_close(struct queue *q)
{
    struct transit *t = q->transit;
    if (!t)
        return;
    while (t->first) {
        struct transit_message *m = t->first;
        transit_take_out(q, m);
        transit_free(m);
    }
    transit_log_close(t->log);
    map_free(t->ids);
    free(t);
    q->transit = NULL;
}
