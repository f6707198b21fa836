/* "ID: to=<a@b>, relay=mx[ip]:25, delay=1.2, delays=0.1/0/0.5/0.6, dsn=2.0.0, status=sent (250 2.0.0 Ok)":
 * the shape that pflogsumm and logwatch read. The two middle delays are not told apart. */
#include "base/log.h"
#include "fmt/delay.h"
#include "queue/site_name.h"
#include "role/smtp_impl.h"

static const char *status_of(const struct queue_outcome *o, bool probe, bool softens)
{
    if (probe && o->result != QUEUE_NOT_TRIED)
        return o->result == QUEUE_DEFERRED || o->result == QUEUE_FAILED ? "undeliverable" : "deliverable";
    switch (o->result) {
    case QUEUE_DEFERRED:
    case QUEUE_NOT_TRIED:
        return "deferred";
    case QUEUE_FAILED:
        return softens ? "SOFTBOUNCE" : "bounced";
    case QUEUE_DELIVERED:
    case QUEUE_RELAYED:
    case QUEUE_RELAYED_BLIND:
    case QUEUE_RELAYED_TRACED:
    case QUEUE_EXPANDED:
        break;
    }
    return "sent";
}

void smtp_log_outcomes(const struct conf *c, const struct smtp_job *job)
{
    msec took = clock_mono() - job->started, delay = clock_wall() / 1000 - job->envelope.arrived;
    char whole[DELAY_SIZE], before[DELAY_SIZE], last[DELAY_SIZE];
    const enum site_transport transport = site_name_parse(job->site_name).transport;
    const enum log_program program = transport == SITE_LMTP    ? LOG_AS_LMTP
                                     : transport == SITE_ERROR ? LOG_AS_ERROR
                                                               : LOG_AS_OWN;
    for (size_t i = 0; i < job->envelope.n; i++) {
        const struct queue_rcpt *r = &job->envelope.rcpts[i];
        const struct queue_outcome *o = &job->outcomes[i];
        str open = r->orig.n ? S(", orig_to=<") : S(""), close = r->orig.n ? S(">") : S("");
        bool softened = o->result == QUEUE_FAILED && c->soft_bounce;
        char dsn[QUEUE_STATUS_MAX + 1];
        snprintf(dsn, sizeof dsn, STR_FMT, STR_ARG(o->status));
        if (softened)
            dsn[0] = '4';
        str relay = o->remote.n ? o->remote : S("none");
        log_info_of(program,
                    STR_FMT ": to=<" STR_FMT ">" STR_FMT STR_FMT STR_FMT ", relay=" STR_FMT
                            ", delay=%s, delays=%s/0/0/%s, dsn=%s, status=%s (" STR_FMT ")",
                    STR_ARG(job->envelope.id), STR_ARG(r->address), STR_ARG(open), STR_ARG(r->orig),
                    STR_ARG(close), STR_ARG(relay), delay_format(delay, whole),
                    delay_format(delay - took, before), delay_format(took, last), dsn,
                    status_of(o, job->envelope.flags & QUEUE_PROBE, softened), STR_ARG(job->texts[i]));
    }
}
