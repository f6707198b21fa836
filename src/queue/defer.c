/* defer_transports: mail for these waits until an administrator asks for it. */
#include "base/log.h"
#include "queue/queue_impl.h"
#include "queue/site_name.h"

bool queue_defer(struct queue *q, const struct queue_job *job)
{
    struct queue_outcome outcomes[QUEUE_JOB_RCPTS_MAX];
    const struct conf *c = q->conf;
    const struct queue_envelope *v = &job->envelope;
    struct queue_report report = {.number = job->number, .id = v->id, .outcomes = outcomes, .n = v->n};
    str transport = site_name_parse(job->site_name).service;
    if (job->asked_for || transport.n == 0 || !conf_list_has(&c->defer_transports, transport))
        return false;
    for (size_t i = 0; i < v->n; i++) {
        outcomes[i] = (struct queue_outcome){.rcpt = v->rcpts[i].n,
                                             .result = QUEUE_DEFERRED,
                                             .status = S("4.3.2"),
                                             .reply = S("deferred transport")};
        log_info_of(LOG_AS_QMGR,
                    STR_FMT ": to=<" STR_FMT ">, relay=none, dsn=4.3.2, status=deferred (deferred transport)",
                    STR_ARG(v->id), STR_ARG(v->rcpts[i].address));
    }
    if (queue_report(q, &report) != RC_OK)
        log_error(STR_FMT ": its job is gone", STR_ARG(v->id));
    return true;
}
